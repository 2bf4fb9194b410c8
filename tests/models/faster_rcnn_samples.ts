/**
 * The boxes behind the golden files of tests/reference/faster_rcnn.py, by the same formulas.
 */

import { noise } from "../../bench/faster_rcnn_formulas.ts";

/** Numbers between `low` and `high`. */
export function uniform(seed: number, [low, high]: [number, number], count: number): Float32Array {
  return new Float32Array(noise(seed, count).map((u) => low + (high - low) * u));
}

/** Boxes with corners on quarters of pixels, sides up to `most`. */
export function boxesIn(
  seed: number,
  count: number,
  { height, width, most }: { height: number; width: number; most: number },
): Float32Array {
  const u = noise(seed, 4 * count);
  const boxes = new Float32Array(4 * count);
  const quarters = (value: number) => Math.floor(value * 4) / 4;
  for (let at = 0; at < boxes.length; at += 4) {
    boxes[at] = quarters(u[at]! * width);
    boxes[at + 1] = quarters(u[at + 1]! * height);
    boxes[at + 2] = boxes[at]! + quarters(u[at + 2]! ** 2 * most) + 0.25;
    boxes[at + 3] = boxes[at + 1]! + quarters(u[at + 3]! ** 2 * most) + 0.25;
  }
  return boxes;
}
