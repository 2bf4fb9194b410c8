/**
 * `tf.gather` inside recordings.
 *
 * tfjs-node's kernel reads the indices back to check them, which cannot be done while recording:
 * there the check is left to TensorFlow (on a CPU it fails, on a GPU it gives zeros).
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { type KernelArguments, kernelOf, registerKernel } from "../portable/kernel_calls.ts";
import type { OpAttribute } from "./attributes.ts";
import { AttrType, DataType } from "./c_enums.ts";

const BACKEND = "tensorflow";

/** What the kernel needs of the backend that it runs on. */
interface GatherBackend {
  readonly recording: boolean;
  dataType(tensor: tf.Tensor): number;
  run(
    opName: string,
    attributes: readonly OpAttribute[],
    inputs: readonly tf.Tensor[],
  ): tf.Tensor[];
}

type Gather = KernelArguments<
  { x: tf.Tensor; indices: tf.Tensor },
  { axis: number; batchDims: number },
  GatherBackend
>;

/** Replaces the kernel registered for `GatherV2`. */
export function registerGather(): void {
  const original = kernelOf(BACKEND, "GatherV2").kernelFunc as unknown as (
    args: Gather,
  ) => tf.Tensor;
  registerKernel(BACKEND, "GatherV2", (args: Gather) => {
    const { inputs: { x, indices }, attrs: { axis, batchDims }, backend } = args;
    if (!backend.recording) return original(args);
    const type = (name: string, value: number) => ({ name, type: AttrType.TYPE, value });
    return backend.run("GatherV2", [
      type("Tparams", backend.dataType(x)),
      type("Tindices", backend.dataType(indices)),
      type("Taxis", DataType.INT32),
      { name: "batch_dims", type: AttrType.INT, value: batchDims },
    ], [x, indices, tf.scalar(axis, "int32")])[0]!;
  });
}
