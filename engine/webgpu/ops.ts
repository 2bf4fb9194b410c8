/**
 * The operations beyond tfjs' own as programs of the device.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { BackendOps } from "../backend.ts";
import { composedOps } from "../portable/composed_ops.ts";
import { type KernelArguments, registerKernel } from "../portable/kernel_calls.ts";
import {
  type ApplyAdamArguments,
  type AssignSliceArguments,
  type BiasAddGradArguments,
  type GatherUint8Arguments,
  kernelOps,
} from "../portable/kernel_ops.ts";
import type { WebGpuKernels } from "./kernels.ts";
import { BACKEND } from "./package.ts";
import {
  APPLY_ADAM,
  ASSIGN_SLICE,
  gatherUint8 as gatherUint8Program,
  RANDOM_UNIFORM,
  RELU_GRAD,
  SPARSE_SOFTMAX_CROSS_ENTROPY,
  THREADS,
} from "./programs.ts";
import { sumRows } from "./sum_rows.ts";

type ReluGrad = KernelArguments<{ dy: tf.TensorInfo; y: tf.TensorInfo }, unknown, WebGpuKernels>;

type CrossEntropy = KernelArguments<
  { logits: tf.TensorInfo; labels: tf.TensorInfo },
  unknown,
  WebGpuKernels
>;

type RandomUniform = KernelArguments<{ key: tf.TensorInfo }, { shape: number[] }, WebGpuKernels>;

/** Workgroups in a row: WebGPU allows 65,535. */
const MAX_WORKGROUPS = 32_768;

/** Numbers that the generator makes of one counter. */
const NUMBERS_PER_COUNTER = 4;

/** Registers the kernels of {@linkcode webGpuOps}. */
export function registerPrograms(): void {
  registerKernel(BACKEND, "BiasAddGrad", biasAddGrad);
  registerKernel(BACKEND, "GatherUint8", gatherUint8);
  registerKernel(BACKEND, "ApplyAdam", applyAdam);
  registerKernel(
    BACKEND,
    "AssignSlice",
    ({ inputs, attrs: { start }, backend }: AssignSliceArguments<WebGpuKernels>) => {
      assignSlice(backend, inputs, start);
      return [];
    },
  );
  registerKernel(BACKEND, "ReluGrad", reluGrad);
  registerKernel(BACKEND, "SparseSoftmaxCrossEntropy", sparseSoftmaxCrossEntropy);
  registerKernel(BACKEND, "RandomUniform", randomUniform);
}

/** The operations on the kernels of a device. */
export function webGpuOps(kernels: WebGpuKernels): BackendOps {
  const run = <T extends tf.Tensor | tf.Tensor[]>(
    name: string,
    inputs: Record<string, tf.Tensor>,
    attrs: tf.NamedAttrMap = {},
  ) => tf.engine().runKernel<T>(name, inputs, attrs);
  return {
    ...composedOps(kernels),
    ...kernelOps(kernels),
    reluGrad: (dy, y) => run("ReluGrad", { dy, y }),
    sparseSoftmaxCrossEntropy: (logits, labels) =>
      run<[tf.Tensor, tf.Tensor]>("SparseSoftmaxCrossEntropy", { logits, labels }),
    statelessRandomUniform: (shape, key) => run("RandomUniform", { key }, { shape: [...shape] }),
    uint8Tensor: (values, shape) => uint8Tensor(kernels, values, shape),
  };
}

/** Four bytes to a word. Only `GatherUint8` reads them. */
function uint8Tensor(
  kernels: WebGpuKernels,
  values: Uint8Array,
  shape: readonly number[],
): tf.Tensor {
  const words = new Int32Array(wordsOf(values.length));
  new Uint8Array(words.buffer).set(values);
  const dataId = kernels.write(words, [words.length], "int32");
  return tf.engine().makeTensorFromDataId(dataId, [...shape], "int32", kernels);
}

/** How many words 8-bit values lie in; a program cannot be bound to none. */
function wordsOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 4));
}

function biasAddGrad(
  { inputs: { dy }, backend }: BiasAddGradArguments<WebGpuKernels>,
): tf.TensorInfo {
  return sumRows(backend, dy, dy.shape.slice(-1));
}

function gatherUint8(
  { inputs: { bytes, indices }, attrs: { dtype }, backend }: GatherUint8Arguments<WebGpuKernels>,
): tf.TensorInfo {
  const [rows, ...rest] = bytes.shape as [number, ...number[]];
  for (const index of backend.readSync(indices.dataId) as Int32Array) {
    if (!(index >= 0 && index < rows)) {
      throw new RangeError(`Cannot gather row ${index} of ${rows}`);
    }
  }
  const width = tf.util.sizeFromShape(rest);
  const result = backend.makeTensorInfo([...indices.shape, ...rest], dtype);
  const count = tf.util.sizeFromShape(result.shape);
  const program = backend.program(gatherUint8Program(dtype === "float32" ? "f32" : "i32"));
  for (const words of backend.elementRanges({ shape: [wordsOf(rows * width)] })) {
    backend.run({
      program,
      written: [],
      read: [bytes],
      whole: [result, indices],
      elements: words,
      uniforms: Uint32Array.of(count, width, words.start, words.count).buffer,
      workgroups: workgroupsOf(count),
    });
  }
  return result;
}

function applyAdam({ inputs, backend }: ApplyAdamArguments<WebGpuKernels>): tf.TensorInfo[] {
  const { parameter, m, v, gradient, stepSize, epsilon, beta1, beta2, weightDecay } = inputs;
  const settings = [stepSize, epsilon, beta1, beta2, weightDecay].map((scalar) =>
    scalar === undefined ? 0 : (backend.readSync(scalar.dataId) as Float32Array)[0]!
  );
  for (const elements of backend.elementRanges(parameter)) {
    const uniforms = new ArrayBuffer(24);
    new Uint32Array(uniforms)[0] = elements.count;
    new Float32Array(uniforms).set(settings, 1);
    backend.run({
      program: backend.program(APPLY_ADAM),
      written: [parameter, m, v],
      read: [gradient],
      uniforms,
      workgroups: workgroupsOf(elements.count),
      elements,
    });
  }
  return [];
}

/** `variable[..., start : start + k] = value`, in place. */
export function assignSlice(
  backend: WebGpuKernels,
  { variable, value }: AssignSliceArguments<WebGpuKernels>["inputs"],
  start: number,
): void {
  const count = tf.util.sizeFromShape(value.shape);
  backend.run({
    program: backend.program(ASSIGN_SLICE),
    written: [variable],
    read: [value],
    uniforms: Uint32Array.of(count, start, value.shape.at(-1)!, variable.shape.at(-1)!).buffer,
    workgroups: workgroupsOf(count),
  });
}

function reluGrad({ inputs: { dy, y }, backend }: ReluGrad): tf.TensorInfo {
  const result = backend.makeTensorInfo(dy.shape, "float32");
  const count = tf.util.sizeFromShape(dy.shape);
  backend.run({
    program: backend.program(RELU_GRAD),
    written: [result],
    read: [dy, y],
    uniforms: Uint32Array.of(count).buffer,
    workgroups: workgroupsOf(count),
  });
  return result;
}

function sparseSoftmaxCrossEntropy(
  { inputs: { logits, labels }, backend }: CrossEntropy,
): tf.TensorInfo[] {
  const [rows, classes] = logits.shape as [number, number];
  const loss = backend.makeTensorInfo([rows], "float32");
  const gradient = backend.makeTensorInfo([rows, classes], "float32");
  backend.run({
    program: backend.program(SPARSE_SOFTMAX_CROSS_ENTROPY),
    written: [loss, gradient],
    read: [logits, labels],
    uniforms: Uint32Array.of(rows, classes).buffer,
    workgroups: workgroupsOf(rows),
  });
  return [loss, gradient];
}

function randomUniform(
  { inputs: { key }, attrs: { shape }, backend }: RandomUniform,
): tf.TensorInfo {
  const result = backend.makeTensorInfo(shape, "float32");
  for (const elements of backend.elementRanges(result)) {
    const { start, count } = elements;
    backend.run({
      program: backend.program(RANDOM_UNIFORM),
      written: [result],
      read: [],
      whole: [key],
      uniforms: Uint32Array.of(count, start / NUMBERS_PER_COUNTER).buffer,
      workgroups: workgroupsOf(Math.ceil(count / NUMBERS_PER_COUNTER)),
      elements,
    });
  }
  return result;
}

/** Workgroups for so many threads, in rows. */
export function workgroupsOf(threads: number): [x: number, y: number] {
  const groups = Math.max(1, Math.ceil(threads / THREADS));
  const rows = Math.ceil(groups / MAX_WORKGROUPS);
  return [Math.ceil(groups / rows), rows];
}
