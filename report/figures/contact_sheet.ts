/**
 * A sheet of a model's wrong predictions with the highest scores, as an SVG.
 *
 * @module
 */

import type { Mistake } from "../analysis/comparison.ts";
import { COLOUR, type FigureText, figureText, FONT, withHead } from "./theme.ts";

/** Digits on a sheet, at most. */
export const SHEET_DIGITS = 24;

const SIDE = 28;
const SCALE = 3;
const COLUMNS = 8;
const CELL = { width: 100, height: 130 } as const;
const MARGIN = (CELL.width - SIDE * SCALE) / 2;

/** Shades of ink, which are told apart no better than 256 and take a quarter of the space. */
const SHADES = 16;

/**
 * Draws wrongly classified digits, eight in a row, each with `target → prediction` and its score under
 * it. Digits are of ink, as dark as their pixels are bright, and follow the reader's theme like all
 * figures; pixels are drawn in 16 shades.
 *
 * @param mistakes What to draw, in this order; not empty.
 * @param images The test images, `[n * 784]` in 0..255.
 * @param text What the document says of itself.
 * @returns An SVG document that refers to nothing outside itself; the same input gives the same text.
 * @throws {RangeError} If there is nothing to draw, or an index is beyond the images.
 */
export function contactSheet(
  mistakes: readonly Mistake[],
  images: Uint8Array,
  text: FigureText,
): string {
  if (mistakes.length === 0) throw new RangeError("Cannot draw a sheet without a digit");
  const width = Math.min(COLUMNS, mistakes.length) * CELL.width;
  const height = Math.ceil(mistakes.length / COLUMNS) * CELL.height;
  const cells = mistakes.map((mistake, place) => {
    const [x, y] = [place % COLUMNS * CELL.width, Math.floor(place / COLUMNS) * CELL.height];
    return `<g transform="translate(${x},${y})">${drawCell(mistake, images)}</g>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}">` +
    `<rect width="${width}" height="${height}" fill="${COLOUR.canvas}"/>` +
    `<g font-family="${FONT}" font-size="13" text-anchor="middle">${cells.join("")}</g></svg>`;
  return withHead(svg, text);
}

function drawCell(mistake: Mistake, images: Uint8Array): string {
  const { index, target, prediction, score } = mistake;
  const centre = CELL.width / 2;
  const words = figureText(`${target} → ${prediction}`);
  return `<title>Image ${index}: ${target} predicted as ${prediction}, ` +
    `score ${score.toFixed(4)}</title>` +
    `<g transform="translate(${MARGIN},${MARGIN}) scale(${SCALE})" stroke="${COLOUR.ink}" ` +
    `shape-rendering="crispEdges">${drawDigit(digitAt(images, index))}</g>` +
    `<text x="${centre}" y="${CELL.height - 22}" font-weight="bold" fill="${COLOUR.ink}">` +
    `${words}</text>` +
    `<text x="${centre}" y="${CELL.height - 6}" fill="${COLOUR.quiet}">${score.toFixed(3)}</text>`;
}

function digitAt(images: Uint8Array, index: number): Uint8Array {
  const digit = images.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE);
  if (digit.length === SIDE * SIDE) return digit;
  throw new RangeError(
    `Cannot draw image ${index} as there are only ${Math.floor(images.length / SIDE ** 2)}`,
  );
}

/** A path for each shade: lines as wide as a pixel, through pixels that lie side by side. */
function drawDigit(digit: Uint8Array): string {
  const shadeAt = (pixel: number) => Math.round(digit[pixel]! * (SHADES - 1) / 255);
  const paths = new Map<number, string>();
  for (let start = 0, end = 0; start < digit.length; start = end) {
    const shade = shadeAt(start);
    const [x, y] = [start % SIDE, Math.floor(start / SIDE)];
    do end++; while (end % SIDE !== 0 && shadeAt(end) === shade);
    if (shade === 0) continue;
    paths.set(shade, `${paths.get(shade) ?? ""}M${x} ${y}.5h${end - start}`);
  }
  return [...paths].sort(([a], [b]) => a - b).map(([shade, path]) =>
    `<path stroke-opacity="${Number((shade / (SHADES - 1)).toFixed(2))}" d="${path}"/>`
  ).join("");
}
