/**
 * From a picture of a digit to what a model takes, the way MNIST was made: the ink's box is scaled to
 * 20×20 pixels, keeping its proportions, and laid into 28×28 with its centre of mass in the middle
 * (LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, 1998).
 *
 * Plain arrays in and out, no engine and nothing of Deno: a page in a browser uses it as it is.
 *
 * @module
 */

import { IMAGE_PIXELS, IMAGE_SIDE } from "./dataset.ts";
import { type Box, cropped, type GreyPicture, resampled, shrunk } from "./grey_picture.ts";
import { findInk, type Ink } from "./ink.ts";

export type { Box, GreyPicture } from "./grey_picture.ts";
export type { Ink } from "./ink.ts";

/** Options of {@linkcode prepareDigit}. */
export interface PrepareDigitOptions {
  /**
   * Whether ink is darker or lighter than what it is on; `auto` takes what stands out more.
   *
   * @default {"auto"}
   */
  ink?: Ink | "auto";
}

/** A digit as MNIST has them. */
export interface PreparedDigit {
  /** Grey values 0..255, `[784]`: the digit light on dark. */
  pixels: Uint8Array<ArrayBuffer>;
  /** What was taken for ink. */
  ink: Ink;
  /** The ink's box in the picture. */
  box: Box;
}

/** Longer side of the ink's box in the result. */
const DIGIT_SIDE = 20;

/** A larger picture is made smaller first. */
const LARGEST_SIDE = 512;

/** Where ink in a picture made smaller is as small, its surroundings are looked at in full size. */
const SMALL_SIDE = 120;

/**
 * Prepares the digit in a picture.
 *
 * @returns `undefined` where nothing stands out from the paper.
 */
export function prepareDigit(
  picture: GreyPicture,
  { ink: wanted = "auto" }: PrepareDigitOptions = {},
): PreparedDigit | undefined {
  const small = shrunk(picture, LARGEST_SIDE);
  const found = findInk(small, wanted);
  if (found === undefined) return undefined;
  const { ink } = found;
  const box = scaledBox(found.box, small, picture);
  if (small !== picture && Math.max(found.box.width, found.box.height) < SMALL_SIDE) {
    const around = withMargin(box);
    const closer = prepareDigit(cropped(picture, around), { ink });
    if (closer !== undefined) {
      const left = closer.box.left + Math.max(0, around.left);
      const top = closer.box.top + Math.max(0, around.top);
      return { ...closer, box: { ...closer.box, left, top } };
    }
  }
  const digit = scaledToSquare({ ...small, pixels: found.coverage }, found.box);
  return { pixels: centred(digit), ink, box };
}

/** The box of a picture that was made smaller, in the pixels of the whole one. */
function scaledBox(box: Box, small: GreyPicture, { width, height }: GreyPicture): Box {
  if (small.width === width && small.height === height) return box;
  // Each side was rounded to whole pixels by itself.
  const across = width / small.width;
  const down = height / small.height;
  const left = Math.floor(box.left * across);
  const top = Math.floor(box.top * down);
  return {
    left,
    top,
    width: Math.min(width, Math.ceil((box.left + box.width) * across)) - left,
    height: Math.min(height, Math.ceil((box.top + box.height) * down)) - top,
  };
}

/** A box with half its longer side of paper around it. */
function withMargin({ left, top, width, height }: Box): Box {
  const margin = Math.ceil(Math.max(width, height) / 2);
  return {
    left: left - margin,
    top: top - margin,
    width: width + 2 * margin,
    height: height + 2 * margin,
  };
}

/** The box of a picture in a square of 20×20, in whole pixels as near to its middle as can be. */
function scaledToSquare(picture: GreyPicture, box: Box): GreyPicture {
  const side = Math.max(box.width, box.height);
  const square = new Float32Array(side * side);
  const left = (side - box.width) >> 1;
  const top = (side - box.height) >> 1;
  for (let y = 0; y < box.height; y++) {
    for (let x = 0; x < box.width; x++) {
      const from = (box.top + y) * picture.width + box.left + x;
      square[(top + y) * side + left + x] = picture.pixels[from]!;
    }
  }
  const whole = { width: side, height: side, pixels: square };
  return resampled(whole, DIGIT_SIDE, DIGIT_SIDE);
}

/**
 * A digit of 20×20, its darkest pixel full ink, in 28×28 with its centre of mass at the middle, as near
 * as whole pixels come.
 */
function centred({ width, pixels }: GreyPicture): Uint8Array<ArrayBuffer> {
  let [mass, x, y, most] = [0, 0, 0, 0];
  for (let i = 0; i < pixels.length; i++) {
    mass += pixels[i]!;
    x += pixels[i]! * (i % width);
    y += pixels[i]! * Math.floor(i / width);
    most = Math.max(most, pixels[i]!);
  }
  const shift = (sum: number) =>
    Math.min(IMAGE_SIDE - width, Math.max(0, Math.round(IMAGE_SIDE / 2 - sum / mass)));
  const [left, top] = [shift(x), shift(y)];
  const image = new Uint8Array(IMAGE_PIXELS);
  for (let i = 0; i < pixels.length; i++) {
    const at = (top + Math.floor(i / width)) * IMAGE_SIDE + left + i % width;
    image[at] = Math.round(255 * pixels[i]! / most);
  }
  return image;
}
