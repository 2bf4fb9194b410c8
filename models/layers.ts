/**
 * Layers as functions, named and defined as PyTorch's, on `[n, h, w, c]` images.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { biasAdd } from "../engine/ops.ts";
import type { Parameters } from "./parameters.ts";

/**
 * `torch.nn.Conv2d` with stride 1 and padding that keeps the size.
 *
 * @param x float32 `[n, h, w, in]`.
 * @param name Prefix of the layer's `weight` and `bias`.
 * @returns float32 `[n, h, w, out]`.
 */
export function conv2dSame(x: tf.Tensor4D, parameters: Parameters, name: string): tf.Tensor4D {
  const weight = parameters.get(`${name}.weight`) as tf.Tensor as tf.Tensor4D;
  const bias = parameters.get(`${name}.bias`) as tf.Tensor as tf.Tensor1D;
  return biasAdd(tf.conv2d(x, weight, 1, "same"), bias);
}

/**
 * `torch.nn.MaxPool2d(2)`.
 *
 * @param x float32 `[n, h, w, c]`.
 * @returns float32 `[n, floor(h / 2), floor(w / 2), c]`.
 */
export function maxPool2d(x: tf.Tensor4D): tf.Tensor4D {
  return tf.maxPool(x, 2, 2, "valid");
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
