/**
 * From 8-bit grey images to what the models of parts 2 and 4 take: PIL's resize, exact on the device,
 * and ImageNet's normalisation.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor3D, Tensor4D } from "../engine/ops.ts";
import { IMAGENET_NORMALIZATION, type Normalization } from "../study.ts";
import type { Box } from "./grey_picture.ts";
import { IMAGE_SIDE } from "./idx.ts";
import { transformImages } from "./image_batches.ts";

/** ImageNet's channels as one: the mean of the three means, and of the three standard deviations. */
export const IMAGENET_GREY: Normalization = {
  mean: [0.449],
  std: [0.226],
};

/** How many times larger the models of parts 2 and 4 take an image. */
const SCALE = 8;
/** Width and height of an image as they take it, those of ImageNet's crops. */
export const RESIZED_SIDE: number = IMAGE_SIDE * SCALE;

/**
 * Enlarges images as PIL's `Image.resize((224, 224), BILINEAR)` does, to the bit: first along the
 * rows, then along the columns, each time rounded to 8 bits, halves upwards.
 *
 * PIL computes in fixed point with 22 bits behind the point. Eight-fold enlargement weighs pixels by
 * sixteenths, which both that and float32 hold exactly, so rounding is the same. Nothing in here is
 * computed in bfloat16 where convolutions are.
 *
 * @param pixels float32 `[n, 784]`, whole numbers 0..255.
 * @returns float32 `[n, 224, 224]`, whole numbers 0..255.
 */
export function resize224(pixels: Tensor): Tensor3D {
  return tf.tidy(() => {
    const rows = enlarge(pixels.reshape([-1, IMAGE_SIDE, 1])); // [n * 28, 28, 8, 1]
    const columns = enlarge(rows.reshape([-1, IMAGE_SIDE, RESIZED_SIDE])); // [n, 28, 8, 224]
    return columns.reshape<Tensor3D>([-1, RESIZED_SIDE, RESIZED_SIDE]);
  });
}

/**
 * The transform of VGG16 and AlexNet, on the device: {@linkcode resize224}, the same grey in three
 * channels, / 255, minus ImageNet's means, over its standard deviations, in float32 and in that order:
 * torchvision's values to the bit.
 *
 * Where a compiled function convolves them in bfloat16, TensorFlow may round them to it here already,
 * to the same effect.
 *
 * @param pixels float32 `[n, 784]`, whole numbers 0..255.
 * @returns float32 `[n, 224, 224, 3]`.
 */
export function normalizeRgb224(pixels: Tensor): Tensor4D {
  return normalize224(pixels, IMAGENET_NORMALIZATION);
}

/**
 * {@linkcode normalizeRgb224} without the normalisation, for models that have one of their own.
 *
 * @param pixels float32 `[n, 784]`, whole numbers 0..255.
 * @returns float32 `[n, 224, 224, 3]`, 0..1.
 */
export function toTensorRgb224(pixels: Tensor): Tensor4D {
  return tf.tidy(() =>
    resize224(pixels).expandDims<Tensor4D>(3).div<Tensor4D>(255).tile([1, 1, 1, 3])
  );
}

/**
 * {@linkcode normalizeRgb224} for models of one input channel: the mean is that of ImageNet's three
 * (0.449), and so is the standard deviation (0.226).
 *
 * @param pixels float32 `[n, 784]`, whole numbers 0..255.
 * @returns float32 `[n, 224, 224, 1]`.
 */
export function normalizeGrey224(pixels: Tensor): Tensor4D {
  return normalize224(pixels, IMAGENET_GREY);
}

/**
 * Images as VGG16 and AlexNet take them.
 *
 * @param images Grey values 0..255, `[n * 784]`.
 * @returns float32 `[n, 224, 224, 3]`; see {@linkcode normalizeRgb224}.
 * @throws {RangeError} If the length is not a multiple of 784.
 */
export function rgb224(images: Uint8Array): Tensor4D {
  return transformImages(images, normalizeRgb224);
}

/**
 * What a part of an image decides after {@linkcode resize224}: half a pixel more on each side, within
 * the image.
 */
export function resizedBox({ left, top, width, height }: Box): Box {
  const stretch = (start: number, length: number) => {
    const first = Math.max(0, SCALE * start - SCALE / 2);
    return [first, Math.min(RESIZED_SIDE, SCALE * (start + length) + SCALE / 2) - first] as const;
  };
  const [resizedLeft, resizedWidth] = stretch(left, width);
  const [resizedTop, resizedHeight] = stretch(top, height);
  return { left: resizedLeft, top: resizedTop, width: resizedWidth, height: resizedHeight };
}

/**
 * Eight times as many rows: `[n, 28, width]` to `[n, 28, 8, width]`, rounded to whole numbers.
 *
 * New row 8 i + p lies at i + (p - 3.5) / 8 of the old ones. Half of them (p < 4) come before row i
 * and are mixed from it and the one above, the others from it and the one below; at the edges there is
 * only row i.
 */
function enlarge(x: Tensor): Tensor {
  const [, , width] = x.shape as [number, number, number];
  const row = x.reshape([-1, IMAGE_SIDE, 1, width]);
  const last = IMAGE_SIDE - 1;
  const above = tf.concat([row.slice([0, 0], [-1, 1]), row.slice([0, 0], [-1, last])], 1);
  const below = tf.concat([row.slice([0, 1], [-1, last]), row.slice([0, last], [-1, 1])], 1);
  const weightsAbove = tf.tensor([7, 5, 3, 1].map((weight) => weight / 16), [4, 1]);
  const weightsBelow = tf.tensor([1, 3, 5, 7].map((weight) => weight / 16), [4, 1]);
  const mixed = [
    row.add(above.sub(row).mul(weightsAbove)), // p = 0..3
    row.add(below.sub(row).mul(weightsBelow)), // p = 4..7
  ];
  // By way of integers, as floor() would be taken for an op that may as well run in bfloat16.
  return tf.concat(mixed, 2).add(0.5).toInt().toFloat();
}

/** Looks up what each grey value becomes, which is quicker than computing it for every pixel. */
function normalize224(pixels: Tensor, { mean, std }: Normalization): Tensor4D {
  const { fround } = Math;
  const table = Array.from(
    { length: 256 },
    (_, grey) =>
      mean.map((m, i) => fround(fround(fround(grey / 255) - fround(m)) / fround(std[i]!))),
  );
  return tf.tidy(() =>
    tf.gather<Tensor>(tf.tensor2d(table), resize224(pixels).toInt()) as Tensor4D
  );
}
