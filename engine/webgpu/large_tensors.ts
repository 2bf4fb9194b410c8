/**
 * Tensors that are larger than what a program may be given at once: piece by piece.
 *
 * WebGPU limits what a program is bound to, by default to 128 MiB, and some adapters have no more. The
 * first linear layer of AlexNet has 151 MB of weights, VGG16's 411 MB.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import {
  type KernelArguments,
  KernelCalls,
  kernelOf,
  registerKernel,
} from "../portable/kernel_calls.ts";
import { conv2dInfo, type MatMulArguments } from "../portable/package_kernels.ts";
import { ELEMENT_BYTES, type WebGpuKernels } from "./kernels.ts";
import { assignSlice } from "./ops.ts";
import { BACKEND } from "./package.ts";

type Transpose = KernelArguments<{ x: tf.TensorInfo }, { perm: number[] }, WebGpuKernels>;

type Slice = KernelArguments<
  { x: tf.TensorInfo },
  { begin: number | number[]; size?: number | number[] },
  WebGpuKernels
>;

type Batched = KernelArguments<
  Record<string, tf.TensorInfo>,
  Record<string, unknown>,
  WebGpuKernels
>;

/** Kernels that treat each row of the first axis alone; a `filter` has none. */
const BATCHED = [
  ...["Conv2D", "MaxPool", "AvgPool"],
  ...["Relu", "Sqrt", "Neg", "Add", "Sub", "Multiply", "RealDiv"],
] as const;

/** Registers, in the place of the package's, kernels that take tensors of any size. */
export function registerLargeTensors(): void {
  const matMulOwn = kernelOf(BACKEND, "BatchMatMul");
  registerKernel(BACKEND, "BatchMatMul", (args: MatMulArguments<WebGpuKernels>) => {
    const { a, b } = args.inputs;
    const { transposeA, transposeB } = args.attrs;
    const shape = [a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
    const isPlain = [a, b].every(({ shape }) => shape.slice(0, -2).every((size) => size === 1));
    const isLarge = [a.shape, b.shape, shape].some((shape) => exceeds(args.backend, shape));
    if (!isPlain || !isLarge) return matMulOwn.kernelFunc(args as never) as tf.TensorInfo;
    using calls = new KernelCalls(BACKEND, args.backend);
    const [left, right] = [a, b].map((x) => calls.reshape(x, x.shape.slice(-2)));
    const product = new LargeMatMul(args.backend, matMulOwn).run(left!, right!, args.attrs);
    const rank = Math.max(a.shape.length, b.shape.length);
    if (rank === 2) return product;
    const result = calls.keep(
      calls.reshape(product, [...Array<number>(rank - 2).fill(1), ...shape]),
    );
    args.backend.disposeData(product.dataId);
    return result;
  });
  const transposeOwn = kernelOf(BACKEND, "Transpose");
  registerKernel(BACKEND, "Transpose", (args: Transpose) => {
    return exceeds(args.backend, args.inputs.x.shape)
      ? transposeOnHost(args)
      : transposeOwn.kernelFunc(args as never) as tf.TensorInfo;
  });
  const sliceOwn = kernelOf(BACKEND, "Slice");
  registerKernel(BACKEND, "Slice", (args: Slice) => {
    const { inputs: { x }, attrs, backend } = args;
    const { shape } = x;
    const [begin, size] = tf.slice_util.parseSliceParams(
      ...[x as tf.Tensor, attrs.begin, attrs.size] as const,
    ) as [number[], number[]];
    const isRows = shape.slice(1).every((length, i) => size[i + 1] === length);
    if (!isRows || !exceeds(backend, shape)) {
      return sliceOwn.kernelFunc(args as never) as tf.TensorInfo;
    }
    const width = tf.util.sizeFromShape(shape.slice(1));
    const rows = backend.makeTensorInfo(size, x.dtype);
    backend.copyElements(x, begin[0]! * width, rows, 0, size[0]! * width);
    return rows;
  });
  for (const name of BATCHED) {
    const own = kernelOf(BACKEND, name);
    registerKernel(BACKEND, name, (args: Batched) => {
      const { inputs, backend } = args;
      const shapes = Object.values(inputs).map(({ shape }) => shape);
      if (name === "Conv2D") shapes.push(convolvedShape(args));
      const isLarge = shapes.some((shape) => exceeds(backend, shape));
      if (!isLarge) return own.kernelFunc(args as never) as tf.TensorInfo;
      return batchwise(args, own, Math.min(...shapes.map((shape) => rowsThatFit(backend, shape))));
    });
  }
}

/** Whether a tensor of a shape is more than a program may be bound to. */
function exceeds({ largestBinding }: WebGpuKernels, shape: readonly number[]): boolean {
  return ELEMENT_BYTES * tf.util.sizeFromShape([...shape]) > largestBinding;
}

/** Products of two matrices of which one or more are too large, or the result is. */
class LargeMatMul {
  #backend: WebGpuKernels;
  #own: tf.KernelConfig;

  constructor(backend: WebGpuKernels, own: tf.KernelConfig) {
    this.#backend = backend;
    this.#own = own;
  }

  run(
    a: tf.TensorInfo,
    b: tf.TensorInfo,
    attrs: { transposeA: boolean; transposeB: boolean },
  ): tf.TensorInfo {
    const backend = this.#backend;
    const { transposeA, transposeB } = attrs;
    const [m, k] = transposeA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
    const n = b.shape[transposeB ? 0 : 1]!;
    using calls = new KernelCalls(BACKEND, backend);
    const large = [[m, n], a.shape, b.shape].find((shape) => exceeds(backend, shape));
    // Where a row alone is too large, the package's kernel says what to do.
    if (large === undefined || !rowFits(backend, large)) {
      return calls.keep(calls.call(this.#own, { a, b }, attrs));
    }
    // A large one is cut into rows, as they lie; the other has to follow.
    const axis = large === a.shape && transposeA || large === b.shape && !transposeB
      ? "k"
      : large === b.shape
      ? "n"
      : "m";
    const length = { m, k, n }[axis];
    const step = rowsThatFit(backend, large);
    const result = calls.track(backend.makeTensorInfo([m, n], "float32"));
    let sum: tf.TensorInfo | undefined;
    for (let start = 0; start < length; start += step) {
      const count = Math.min(step, length - start);
      const place = { start, count };
      const left = axis === "n"
        ? a
        : cut(calls, backend, a, { axis: (axis === "k") === transposeA ? 0 : 1, ...place });
      const right = axis === "m"
        ? b
        : cut(calls, backend, b, { axis: (axis === "n") === transposeB ? 0 : 1, ...place });
      const part = calls.track(this.run(left, right, attrs));
      if (axis === "m") backend.copyElements(part, 0, result, start * n, count * n);
      else if (axis === "n") assignSlice(backend, { variable: result, value: part }, start);
      else sum = sum === undefined ? part : calls.run("Add", { a: sum, b: part });
    }
    return calls.keep(sum ?? result);
  }
}

/** Part of a matrix along an axis; along the first one it may be too large for a program. */
function cut(
  calls: KernelCalls,
  backend: WebGpuKernels,
  matrix: tf.TensorInfo,
  { axis, start, count }: { axis: 0 | 1; start: number; count: number },
): tf.TensorInfo {
  const [rows, columns] = matrix.shape as [number, number];
  if (axis === 0) {
    const part = calls.track(backend.makeTensorInfo([count, columns], matrix.dtype));
    backend.copyElements(matrix, start * columns, part, 0, count * columns);
    return part;
  }
  return calls.run("Slice", { x: matrix }, { begin: [0, start], size: [rows, count] });
}

function rowFits(backend: WebGpuKernels, shape: readonly number[]): boolean {
  return !exceeds(backend, shape.slice(1));
}

function rowsThatFit({ largestBinding }: WebGpuKernels, shape: readonly number[]): number {
  const rowBytes = ELEMENT_BYTES * tf.util.sizeFromShape(shape.slice(1));
  return Math.max(1, Math.floor(largestBinding / rowBytes));
}

function convolvedShape({ inputs, attrs }: Batched): number[] {
  type Arguments = Parameters<typeof conv2dInfo>;
  return conv2dInfo(inputs as Arguments[0], attrs as unknown as Arguments[1]).outShape;
}

/** A kernel on `step` rows after the other; at once where there is one, for which it says what to do. */
function batchwise(
  { inputs, attrs, backend }: Batched,
  own: tf.KernelConfig,
  step: number,
): tf.TensorInfo {
  const rank = Math.max(...Object.values(inputs).map(({ shape }) => shape.length));
  const isBatch = ([name, { shape }]: [string, tf.TensorInfo]) =>
    name !== "filter" && shape.length === rank && shape[0] !== 1;
  const batches = Object.entries(inputs).filter(isBatch);
  const rows = batches[0]?.[1].shape[0];
  using results = new KernelCalls(BACKEND, backend);
  if (rows === undefined) return results.keep(results.call(own, inputs, attrs));
  let whole: tf.TensorInfo | undefined;
  for (let start = 0; start < rows; start += step) {
    using calls = new KernelCalls(BACKEND, backend);
    const count = Math.min(step, rows - start);
    const some = { ...inputs };
    for (const [name, { shape, dtype }] of batches) {
      const part = calls.track(backend.makeTensorInfo([count, ...shape.slice(1)], dtype));
      const width = tf.util.sizeFromShape(shape.slice(1));
      backend.copyElements(inputs[name]!, start * width, part, 0, count * width);
      some[name] = part;
    }
    const part = calls.call(own, some, attrs);
    const rest = part.shape.slice(1);
    whole ??= results.track(backend.makeTensorInfo([rows, ...rest], part.dtype));
    const width = tf.util.sizeFromShape(rest);
    backend.copyElements(part, 0, whole, start * width, count * width);
  }
  return results.keep(whole!);
}

/** Weights are turned where they are read from a file: on the host, where they are. */
function transposeOnHost({ inputs: { x }, attrs: { perm }, backend }: Transpose): tf.TensorInfo {
  const from = backend.readSync(x.dataId) as tf.TypedArray;
  const shape = perm.map((axis) => x.shape[axis]!);
  const to = new (from.constructor as Float32ArrayConstructor)(from.length);
  const strides = tf.util.computeStrides(x.shape).concat(1);
  const steps = perm.map((axis) => strides[axis]!);
  const inner = steps.length - 1;
  const place = new Array<number>(shape.length).fill(0);
  let base = 0;
  for (let i = 0; i < to.length; i += shape[inner]!) {
    for (let j = 0; j < shape[inner]!; j++) to[i + j] = from[base + j * steps[inner]!]!;
    for (let axis = inner - 1; axis >= 0; axis--) {
      base += steps[axis]!;
      if (++place[axis]! < shape[axis]!) break;
      base -= shape[axis]! * steps[axis]!;
      place[axis] = 0;
    }
  }
  return backend.makeTensorInfo(shape, x.dtype, to);
}
