/**
 * Operations that tfjs lacks or takes apart, with their gradients, for models and training.
 *
 * They run on the running engine, eagerly and inside compiled functions alike. Gradients have gradients
 * too.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { type AdamScalars, type AdamState, runningBackend } from "./backend.ts";

export type { AdamScalars, AdamState } from "./backend.ts";
export type * from "./tensors.ts";

/**
 * `x + bias` over the last axis, as one op each way.
 *
 * @param x float32 `[..., channels]`.
 * @param bias float32 `[channels]`.
 */
export function biasAdd<T extends tf.Tensor>(x: T, bias: tf.Tensor1D): T {
  const { ops } = runningBackend();
  return withGradient(
    [x, bias],
    () => ops.biasAdd(x, bias),
    (dy) => [dy, biasAddGrad(dy)],
  ) as T;
}

function biasAddGrad(dy: tf.Tensor): tf.Tensor {
  const { ops } = runningBackend();
  return withGradient(
    [dy],
    () => ops.biasAddGrad(dy),
    (above) => [tf.broadcastTo(above, dy.shape)],
  );
}

/** `max(x, 0)`, as one op each way. */
export function relu<T extends tf.Tensor>(x: T): T {
  const { ops } = runningBackend();
  return withGradient([x], (save) => {
    const y = ops.relu(x);
    save([y]);
    return y;
  }, (dy, [y]) => [reluGrad(dy, y!)]) as T;
}

function reluGrad(dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const { ops } = runningBackend();
  return withGradient([dy], () => ops.reluGrad(dy, y), (above) => [reluGrad(above, y)]);
}

/**
 * Whether a convolution, {@linkcode biasAdd} and {@linkcode relu} become one op in a compiled function
 * with the running engine's number format: TensorFlow's graph optimiser, which is for bfloat16, sees to it.
 */
export function makesOneOpOfConv2dRelu(): boolean {
  return runningBackend().precision === "bfloat16";
}

/**
 * Softmax cross-entropy of each row.
 *
 * @param logits float32 `[n, classes]`.
 * @param labels int32 `[n]`, each 0..classes-1.
 * @returns float32 `[n]`, natural logarithm; `torch.nn.functional.cross_entropy` without reduction.
 */
export function sparseSoftmaxCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  const { ops } = runningBackend();
  return withGradient([logits], (save) => {
    const [loss, gradient] = ops.sparseSoftmaxCrossEntropy(logits, labels);
    save([gradient, logits, labels]);
    return loss;
  }, (dy, saved) => [crossEntropyGrad(saved).mul(dy.expandDims(1))]) as tf.Tensor1D;
}

/** The gradient that was computed with the losses, as the function of the logits that it is: softmax - truth. */
function crossEntropyGrad(saved: tf.Tensor[]): tf.Tensor {
  const [gradient, logits, labels] = saved as [tf.Tensor, tf.Tensor, tf.Tensor1D];
  return withGradient([logits], () => gradient.clone(), (above) => {
    const shares = crossEntropyGrad(saved).add(tf.oneHot(labels, logits.shape[1]!));
    return [shares.mul(above.sub(shares.mul(above).sum(1, true)))];
  });
}

/**
 * Uniform random numbers in [0, 1), a pure function of `key`.
 *
 * @param key int32 `[2]`; a different one for each use.
 * @returns float32 of that shape.
 */
export function randomUniform(shape: number[], key: tf.Tensor1D): tf.Tensor {
  return runningBackend().ops.statelessRandomUniform(shape, key);
}

/**
 * Standard normal random numbers, a pure function of `key` like {@linkcode randomUniform}'s.
 *
 * @param key int32 `[2]`; a different one for each use.
 * @returns float32 of that shape.
 */
export function randomNormal(shape: number[], key: tf.Tensor1D): tf.Tensor {
  return runningBackend().ops.statelessRandomNormal(shape, key);
}

/**
 * Zeroes elements with probability `rate` and scales the rest by `1 / (1 - rate)`, as
 * `torch.nn.functional.dropout` does in training.
 *
 * Which elements go is a pure function of `key`, so a step can be repeated to the bit.
 *
 * @param x float32.
 * @param rate 0 <= rate < 1.
 * @param key int32 `[2]`; a different one for each use.
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, key: tf.Tensor1D): T {
  if (!(rate >= 0 && rate < 1)) {
    throw new RangeError(
      `Cannot drop out elements as rate must be in [0, 1): current value is ${rate}`,
    );
  }
  if (rate === 0) return x;
  const mask = randomUniform(x.shape, key).greaterEqual(rate).cast("float32").mul(1 / (1 - rate));
  return x.mul(mask) as T;
}

/** Puts 8-bit values on the device, where they stay 8-bit; only {@linkcode gatherBytes} reads them. */
export function bytesTensor(values: Uint8Array, shape: readonly number[]): tf.Tensor {
  return runningBackend().ops.uint8Tensor(values, shape);
}

/**
 * Gathers rows of an 8-bit tensor and widens them.
 *
 * @param bytes `[n, ...]` of {@linkcode bytesTensor}.
 * @param indices int32 `[m]`, each 0..n-1.
 * @returns `[m, ...]` of `dtype`, values 0..255.
 */
export function gatherBytes(
  bytes: tf.Tensor,
  indices: tf.Tensor1D,
  dtype: "float32" | "int32" = "float32",
): tf.Tensor {
  return runningBackend().ops.gatherUint8(bytes, indices, dtype);
}

/**
 * Images moved, turned or stretched, with bilinear interpolation. The pixel at column x and row y comes
 * from column `a0 x + a1 y + a2` and row `b0 x + b1 y + b2` of the same image, and is 0 where that is
 * outside. It has no gradient.
 *
 * @param images float32 `[n, h, w, c]`.
 * @param transforms float32 `[n, 8]`: a0, a1, a2, b0, b1, b2, 0, 0.
 * @returns float32 `[n, h, w, c]`.
 */
export function warpImages(images: tf.Tensor4D, transforms: tf.Tensor2D): tf.Tensor4D {
  return runningBackend().ops.warpImages(images, transforms) as tf.Tensor4D;
}

/**
 * One Adam update in place: `g = gradient + weightDecay parameter`, `m = beta1 m + (1 - beta1) g`,
 * `v = beta2 v + (1 - beta2) g²`, `parameter -= stepSize m / (sqrt(v) + epsilon)`.
 *
 * @param gradient The gradient, of the parameter's shape.
 */
export function applyAdam(state: AdamState, gradient: tf.Tensor, scalars: AdamScalars): void {
  runningBackend().ops.applyAdam(state, gradient, scalars);
}

/**
 * Changes part of a variable in place: `variable[..., start : start + k] = value`.
 *
 * @param variable float32 `[..., n]`.
 * @param value float32 `[..., k]`, the axes before the last as long as the variable's.
 * @param start Index along the last axis; `start + k <= n`.
 */
export function assignSlice(variable: tf.Variable, value: tf.Tensor, start: number): void {
  runningBackend().ops.assignSlice(variable, value, start);
}

/** `tf.customGrad` with its pieces apart, which its own type cannot express. */
function withGradient(
  inputs: tf.Tensor[],
  forward: (save: tf.GradSaveFunc) => tf.Tensor,
  backward: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[],
): tf.Tensor {
  const op = tf.customGrad((...args: (tf.Tensor | tf.GradSaveFunc)[]) => ({
    value: forward(args.at(-1) as tf.GradSaveFunc),
    gradFunc: backward,
  }));
  return op(...inputs);
}
