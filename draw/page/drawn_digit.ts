/**
 * From the paper to what the models read: the same steps as for a picture in a file.
 *
 * @module
 */

import { prepareDigit } from "../../data/handwritten_digit.ts";

/** Longer side of a drawing, about, that is handed on: more costs time and changes nothing. */
const ENOUGH = 64;

/** The smallest square of whole blocks with all ink, in pixels of the paper. */
interface Square {
  left: number;
  top: number;
  /** Pixels of a block's side; a block becomes one pixel. */
  block: number;
  /** How many blocks there are on a side. */
  blocks: number;
}

/**
 * A drawing as MNIST's digits are.
 *
 * @param ink [side * side * 4] RGBA of black ink on nothing: how opaque it is says how much there is.
 * @param side Of the paper, in pixels.
 * @returns [784] grey values, light on dark; `undefined` where there is no ink.
 */
export function drawnDigit(ink: ArrayLike<number>, side: number): Uint8Array | undefined {
  const square = squareAround(ink, side);
  if (square === undefined) return undefined;
  const { left, top, block, blocks } = square;
  // Ink and paper are told apart by what is around, which may be past the paper's edge.
  const margin = Math.ceil(blocks / 2);
  const width = blocks + 2 * margin;
  const pixels = new Float32Array(width * width);
  const end = (start: number) => Math.min(side, start + block * blocks);
  for (let y = top; y < end(top); y++) {
    const row = (margin + Math.floor((y - top) / block)) * width + margin;
    for (let x = left; x < end(left); x++) {
      pixels[row + Math.floor((x - left) / block)]! += ink[4 * (y * side + x) + 3]! / block ** 2;
    }
  }
  return prepareDigit({ width, height: width, pixels }, { ink: "light" })?.pixels;
}

function squareAround(ink: ArrayLike<number>, side: number): Square | undefined {
  let [left, top, right, bottom] = [side, side, -1, -1];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      if (ink[4 * (y * side + x) + 3]! === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return undefined;
  const longer = Math.max(right - left, bottom - top) + 1;
  const block = Math.max(1, Math.round(longer / ENOUGH));
  return { left, top, block, blocks: Math.ceil(longer / block) };
}
