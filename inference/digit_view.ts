/**
 * What a model saw, for people: in a terminal, and as a PNG.
 *
 * @module
 */

import { Buffer } from "node:buffer";
// @ts-types="npm:@types/pngjs@6.0.5"
import { PNG } from "pngjs";
import { IMAGE_SIDE } from "../data/dataset.ts";
import { pngChunk } from "./png_chunk.ts";

/** From no ink to full ink, as far as a terminal's letters go. */
const SHADES = [" ", "░", "▒", "▓", "█"] as const;

/** How many times larger a PNG shows a digit. */
const ENLARGED = 8;

/** What a PNG says that it was written by: the keyword that the format has for it, and the program. */
const SOFTWARE = { keyword: "Software", program: "deno task predict" } as const;

/** Bytes of a PNG's signature and header. */
const HEAD = 33;

/**
 * A digit in blocks, two for each pixel so that it is about as wide as high: 28 lines of 56.
 *
 * @param pixels Grey values 0..255, `[784]`.
 */
export function digitBlocks(pixels: Uint8Array): string[] {
  return Array.from({ length: IMAGE_SIDE }, (_, row) => {
    const line = pixels.subarray(row * IMAGE_SIDE, (row + 1) * IMAGE_SIDE);
    return Array.from(line, (grey) => SHADES[Math.round(grey / 255 * 4)]!.repeat(2)).join("")
      .trimEnd();
  });
}

/**
 * A digit as a PNG of 224×224, each pixel a square of 8×8.
 *
 * @param pixels Grey values 0..255, `[784]`.
 */
export function digitPng(pixels: Uint8Array): Uint8Array {
  const side = IMAGE_SIDE * ENLARGED;
  const grey = Uint8Array.from({ length: side * side }, (_, i) => {
    const row = Math.floor(i / side / ENLARGED);
    return pixels[row * IMAGE_SIDE + Math.floor(i % side / ENLARGED)]!;
  });
  const png = Object.assign(new PNG({ width: side, height: side }), { data: Buffer.from(grey) });
  const bytes = PNG.sync.write(png, { colorType: 0, inputColorType: 0 });
  const text = Buffer.from(`${SOFTWARE.keyword}\0${SOFTWARE.program}`, "latin1");
  const head = bytes.subarray(0, HEAD);
  return Buffer.concat([head, pngChunk("tEXt", text), bytes.subarray(HEAD)]);
}

/**
 * Whether a file is one of {@linkcode digitPng}, and no picture of others.
 *
 * @param content The file, read as text.
 */
export function isDigitPng(content: string): boolean {
  return content.includes(`tEXt${SOFTWARE.keyword}\0${SOFTWARE.program}`);
}
