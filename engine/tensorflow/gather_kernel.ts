/**
 * `tf.gather` inside recordings.
 *
 * tfjs-node's kernel reads the indices back to check them, which cannot be done while recording:
 * there the check is left to TensorFlow (on a CPU it fails, on a GPU it gives zeros).
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
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

/** Replaces the kernel registered for `GatherV2`. */
export function registerGather(): void {
  const original = tf.getKernel("GatherV2", BACKEND).kernelFunc;
  tf.unregisterKernel("GatherV2", BACKEND);
  tf.registerKernel({
    kernelName: "GatherV2",
    backendName: BACKEND,
    kernelFunc(args) {
      const backend = args.backend as unknown as GatherBackend;
      if (!backend.recording) return original(args);
      const { x, indices } = args.inputs as unknown as Record<"x" | "indices", tf.Tensor>;
      const { axis, batchDims } = args.attrs as unknown as Record<"axis" | "batchDims", number>;
      const type = (name: string, value: number) => ({ name, type: AttrType.TYPE, value });
      return backend.run("GatherV2", [
        type("Tparams", backend.dataType(x)),
        type("Tindices", backend.dataType(indices)),
        type("Taxis", DataType.INT32),
        { name: "batch_dims", type: AttrType.INT, value: batchDims },
      ], [x, indices, tf.scalar(axis, "int32")])[0]!;
    },
  });
}
