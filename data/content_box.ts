/**
 * Where an image has anything but black.
 *
 * @module
 */

import { IMAGE_PIXELS, IMAGE_SIDE } from "./dataset.ts";
import type { Box } from "./grey_picture.ts";

/**
 * The smallest box that holds all pixels of an image that are not 0; where there are none, the pixel in
 * the middle.
 *
 * @param images Grey values 0..255, `[n * 784]`.
 * @param index 0..n-1.
 */
export function contentBox(images: Uint8Array, index: number): Box {
  const pixels = images.subarray(index * IMAGE_PIXELS, (index + 1) * IMAGE_PIXELS);
  const content = [...pixels.keys()].filter((place) => pixels[place] !== 0);
  if (content.length === 0) content.push(IMAGE_PIXELS / 2 + IMAGE_SIDE / 2);
  const rows = content.map((place) => Math.floor(place / IMAGE_SIDE));
  const columns = content.map((place) => place % IMAGE_SIDE);
  const [left, top] = [Math.min(...columns), Math.min(...rows)];
  return {
    left,
    top,
    width: Math.max(...columns) + 1 - left,
    height: Math.max(...rows) + 1 - top,
  };
}
