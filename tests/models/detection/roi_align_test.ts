/** RoIAlign and the detector's resizing against torchvision (tests/reference/faster_rcnn.py). */

import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import {
  inferScales,
  multiScaleRoiAlign,
  padForRoiAlign,
  pyramidLevels,
} from "../../../models/detection/roi_align.ts";
import { testEngine } from "../../engine/engine.ts";
import { boxesIn, uniform } from "../faster_rcnn_samples.ts";

await testEngine();
const golden = JSON.parse(
  await Deno.readTextFile(`${import.meta.dirname}/../../fixtures/faster_rcnn/roi_align.json`),
);

const SCALES = [1 / 4, 1 / 8, 1 / 16, 1 / 32];

/** Beyond each edge, on it, tiny at each corner, and all around; as in the Python. */
const EDGES = [
  [-6, -9, 20, 30],
  [-40, 50, -10, 90],
  [230, 160, 256, 192],
  [250, 186, 262, 198],
  [255.9, 191.9, 256, 192],
  [0, 0, 0.5, 0.5],
  [100, 191, 101, 191.5],
  [-500, -500, 900, 900],
].flat();

Deno.test("pyramidLevels() equals torchvision's LevelMapper to float32's last bit", () => {
  const sides = [28, 56, 112, 224, 448, 896].flatMap((base) =>
    [1 - 1e-5, 1 - 5e-7, 1 - 1e-7, 1, 1 + 1e-6].map((factor) => base * factor)
  );
  const boxes = Float32Array.from([...sides, 0].flatMap((side) => [0, 0, side, side]));
  assertEquals([...pyramidLevels(boxes, SCALES)], golden.levels);
});

Deno.test("inferScales() equals torchvision's, its misjudgement of low images included", () => {
  assertEquals(inferScales([48, 24, 12, 6], [[180, 250], [192, 200]]), golden.scales);
  assertEquals(inferScales([16, 8, 4, 2], [[33, 40]]), golden.low);
});

Deno.test("multiScaleRoiAlign() equals torchvision's MultiScaleRoIAlign at and beyond edges", () => {
  const shapes = [[48, 64], [24, 32], [12, 16], [6, 8]] as const;
  const maps = shapes.map(([h, w], level) => {
    const map = tf.tensor4d(uniform(30 + level, [-1, 1], 2 * h * w * 4), [2, h, w, 4]);
    const padded = padForRoiAlign(map);
    map.dispose();
    return padded;
  });
  const first = boxesIn(40, 12, { height: 180, width: 250, most: 250 });
  const second = boxesIn(41, 8, { height: 192, width: 200, most: 500 });
  const boxes = Float32Array.from([...EDGES, ...first, ...second]);
  const images = Int32Array.from({ length: 28 }, (_, i) => i < 20 ? 0 : 1);
  const regions = { boxes, images };
  assertEquals(new Set(pyramidLevels(boxes, SCALES)).size, 4, "levels tested");
  const { pooled, rows } = multiScaleRoiAlign({ maps, scales: SCALES }, regions, { total: 30 });
  assertEquals(pooled.shape, [30, 7, 7, 4]);
  assertEquals([...rows].sort((a, b) => a - b), Array.from({ length: 28 }, (_, i) => i));
  const inOrder = pooled.gather(tf.tensor1d(rows, "int32"));
  const some = inOrder.stridedSlice([0, 0, 1, 0], [28, 7, 7, 4], [1, 2, 2, 1]).dataSync();
  assertEquals(some.length, golden.pooled.length);
  for (const [i, expected] of (golden.pooled as number[]).entries()) {
    assert(Math.abs(some[i]! - expected) <= 2e-5, `[${i}]: ${some[i]}, ${expected}`);
  }
  const padding = pooled.slice([28, 0, 0, 0]).abs().max().dataSync()[0];
  assertEquals(padding, 0);
  tf.dispose([...maps, pooled, inOrder]);
});

Deno.test("multiScaleRoiAlign() of no boxes has no rows", () => {
  const map = tf.zeros<tf.Rank.R4>([1, 4, 4, 2]);
  const regions = { boxes: new Float32Array(0), images: new Int32Array(0) };
  const { pooled, rows } = multiScaleRoiAlign({ maps: [map], scales: [0.25] }, regions);
  assertEquals([pooled.shape, rows.length], [[0, 7, 7, 2], 0]);
  tf.dispose([map, pooled]);
});
