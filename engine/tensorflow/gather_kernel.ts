/**
 * `tf.gather` inside recordings.
 *
 * tfjs-node's kernel reads the indices back to check them, which cannot be done while recording:
 * there the check is left to TensorFlow (on a CPU it fails, on a GPU it gives zeros).
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { TensorFlowBackend } from "./backend.ts";
import { AttrType, DataType } from "./c_enums.ts";

const BACKEND = "tensorflow";

/** Replaces the kernel registered for `GatherV2`. */
export function registerGather(): void {
  const original = tf.getKernel("GatherV2", BACKEND).kernelFunc;
  tf.unregisterKernel("GatherV2", BACKEND);
  tf.registerKernel({
    kernelName: "GatherV2",
    backendName: BACKEND,
    kernelFunc(args) {
      const backend = args.backend as TensorFlowBackend;
      if (!backend.recording) return original(args);
      const { x, indices } = args.inputs as unknown as Record<"x" | "indices", tf.Tensor>;
      const { axis, batchDims } = args.attrs as unknown as Record<"axis" | "batchDims", number>;
      const type = (name: string, value: number) => ({ name, type: AttrType.TYPE, value });
      return backend.run("GatherV2", [
        type("Tparams", backend.describe(x).dtype),
        type("Tindices", backend.describe(indices).dtype),
        type("Taxis", DataType.INT32),
        { name: "batch_dims", type: AttrType.INT, value: batchDims },
      ], [x, indices, tf.scalar(axis, "int32")])[0]!;
    },
  });
}
