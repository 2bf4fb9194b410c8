/**
 * The misread test images of a run as one picture, in which the place says what was read as what.
 *
 * @module
 */

import type { ImageSet } from "../data/dataset.ts";
import { IMAGE_PIXELS, IMAGE_SIDE } from "../data/idx.ts";
import { DATA } from "../study.ts";

/** A picture in grey values 0..255, `[height * width]`, row after row. */
export interface GreyPicture {
  width: number;
  height: number;
  pixels: Uint8Array;
}

/** What was answered to the images of a set, in their order. */
export interface Answers {
  /** [n] classes; −1 where there is none. */
  predictions: ArrayLike<number>;
  /** [n] scores of the answers. */
  scores: ArrayLike<number>;
}

/** Lines of one pixel stand between the images. */
const PITCH = IMAGE_SIDE + 1;

const LINE_GREY = 96;

/**
 * A table with a row for each true class and a column for each answer: in each cell stands, of the
 * images so misread, the one with the highest score. Cells of what never happened are black.
 *
 * @returns `undefined` if no image was misread.
 */
export function misreadDigits(
  { images, labels }: Pick<ImageSet, "images" | "labels">,
  { predictions, scores }: Answers,
): GreyPicture | undefined {
  const surest = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) {
    const [target, prediction] = [labels[i]!, predictions[i]!];
    if (prediction < 0 || prediction === target) continue;
    const cell = target * DATA.classes + prediction;
    const other = surest.get(cell);
    if (other === undefined || scores[i]! > scores[other]!) surest.set(cell, i);
  }
  if (surest.size === 0) return undefined;
  const side = DATA.classes * PITCH + 1;
  const pixels = new Uint8Array(side * side).fill(LINE_GREY);
  for (let cell = 0; cell < DATA.classes ** 2; cell++) {
    const index = surest.get(cell);
    const top = 1 + Math.floor(cell / DATA.classes) * PITCH;
    const left = 1 + cell % DATA.classes * PITCH;
    for (let y = 0; y < IMAGE_SIDE; y++) {
      const start = (top + y) * side + left;
      if (index === undefined) {
        pixels.fill(0, start, start + IMAGE_SIDE);
        continue;
      }
      const from = index * IMAGE_PIXELS + y * IMAGE_SIDE;
      pixels.set(images.subarray(from, from + IMAGE_SIDE), start);
    }
  }
  return { width: side, height: side, pixels };
}
