/**
 * Products of two matrices, transposed or not. The package's programs are fast where nothing is to be
 * transposed and both sides of the result are long.
 *
 * @module
 */

import type * as tf from "@tensorflow/tfjs";
import { type KernelArguments, kernelOf, registerKernel } from "../portable/kernel_calls.ts";
import type { WebGpuKernels } from "./kernels.ts";
import { BACKEND } from "./package.ts";
import { type Product, runProduct } from "./tiled_product.ts";

type MatMul = KernelArguments<
  { a: tf.TensorInfo; b: tf.TensorInfo },
  { transposeA: boolean; transposeB: boolean },
  WebGpuKernels
>;

/** By whether the first and the second are transposed. */
const PRODUCTS: readonly Product[] = [0, 1, 2, 3].map((kind): Product => ({
  settings: "",
  functions: `
  fn left(m: u32, k: u32) -> f32 {
    return a[${kind & 1 ? "k * settings.m + m" : "m * settings.k + k"}];
  }
  fn right(k: u32, n: u32) -> f32 {
    return b[${kind & 2 ? "n * settings.k + k" : "k * settings.n + n"}];
  }
  `,
  leftAlong: kind & 1 ? "m" : "k",
  rightAlong: kind & 2 ? "k" : "n",
}));

/** Registers it, in the place of the package's own. */
export function registerMatMul(): void {
  const own = kernelOf(BACKEND, "BatchMatMul");
  registerKernel(BACKEND, "BatchMatMul", (args: MatMul) => {
    const { inputs: { a, b }, attrs: { transposeA, transposeB }, backend } = args;
    const isPlain = [a, b].every(({ shape, dtype }) =>
      dtype === "float32" && shape.slice(0, -2).every((size) => size === 1) &&
      shape.every((size) => size > 0)
    );
    // Batches of matrices are left to the package.
    if (!isPlain) return own.kernelFunc(args as never) as tf.TensorInfo;
    const [m, n] = [a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
    const k = a.shape.at(transposeA ? -2 : -1)!;
    const rank = Math.max(a.shape.length, b.shape.length);
    return runProduct(backend, PRODUCTS[Number(transposeA) + 2 * Number(transposeB)]!, {
      ...{ a, b, m, n, k },
      settings: [],
      shape: [...Array<number>(rank - 2).fill(1), m, n],
    });
  });
}
