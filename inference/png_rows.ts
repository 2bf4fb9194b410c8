/**
 * The rows of a PNG: unfiltered, put together where they are interlaced, and spread to a value each.
 *
 * @module
 */

import { PictureError } from "./picture_error.ts";

/** What a PNG's header says. */
export interface PngHeader {
  width: number;
  height: number;
  /** Bits of a value: 1, 2, 4, 8 or 16. */
  depth: number;
  /** Values of a pixel, 1 to 4. */
  channels: number;
  /** Whether rows come as Adam7 has them. */
  isInterlaced: boolean;
}

/** First column and row of a pass, and the steps to the next. */
type Steps = readonly [left: number, top: number, right: number, down: number];

/** The passes of a picture that is interlaced. */
const ADAM7: readonly Steps[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/** The one pass of a picture that is not. */
const WHOLE: readonly Steps[] = [[0, 0, 1, 1]];

/** A picture of some of a picture's columns and rows. */
interface Pass {
  left: number;
  top: number;
  right: number;
  down: number;
  columns: number;
  rows: number;
}

/** The passes that have any pixels, in their order. */
function passesOf({ width, height, isInterlaced }: PngHeader): Pass[] {
  return (isInterlaced ? ADAM7 : WHOLE).map(([left, top, right, down]) => ({
    ...{ left, top, right, down },
    columns: Math.ceil((width - left) / right),
    rows: Math.ceil((height - top) / down),
  })).filter(({ columns, rows }) => columns > 0 && rows > 0);
}

/** Bytes of a row without the number of its filter. */
function rowLength({ columns }: Pass, { depth, channels }: PngHeader): number {
  return Math.ceil(columns * channels * depth / 8);
}

/** Bytes of all rows, each with the number of its filter. */
export function rowBytes(header: PngHeader): number {
  return passesOf(header).reduce((sum, pass) => sum + pass.rows * (1 + rowLength(pass, header)), 0);
}

/**
 * The values of all rows.
 *
 * @param bytes All of {@linkcode rowBytes}; they are unfiltered in place.
 * @returns `[height * width * channels]`, 0..2^depth - 1.
 * @throws {PictureError} If a row has a filter that there is not.
 */
export function unpackRows(bytes: Uint8Array, header: PngHeader): Uint8Array | Uint16Array {
  const { width, height, depth, channels } = header;
  const count = width * height * channels;
  const values = depth === 16 ? new Uint16Array(count) : new Uint8Array(count);
  // What a filter takes for the byte before is that of the pixel before, or the byte itself.
  const back = Math.max(1, depth * channels / 8);
  let at = 0;
  for (const pass of passesOf(header)) {
    const length = rowLength(pass, header);
    const step = pass.right * channels;
    let above: Uint8Array = new Uint8Array(length);
    for (let y = 0; y < pass.rows; y++) {
      const row = bytes.subarray(at + 1, at + 1 + length);
      unfilter(row, { filter: bytes[at]!, above, back });
      let to = ((pass.top + y * pass.down) * width + pass.left) * channels;
      for (let x = 0, from = 0; x < pass.columns; x++, to += step) {
        for (let channel = 0; channel < channels; channel++, from++) {
          values[to + channel] = valueAt(row, from, depth);
        }
      }
      above = row;
      at += 1 + length;
    }
  }
  return values;
}

function valueAt(row: Uint8Array, index: number, depth: number): number {
  if (depth === 8) return row[index]!;
  if (depth === 16) return row[2 * index]! << 8 | row[2 * index + 1]!;
  const bit = index * depth;
  return row[bit >> 3]! >> (8 - depth - bit % 8) & (2 ** depth - 1);
}

/** Adds to each byte what its filter had taken off: of the bytes to the left, above and between them. */
function unfilter(
  row: Uint8Array,
  { filter, above, back }: { filter: number; above: Uint8Array; back: number },
): void {
  if (filter > 4) throw new PictureError(`it is damaged (a row has the filter ${filter})`);
  if (filter === 0) return;
  for (let i = 0; i < row.length; i++) {
    const left = i < back ? 0 : row[i - back]!;
    const up = above[i]!;
    if (filter === 1) row[i]! += left;
    else if (filter === 2) row[i]! += up;
    else if (filter === 3) row[i]! += (left + up) >> 1;
    else row[i]! += nearest(left, up, i < back ? 0 : above[i - back]!);
  }
}

/** Paeth's choice: which of the three is nearest to left + up - corner; the first of equal ones. */
function nearest(left: number, up: number, corner: number): number {
  const byLeft = Math.abs(up - corner);
  const byUp = Math.abs(left - corner);
  const byCorner = Math.abs(left + up - 2 * corner);
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}
