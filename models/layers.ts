/**
 * Layers as functions, named and defined as PyTorch's, on `[n, h, w, c]` images.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { biasAdd, relu } from "../engine/ops.ts";
import type { Parameters } from "./parameters.ts";

/**
 * `torch.nn.Conv2d` with stride 1 and padding that keeps the size, ReLU, and `torch.nn.MaxPool2d(2)`.
 *
 * The maximum is taken first, then bias and ReLU are applied to it: both keep the order of the
 * pixels of a channel, rounding included, so the result is the same to the bit, for a quarter of
 * the work. A gradient can differ where two pixels become equal only by adding the bias: it goes to
 * the one that was larger before, where PyTorch takes the first.
 *
 * @param x float32 `[n, h, w, in]`.
 * @param name Prefix of the convolution's `weight` and `bias`.
 * @returns float32 `[n, floor(h / 2), floor(w / 2), out]`.
 */
export function conv2dReluMaxPool(
  x: tf.Tensor4D,
  parameters: Parameters,
  name: string,
): tf.Tensor4D {
  const weight = parameters.get(`${name}.weight`) as tf.Tensor as tf.Tensor4D;
  const bias = parameters.get(`${name}.bias`) as tf.Tensor as tf.Tensor1D;
  const pooled = tf.maxPool(tf.conv2d(x, weight, 1, "same"), 2, 2, "valid");
  return relu(biasAdd(pooled, bias));
}

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
