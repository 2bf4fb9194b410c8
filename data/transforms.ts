/**
 * From 8-bit grey images to what a model takes.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { bytesTensor, gatherBytes } from "../engine/ops.ts";
import { IMAGE_PIXELS } from "./idx.ts";

/** Mean grey value of MNIST's training images, of 1. */
const MNIST_MEAN = 0.1307;
/** Standard deviation of the same. */
const MNIST_STD = 0.3081;

/**
 * The transform of part 1, on the device: pixel / 255, minus 0.1307, over 0.3081, in float32 and in
 * that order, as torchvision's `ToTensor` and `Normalize` do.
 *
 * @param pixels float32 `[n, 784]`, values 0..255.
 * @returns float32 `[n, 28, 28, 1]`.
 */
export function normalizeMnist(pixels: tf.Tensor): tf.Tensor4D {
  return tf.tidy(() =>
    pixels.div(255).sub(MNIST_MEAN).div(MNIST_STD).reshape<tf.Tensor4D>([-1, 28, 28, 1])
  );
}

/**
 * Images as part 1's model takes them.
 *
 * @param images Grey values 0..255, `[n * 784]`.
 * @returns float32 `[n, 28, 28, 1]`; see {@linkcode normalizeMnist}.
 * @throws {RangeError} If the length is not a multiple of 784.
 */
export function mnist28(images: Uint8Array): tf.Tensor4D {
  const count = images.length / IMAGE_PIXELS;
  if (!Number.isInteger(count)) {
    throw new RangeError(
      `Cannot transform images as their length must be a multiple of ${IMAGE_PIXELS}: current ` +
        `value is ${images.length}`,
    );
  }
  return tf.tidy(() => {
    const bytes = bytesTensor(images, [count, IMAGE_PIXELS]);
    const pixels = gatherBytes(bytes, tf.range(0, count, 1, "int32"));
    return normalizeMnist(pixels);
  });
}
