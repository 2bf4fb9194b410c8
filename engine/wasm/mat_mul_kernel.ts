/**
 * Products of matrices with every transposition made explicit: the package's kernel is fast only
 * where nothing is to be transposed.
 *
 * @module
 */

import type * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm/dist/backend_wasm.js";
import { KernelCalls, kernelOf, registerKernel } from "../portable/kernel_calls.ts";
import type { MatMulArguments } from "../portable/package_kernels.ts";
import { BACKEND } from "./package.ts";
import { withoutPackedCopy } from "./heap.ts";

/**
 * Bytes of a right-hand side from which on the package's packed copy is not kept for the next product:
 * beside the weights of VGG16, their gradients and Adam's moments there is no room for it.
 */
const LARGE = 64e6;

/** Registers it in the place of the package's own. */
export function registerMatMul(): void {
  const own = kernelOf(BACKEND, "BatchMatMul");
  registerKernel(BACKEND, "BatchMatMul", (args: MatMulArguments<BackendWasm>) => matMul(args, own));
}

function matMul(
  { inputs: { a, b }, attrs, backend }: MatMulArguments<BackendWasm>,
  own: tf.KernelConfig,
): tf.TensorInfo {
  using calls = new KernelCalls(BACKEND, backend);
  if (matrices(a) !== 1 || matrices(b) !== 1) {
    return calls.keep(calls.call(own, { a, b }, { ...attrs }));
  }
  const { transposeA, transposeB } = attrs;
  const [left, right] = [a, b].map((x) => calls.reshape(x, x.shape.slice(-2))) as [
    tf.TensorInfo,
    tf.TensorInfo,
  ];
  const swap = (x: tf.TensorInfo) => calls.transpose(x, [1, 0]);
  const product = (a: tf.TensorInfo, b: tf.TensorInfo) => {
    const multiply = (b: tf.TensorInfo) =>
      calls.call(own, { a, b }, { transposeA: false, transposeB: false });
    return 4 * elements(b) < LARGE ? multiply(b) : withoutPackedCopy(backend, b, multiply);
  };
  const straight = (x: tf.TensorInfo, transposed: boolean) => transposed ? swap(x) : x;
  // a bᵀ = (b aᵀ)ᵀ, which is less to transpose where b is the larger one, as weights are.
  const result = transposeB && elements(b) > elements(a)
    ? swap(product(right, straight(left, !transposeA)))
    : product(straight(left, transposeA), straight(right, transposeB));
  const batch = a.shape.length > b.shape.length ? a.shape : b.shape;
  return calls.keep(calls.reshape(result, [...batch.slice(0, -2), ...result.shape]));
}

/** How many matrices there are in a tensor. */
function matrices({ shape }: tf.TensorInfo): number {
  return shape.slice(0, -2).reduce((product, length) => product * length, 1);
}

function elements({ shape }: tf.TensorInfo): number {
  return shape.reduce((product, length) => product * length, 1);
}
