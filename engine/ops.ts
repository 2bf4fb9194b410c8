/**
 * TensorFlow ops that tfjs lacks or takes apart, with their gradients, for models and training.
 *
 * They run eagerly and inside compiled functions alike.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { OpAttribute } from "./tensorflow/attributes.ts";
import { AttrType, DataType } from "./tensorflow/c_enums.ts";
import { currentBackend } from "./tensorflow/backend.ts";

const FLOAT: OpAttribute = { name: "T", type: AttrType.TYPE, value: DataType.FLOAT };

/**
 * `x + bias` over the last axis, as one op each way.
 *
 * @param x float32 `[..., channels]`.
 * @param bias float32 `[channels]`.
 */
export function biasAdd<T extends tf.Tensor>(x: T, bias: tf.Tensor1D): T {
  return withGradient(
    [x, bias],
    () => runOne("BiasAdd", [FLOAT], [x, bias]),
    (dy) => [dy, runOne("BiasAddGrad", [FLOAT], [dy])],
  ) as T;
}

/** `max(x, 0)`, with TensorFlow's own gradient op. */
export function relu<T extends tf.Tensor>(x: T): T {
  return withGradient([x], (save) => {
    const y = runOne("Relu", [FLOAT], [x]);
    save([y]);
    return y;
  }, (dy, [y]) => [runOne("ReluGrad", [FLOAT], [dy, y!])]) as T;
}

/**
 * Softmax cross-entropy of each row.
 *
 * @param logits float32 `[n, classes]`.
 * @param labels int32 `[n]`, each 0..classes-1.
 * @returns float32 `[n]`, natural logarithm; `torch.nn.functional.cross_entropy` without reduction.
 */
export function sparseSoftmaxCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  const attributes = [FLOAT, { name: "Tlabels", type: AttrType.TYPE, value: DataType.INT32 }];
  const opName = "SparseSoftmaxCrossEntropyWithLogits";
  return withGradient([logits], (save) => {
    const [loss, gradient] = currentBackend().run(opName, attributes, [logits, labels], 2);
    save([gradient!]);
    return loss!;
  }, (dy, [gradient]) => [gradient!.mul(dy.expandDims(1))]) as tf.Tensor1D;
}

/**
 * Uniform random numbers in [0, 1), a pure function of `key` (Philox counter-based generator).
 *
 * @param key int32 `[2]`; a different one for each use.
 * @returns float32 of that shape.
 */
export function randomUniform(shape: number[], key: tf.Tensor1D): tf.Tensor {
  return statelessRandom("StatelessRandomUniform", shape, key);
}

/**
 * Standard normal random numbers, a pure function of `key` like {@linkcode randomUniform}'s.
 *
 * @param key int32 `[2]`; a different one for each use.
 * @returns float32 of that shape.
 */
export function randomNormal(shape: number[], key: tf.Tensor1D): tf.Tensor {
  return statelessRandom("StatelessRandomNormal", shape, key);
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

/**
 * Gathers rows of an 8-bit tensor and widens them.
 *
 * @param bytes An 8-bit tensor of `TensorFlowBackend.uint8Tensor`, `[n, ...]`.
 * @param indices int32 `[m]`, each 0..n-1.
 * @returns `[m, ...]` of `dtype`, values 0..255.
 */
export function gatherBytes(
  bytes: tf.Tensor,
  indices: tf.Tensor1D,
  dtype: "float32" | "int32" = "float32",
): tf.Tensor {
  const target = dtype === "float32" ? DataType.FLOAT : DataType.INT32;
  return tf.tidy(() => {
    const axis = tf.scalar(0, "int32");
    const rows = runOne("GatherV2", [
      { name: "Tparams", type: AttrType.TYPE, value: DataType.UINT8 },
      { name: "Tindices", type: AttrType.TYPE, value: DataType.INT32 },
      { name: "Taxis", type: AttrType.TYPE, value: DataType.INT32 },
      { name: "batch_dims", type: AttrType.INT, value: 0 },
    ], [bytes, indices, axis]);
    return runOne("Cast", [
      { name: "SrcT", type: AttrType.TYPE, value: DataType.UINT8 },
      { name: "DstT", type: AttrType.TYPE, value: target },
      { name: "Truncate", type: AttrType.BOOL, value: false },
    ], [rows]);
  });
}

/** Puts 8-bit values on the device, where they stay 8-bit; see {@linkcode gatherBytes}. */
export function bytesTensor(values: Uint8Array, shape: number[]): tf.Tensor {
  return currentBackend().uint8Tensor(values, shape);
}

/** Scalars of one Adam step, each a float32 tensor of shape `[]`. */
export interface AdamScalars {
  /** Step size with the bias corrections in it. */
  stepSize: tf.Scalar;
  /** Epsilon, scaled like the second moment's square root. */
  epsilon: tf.Scalar;
  /** Decay of the first moment. */
  beta1: tf.Scalar;
  /** Decay of the second moment. */
  beta2: tf.Scalar;
}

/**
 * One Adam update in place: `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g²`,
 * `parameter -= stepSize m / (sqrt(v) + epsilon)`.
 *
 * @param parameter The parameter; `m` and `v` its first and second moment, of the same shape.
 * @param gradient The gradient, any L2 term included.
 */
export function applyAdam(
  parameter: tf.Variable,
  m: tf.Variable,
  v: tf.Variable,
  gradient: tf.Tensor,
  { stepSize, epsilon, beta1, beta2 }: AdamScalars,
): void {
  tf.tidy(() => {
    // With both powers at 0 the op applies no bias correction of its own.
    const none = tf.scalar(0);
    currentBackend().update(
      "ResourceApplyAdam",
      [
        FLOAT,
        { name: "use_locking", type: AttrType.BOOL, value: false },
        { name: "use_nesterov", type: AttrType.BOOL, value: false },
      ],
      [parameter, m, v],
      [none, none, stepSize, beta1, beta2, epsilon, gradient],
    );
  });
}

/**
 * Changes part of a variable in place: `variable[..., start : start + k] = value`.
 *
 * @param variable float32 `[..., n]`.
 * @param value float32 `[..., k]`, the axes before the last as long as the variable's.
 * @param start Index along the last axis; `start + k <= n`.
 */
export function assignSlice(variable: tf.Variable, value: tf.Tensor, start: number): void {
  const masks = ["begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"];
  const last = variable.rank - 1;
  tf.tidy(() => {
    const begin = tf.tensor1d(variable.shape.map((_, axis) => (axis < last ? 0 : start)), "int32");
    const end = begin.add(tf.tensor1d(value.shape, "int32"));
    const strides = tf.onesLike(begin);
    currentBackend().update(
      "ResourceStridedSliceAssign",
      [
        FLOAT,
        { name: "Index", type: AttrType.TYPE, value: DataType.INT32 },
        ...masks.map((name) => ({ name, type: AttrType.INT, value: 0 })),
      ],
      [variable],
      [begin, end, strides, value],
    );
  });
}

function statelessRandom(opName: string, shape: number[], key: tf.Tensor1D): tf.Tensor {
  return tf.tidy(() =>
    runOne(opName, [
      { name: "dtype", type: AttrType.TYPE, value: DataType.FLOAT },
      { name: "T", type: AttrType.TYPE, value: DataType.INT32 },
      { name: "Tseed", type: AttrType.TYPE, value: DataType.INT32 },
    ], [tf.tensor1d(shape, "int32"), key])
  );
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

function runOne(
  opName: string,
  attributes: readonly OpAttribute[],
  inputs: readonly tf.Tensor[],
): tf.Tensor {
  return currentBackend().run(opName, attributes, inputs)[0]!;
}
