/**
 * Layers as functions, named and defined as PyTorch's, on `[n, h, w, c]` images.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { biasAdd, relu } from "../engine/ops.ts";
import type { Parameters } from "./parameters.ts";

/**
 * `torch.nn.Linear`.
 *
 * @param x float32 `[n, in]`.
 * @param name Prefix of the layer's `weight` and `bias`.
 * @returns float32 `[n, out]`.
 */
export function linear(x: tf.Tensor2D, parameters: Parameters, name: string): tf.Tensor2D {
  const weight = parameters.get(`${name}.weight`) as tf.Tensor as tf.Tensor2D;
  const bias = parameters.get(`${name}.bias`) as tf.Tensor as tf.Tensor1D;
  return biasAdd(tf.matMul(x, weight), bias);
}

export interface Conv2dOptions {
  /** @default {1} */
  stride?: number;
  /**
   * Zeros added on every side, or above and below and on the left and right.
   *
   * @default {0}
   */
  padding?: number | readonly [rows: number, columns: number];
}

/**
 * `torch.nn.Conv2d` without its bias.
 *
 * @param x float32 `[n, h, w, in]`.
 * @param name Prefix of the convolution's `weight`.
 * @returns float32 `[n, floor((h + 2 padding - k) / stride) + 1, likewise, out]`.
 * @throws {RangeError} If an image with its padding is smaller than the kernel.
 */
function conv2d(
  x: tf.Tensor4D,
  parameters: Parameters,
  name: string,
  options: Conv2dOptions = {},
): tf.Tensor4D {
  const { stride = 1, padding = 0 } = options;
  const weight = parameters.get(`${name}.weight`) as tf.Tensor as tf.Tensor4D;
  const [rows, columns] = typeof padding === "number" ? [padding, padding] : padding;
  const [height, width] = weight.shape;
  requireSize("convolve", x, [height - 2 * rows, width - 2 * columns]);
  // tfjs has a gradient of the form that keeps the size, but none of explicit padding.
  if (
    stride === 1 && [rows, columns].every((zeros, axis) => 2 * zeros + 1 === weight.shape[axis])
  ) {
    return tf.conv2d(x, weight, 1, "same");
  }
  const zeros: tf.backend_util.ExplicitPadding = [[0, 0], [rows, rows], [columns, columns], [0, 0]];
  return tf.conv2d(x, weight, stride, zeros, "NHWC", 1, "floor");
}

/**
 * `torch.nn.Conv2d` and ReLU, of which TensorFlow makes one op in compiled functions in bfloat16. (In
 * float32 its optimiser stays away: with it a training step took no less time, the detector 1.5 % less.)
 *
 * @param x float32 `[n, h, w, in]`.
 * @param name Prefix of the convolution's `weight` and `bias`.
 * @returns As {@linkcode conv2d}.
 */
export function conv2dRelu(
  x: tf.Tensor4D,
  parameters: Parameters,
  name: string,
  options: Conv2dOptions = {},
): tf.Tensor4D {
  const bias = parameters.get(`${name}.bias`) as tf.Tensor as tf.Tensor1D;
  return tf.tidy(() => relu(biasAdd(conv2d(x, parameters, name, options), bias)));
}

/** Options of {@linkcode conv2dReluMaxPool}. */
export interface Conv2dReluMaxPoolOptions extends Conv2dOptions {
  /**
   * Zeros added on every side, or above and below and on the left and right.
   *
   * @default {what keeps the size of an image, with an odd kernel and stride 1}
   */
  padding?: number | readonly [rows: number, columns: number];
  /**
   * Height and width of what a maximum is taken of, and the way from one to the next.
   *
   * @default {{ size: 2, stride: 2 }}
   */
  pool?: { size: number; stride: number };
}

/**
 * `torch.nn.Conv2d`, ReLU, and `torch.nn.MaxPool2d` without padding.
 *
 * The maximum is taken first, then bias and ReLU are applied to it: both keep the order of the
 * pixels of a channel, rounding included, so the result is the same to the bit, for a fraction of
 * the work. A gradient can differ where two pixels become equal only by adding the bias: it goes to
 * the one that was larger before, where PyTorch takes the first.
 *
 * @param x float32 `[n, h, w, in]`.
 * @param name Prefix of the convolution's `weight` and `bias`.
 * @returns float32 `[n, floor((h' - size) / stride) + 1, likewise, out]` of a convolution of height h'.
 */
export function conv2dReluMaxPool(
  x: tf.Tensor4D,
  parameters: Parameters,
  name: string,
  options: Conv2dReluMaxPoolOptions = {},
): tf.Tensor4D {
  const { pool = { size: 2, stride: 2 }, ...convolution } = options;
  const [height, width] = parameters.get(`${name}.weight`).shape as [number, number];
  const padding = [(height - 1) / 2, (width - 1) / 2] as const;
  const bias = parameters.get(`${name}.bias`) as tf.Tensor as tf.Tensor1D;
  return tf.tidy(() => {
    const y = conv2d(x, parameters, name, { padding, ...convolution });
    return relu(biasAdd(maxPool2d(y, pool.size, pool.stride), bias));
  });
}

/**
 * `torch.nn.MaxPool2d`, without padding.
 *
 * @param x float32 `[n, h, w, c]`.
 * @returns float32 `[n, floor((h - size) / stride) + 1, likewise, c]`.
 * @throws {RangeError} If `x` is lower or narrower than `size`, so that there would be no maximum.
 */
export function maxPool2d(x: tf.Tensor4D, size: number, stride: number): tf.Tensor4D {
  requireSize("pool", x, [size, size]);
  return tf.maxPool(x, size, stride, "valid");
}

/** Refuses maps of too small images, of which PyTorch makes nothing either. */
function requireSize(
  action: string,
  { shape: [, height, width] }: tf.Tensor4D,
  [least, leastWidth]: readonly [height: number, width: number],
): void {
  if (height >= least && width >= leastWidth) return;
  throw new RangeError(
    `Cannot ${action} as maps must have at least ${least} × ${leastWidth} pixels: current size is ` +
      `${height} × ${width}, from images that are too small`,
  );
}

/**
 * `torch.nn.AdaptiveAvgPool2d`: output row i is the mean of the rows from floor(i h / size) to before
 * ceil((i + 1) h / size), columns likewise.
 *
 * @param x float32 `[n, h, w, c]`.
 * @returns float32 `[n, size, size, c]`; `x` itself where it has that size.
 */
export function adaptiveAvgPool2d(x: tf.Tensor4D, size: number): tf.Tensor4D {
  return tf.tidy(() => averageBins(averageBins(x, 1, size), 2, size));
}

/** Means over `bins` stretches of an axis. */
function averageBins(x: tf.Tensor4D, axis: 1 | 2, bins: number): tf.Tensor4D {
  const length = x.shape[axis];
  if (length === bins) return x;
  const means = Array.from({ length: bins }, (_, bin) => {
    const start = Math.floor(bin * length / bins);
    const end = Math.ceil((bin + 1) * length / bins);
    const from = x.shape.map((_, dimension) => (dimension === axis ? start : 0));
    const size = x.shape.map((all, dimension) => (dimension === axis ? end - start : all));
    return x.slice(from, size).mean(axis, true);
  });
  return tf.concat(means, axis) as tf.Tensor4D;
}
