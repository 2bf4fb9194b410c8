/**
 * Boxes to train a detector's head on: the digit's own, some jittered from it, some of background.
 *
 * @module
 */

import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { IMAGE_SIDE } from "../../data/idx.ts";
import { boxAreas, boxIou } from "../../models/detection/boxes.ts";

/** A box's corners x1, y1, x2, y2, in pixels of the image it is in. */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** Boxes of one image. */
export interface SampledBoxes {
  /** The digit's own box, the jittered ones, and those of background, in this order. */
  boxes: Box[];
  /** How many of them, from the first, are the digit's: IoU of 0.5 and above. */
  positives: number;
}

/** Jittered boxes of each image. */
const JITTERED = 15;
/** Boxes of background of each image: three for each of the digit's, as torchvision samples. */
const BACKGROUND = 48;
/** Boxes of each image. */
export const BOXES_PER_IMAGE = 1 + JITTERED + BACKGROUND;

/** IoU with the digit's box from which on a box is the digit's, as in torchvision. */
const POSITIVE_IOU = 0.5;

/** Grey value from which on a pixel is part of the digit: fainter ones may be noise. */
const INK = 32;

/**
 * The smallest box around the inked pixels of a 28×28 image, as it is in the image made larger.
 *
 * @param pixels Grey values `[784]`, 0..255.
 * @param side Side of the larger image.
 * @returns The box in pixels of the larger image; the whole image if nothing is inked.
 */
export function digitBox(pixels: Uint8Array, side: number): Box {
  let [left, top, right, bottom] = [IMAGE_SIDE, IMAGE_SIDE, 0, 0];
  for (const [index, value] of pixels.entries()) {
    if (value < INK) continue;
    const [x, y] = [index % IMAGE_SIDE, Math.floor(index / IMAGE_SIDE)];
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + 1);
    bottom = Math.max(bottom, y + 1);
  }
  if (right === 0) return [0, 0, side, side];
  const scale = side / IMAGE_SIDE;
  return [left * scale, top * scale, right * scale, bottom * scale];
}

/**
 * Draws the boxes of one image: a pure function of its arguments.
 *
 * Jittered boxes are moved by up to a quarter of the digit's size and scaled by up to 1.3 either
 * way; boxes of background have sizes from 8 pixels to the whole image, small ones as often as
 * large ones, anywhere in it. Each is drawn until it is on its side of {@linkcode POSITIVE_IOU}.
 *
 * @param digit The digit's box.
 * @param side Side of the image, at least 16 pixels.
 * @param seed The run's seed.
 * @param image Index of the image.
 */
export function sampleBoxes(
  digit: Box,
  { side, seed, image }: { side: number; seed: number; image: number },
): SampledBoxes {
  const random = xoroshiro128plus((seed ^ Math.imul(image + 1, 0x9e3779b9)) | 0);
  const draw = (propose: () => Box, wanted: (iou: number) => boolean): Box => {
    for (;;) {
      const box = clip(propose(), side);
      if (wanted(overlap(box, digit))) return box;
    }
  };
  const near = () => jittered(digit, random);
  const anywhere = () => randomBox(side, random);
  const boxes = [
    digit,
    ...Array.from({ length: JITTERED }, () => draw(near, (iou) => iou >= POSITIVE_IOU)),
    ...Array.from({ length: BACKGROUND }, () => draw(anywhere, (iou) => iou < POSITIVE_IOU)),
  ];
  return { boxes, positives: 1 + JITTERED };
}

/** Area that two boxes share, of the area that they cover together: 0..1. */
export function overlap(a: Box, b: Box): number {
  return boxIou(measured(a), 0, measured(b), 0);
}

function measured(box: Box): { boxes: Float32Array; areas: Float32Array } {
  const boxes = Float32Array.from(box);
  return { boxes, areas: boxAreas(boxes) };
}

function jittered([x1, y1, x2, y2]: Box, random: RandomGenerator): Box {
  const width = (x2 - x1) * 1.3 ** uniform(random, -1, 1);
  const height = (y2 - y1) * 1.3 ** uniform(random, -1, 1);
  const x = (x1 + x2) / 2 + (x2 - x1) * uniform(random, -0.25, 0.25);
  const y = (y1 + y2) / 2 + (y2 - y1) * uniform(random, -0.25, 0.25);
  return [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
}

/** A box with its centre in the image, each of its sides of a size of its own. */
function randomBox(side: number, random: RandomGenerator): Box {
  const smallest = 8;
  const width = smallest * (side / smallest) ** uniform(random, 0, 1);
  const height = smallest * (side / smallest) ** uniform(random, 0, 1);
  const x = uniform(random, 0, side);
  const y = uniform(random, 0, side);
  return [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
}

function clip([x1, y1, x2, y2]: Box, side: number): Box {
  const inside = (value: number) => Math.min(Math.max(value, 0), side);
  return [inside(x1), inside(y1), inside(x2), inside(y2)];
}

function uniform(random: RandomGenerator, low: number, high: number): number {
  return low + (high - low) * uniformFloat64(random);
}
