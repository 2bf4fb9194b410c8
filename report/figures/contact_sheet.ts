/**
 * A sheet of a model's wrong predictions with the highest scores, as a PNG.
 *
 * @module
 */

import { encode } from "fast-png";
import type { Mistake } from "../analysis/comparison.ts";
import { drawText, fillSquare, GLYPH_HEIGHT, type GreyImage, textWidth } from "./pixel_font.ts";

/** Digits on a sheet, at most. */
export const SHEET_DIGITS = 24;

const SIDE = 28;
const DIGIT_SCALE = 3;
const TEXT_SCALE = 2;
const COLUMNS = 8;
const CELL = { width: 100, height: 122 } as const;
const MARGIN = (CELL.width - SIDE * DIGIT_SCALE) / 2;
const GREY = { canvas: 24, text: 235, score: 165 } as const;

/**
 * Draws wrongly classified digits, eight in a row, each with `target→prediction score` under it.
 *
 * @param mistakes What to draw, in this order; not empty.
 * @param images The test images, `[n * 784]` in 0..255.
 * @returns A PNG, 8-bit grey; the same input gives the same bytes.
 * @throws {RangeError} If there is nothing to draw, or an index is beyond the images.
 */
export function contactSheet(mistakes: readonly Mistake[], images: Uint8Array): Uint8Array {
  if (mistakes.length === 0) throw new RangeError("Cannot draw a sheet without a digit");
  const width = Math.min(COLUMNS, mistakes.length) * CELL.width;
  const height = Math.ceil(mistakes.length / COLUMNS) * CELL.height;
  const sheet: GreyImage = { width, height, data: new Uint8Array(width * height) };
  sheet.data.fill(GREY.canvas);
  for (const [place, { index, target, prediction, score }] of mistakes.entries()) {
    const left = place % COLUMNS * CELL.width;
    const top = Math.floor(place / COLUMNS) * CELL.height;
    drawDigit(sheet, digitAt(images, index), { x: left + MARGIN, y: top + MARGIN });
    const classes = `${target}→${prediction} `;
    const label = classes + shortScore(score);
    const x = left + Math.floor((CELL.width - textWidth(label, TEXT_SCALE)) / 2);
    const y = top + CELL.height - MARGIN - TEXT_SCALE * GLYPH_HEIGHT;
    const style = { x, y, scale: TEXT_SCALE };
    drawText(sheet, label, { ...style, grey: GREY.score });
    drawText(sheet, classes, { ...style, grey: GREY.text });
  }
  return encode({ width, height, data: sheet.data, channels: 1, depth: 8 });
}

/** Four characters: `.987`, `1.00`. */
function shortScore(score: number): string {
  return Math.min(1, Math.max(0, score)).toFixed(3).replace(/^0/, "").slice(0, 4);
}

function digitAt(images: Uint8Array, index: number): Uint8Array {
  const digit = images.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE);
  if (digit.length === SIDE * SIDE) return digit;
  throw new RangeError(
    `Cannot draw image ${index} as there are only ${Math.floor(images.length / SIDE ** 2)}`,
  );
}

function drawDigit(
  sheet: GreyImage,
  digit: Uint8Array,
  { x, y }: { x: number; y: number },
): void {
  for (const [place, grey] of digit.entries()) {
    fillSquare(sheet, {
      x: x + place % SIDE * DIGIT_SCALE,
      y: y + Math.floor(place / SIDE) * DIGIT_SCALE,
      size: DIGIT_SCALE,
      grey,
    });
  }
}
