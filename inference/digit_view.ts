/**
 * What a model saw, for people: in a terminal, and as a PNG.
 *
 * @module
 */

import { encode } from "fast-png";
import { IMAGE_SIDE } from "../data/dataset.ts";

/** From no ink to full ink, as far as a terminal's letters go. */
const SHADES = [" ", "░", "▒", "▓", "█"] as const;

/** How many times larger a PNG shows a digit. */
const ENLARGED = 8;

/** What a PNG says that it was written by: the keyword that the format has for it, and the program. */
const SOFTWARE = { keyword: "Software", program: "deno task predict" } as const;

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
  const data = Uint8Array.from({ length: side * side }, (_, i) => {
    const row = Math.floor(i / side / ENLARGED);
    return pixels[row * IMAGE_SIDE + Math.floor(i % side / ENLARGED)]!;
  });
  const text = { [SOFTWARE.keyword]: SOFTWARE.program };
  return encode({ width: side, height: side, channels: 1, depth: 8, data, text });
}

/**
 * Whether a file is one of {@linkcode digitPng}, and no picture of others.
 *
 * @param content The file, read as text.
 */
export function isDigitPng(content: string): boolean {
  return content.includes(`tEXt${SOFTWARE.keyword}\0${SOFTWARE.program}`);
}
