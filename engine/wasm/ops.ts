/**
 * The operations beyond tfjs' own on WebAssembly: composed of its kernels, and those that would copy
 * much for little work in the memory of the module.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm/dist/backend_wasm.js";
import type { BackendOps } from "../backend.ts";
import { composedOps } from "../portable/composed_ops.ts";
import { floats, forgetPackedCopy, integers } from "./heap.ts";
import { registerKernel } from "../portable/kernel_calls.ts";
import {
  type ApplyAdamArguments,
  type AssignSliceArguments,
  type BiasAddGradArguments,
  type GatherUint8Arguments,
  kernelOps,
} from "../portable/kernel_ops.ts";
import { BACKEND } from "./package.ts";

/** Registers the kernels of {@linkcode kernelOps}. As such they are refused where all others are. */
export function registerHeapKernels(): void {
  registerKernel(BACKEND, "BiasAddGrad", biasAddGrad);
  registerKernel(BACKEND, "GatherUint8", gatherUint8);
  registerKernel(BACKEND, "ApplyAdam", applyAdam);
  registerKernel(BACKEND, "AssignSlice", assignSlice);
}

/** The operations on a backend. */
export function wasmOps(backend: BackendWasm): BackendOps {
  return {
    ...composedOps(backend),
    ...kernelOps(backend),
    // A bool has 8 bits here, and its values are not looked at.
    uint8Tensor: (values, shape) => tf.tensor(values, [...shape], "bool"),
  };
}

/** Sums in float64, column by column. */
function biasAddGrad(
  { inputs: { dy }, backend }: BiasAddGradArguments<BackendWasm>,
): tf.TensorInfo {
  const channels = dy.shape.at(-1)!;
  const result = backend.makeOutput([channels], "float32");
  const values = floats(backend, dy);
  const sums = new Float64Array(channels);
  for (let start = 0; start < values.length; start += channels) {
    for (let channel = 0; channel < channels; channel++) {
      sums[channel]! += values[start + channel]!;
    }
  }
  floats(backend, result).set(sums);
  return result;
}

function gatherUint8(
  { inputs, attrs: { dtype }, backend }: GatherUint8Arguments<BackendWasm>,
): tf.TensorInfo {
  const { bytes, indices } = inputs;
  const [count, ...rest] = bytes.shape as [number, ...number[]];
  const width = tf.util.sizeFromShape(rest);
  const result = backend.makeOutput([...indices.shape, ...rest], dtype);
  const from = backend.typedArrayFromHeap(bytes) as Uint8Array;
  const to = backend.typedArrayFromHeap(result);
  for (const [row, index] of integers(backend, indices).entries()) {
    if (!(index >= 0 && index < count)) {
      throw new RangeError(`Cannot gather row ${index} of ${count}`);
    }
    to.set(from.subarray(index * width, (index + 1) * width), row * width);
  }
  return result;
}

function applyAdam({ inputs, backend }: ApplyAdamArguments<BackendWasm>): tf.TensorInfo[] {
  const { parameter, m: mean, v: square } = inputs;
  const [stepSize, epsilon, beta1, beta2] = [
    ...[inputs.stepSize, inputs.epsilon, inputs.beta1, inputs.beta2],
  ].map((scalar) => floats(backend, scalar)[0]!) as [number, number, number, number];
  const [p, m, v, g] = [parameter, mean, square, inputs.gradient].map((one) =>
    floats(backend, one)
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const decay = inputs.weightDecay === undefined ? 0 : floats(backend, inputs.weightDecay)[0]!;
  const { fround } = Math;
  const rate1 = fround(1 - beta1);
  const rate2 = fround(1 - beta2);
  for (let i = 0; i < p.length; i++) {
    const gradient = decay === 0 ? g[i]! : fround(g[i]! + fround(p[i]! * decay));
    // TensorFlow's formula, in which a moment moves by what it lacks.
    const first = m[i]! + (gradient - m[i]!) * rate1;
    const second = v[i]! + (gradient * gradient - v[i]!) * rate2;
    m[i] = first;
    v[i] = second;
    p[i]! -= stepSize * first / (Math.sqrt(second) + epsilon);
  }
  for (const one of [parameter, mean, square]) forgetPackedCopy(backend, one);
  return [];
}

function assignSlice(
  { inputs, attrs: { start }, backend }: AssignSliceArguments<BackendWasm>,
): tf.TensorInfo[] {
  const { variable, value } = inputs;
  const [all, part] = [variable, value].map((tensor) => tensor.shape.at(-1)!) as [number, number];
  const to = floats(backend, variable);
  const from = floats(backend, value);
  for (let row = 0; row * part < from.length; row++) {
    to.set(from.subarray(row * part, (row + 1) * part), row * all + start);
  }
  forgetPackedCopy(backend, variable);
  return [];
}
