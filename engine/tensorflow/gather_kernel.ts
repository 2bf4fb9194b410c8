/**
 * `tf.gather` along axes that count from the last, and inside recordings.
 *
 * tfjs-node's kernel looks up a size under the axis as it is given. And it reads the indices back to
 * check them, which cannot be done while recording: there the check is left to TensorFlow (on a CPU it
 * fails, on a GPU it gives zeros).
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { type KernelArguments, kernelOf, registerKernel } from "../portable/kernel_calls.ts";
import { attribute, type OpAttribute } from "./attributes.ts";
import { DataType } from "./c_enums.ts";

const BACKEND = "tensorflow";

/** What gathering needs of a backend. */
interface GatherBackend {
  dataType(tensor: tf.Tensor): number;
  run(
    opName: string,
    attributes: readonly OpAttribute[],
    inputs: readonly tf.Tensor[],
  ): tf.Tensor[];
}

/** Which entries are gathered. */
interface GatherOptions {
  /** @default {0} */
  axis?: number;
  /** @default {0} */
  batchDims?: number;
}

/**
 * TensorFlow's own gather, which leaves indices on the device.
 *
 * @param x Of any TensorFlow type.
 * @param indices int32 of any rank.
 */
export function gatherOnDevice(
  backend: GatherBackend,
  x: tf.Tensor,
  indices: tf.Tensor,
  { axis = 0, batchDims = 0 }: GatherOptions = {},
): tf.Tensor {
  const axes = tf.scalar(axis, "int32");
  const [gathered] = backend.run("GatherV2", [
    attribute.type("Tparams", backend.dataType(x)),
    attribute.type("Tindices", backend.dataType(indices)),
    attribute.type("Taxis", DataType.INT32),
    attribute.int("batch_dims", batchDims),
  ], [x, indices, axes]);
  axes.dispose();
  return gathered!;
}

type Gather = KernelArguments<
  { x: tf.Tensor; indices: tf.Tensor },
  { axis: number; batchDims: number },
  GatherBackend & { readonly recording: boolean }
>;

/** Replaces the kernel registered for `GatherV2`. */
export function registerGather(): void {
  const original = kernelOf(BACKEND, "GatherV2").kernelFunc as unknown as (
    args: Gather,
  ) => tf.Tensor;
  registerKernel(BACKEND, "GatherV2", (args: Gather) => {
    const { inputs: { x, indices }, attrs: { batchDims }, backend } = args;
    const axis = tf.util.parseAxisParam(args.attrs.axis, x.shape)[0]!;
    const attrs = { axis, batchDims };
    return backend.recording
      ? gatherOnDevice(backend, x, indices, attrs)
      : original({ ...args, attrs });
  });
}
