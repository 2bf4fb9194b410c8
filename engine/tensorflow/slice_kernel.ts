/**
 * `tf.slice` of a variable that lies in blocks: it copies what it takes, not the whole matrix before.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { type KernelArguments, kernelOf, registerKernel } from "../portable/kernel_calls.ts";
import type { Region } from "./matrix_blocks.ts";

const BACKEND = "tensorflow";

type Slice = KernelArguments<
  { x: tf.Tensor },
  { begin: number | number[]; size: number | number[] },
  { isInBlocks(x: tf.Tensor): boolean; readRegion(matrix: tf.Tensor, region: Region): tf.Tensor }
>;

/** Replaces the kernel registered for `Slice`. */
export function registerSlice(): void {
  const original = kernelOf(BACKEND, "Slice").kernelFunc as unknown as (args: Slice) => tf.Tensor;
  registerKernel(BACKEND, "Slice", (args: Slice) => {
    const { inputs: { x }, attrs, backend } = args;
    if (!backend.isInBlocks(x)) return original(args);
    const region = regionOf(x, attrs);
    const isEmpty = region.rows.size * region.columns.size === 0;
    return isEmpty ? original(args) : backend.readRegion(x, region);
  });
}

function regionOf(x: tf.Tensor, attrs: Slice["attrs"]): Region {
  const [begin, size] = tf.slice_util.parseSliceParams(x, attrs.begin, attrs.size) as number[][];
  const [rows, columns] = begin!.map((start, axis) => ({ start, size: size![axis]! }));
  return { rows: rows!, columns: columns! };
}
