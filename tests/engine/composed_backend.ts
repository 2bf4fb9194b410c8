/**
 * A backend made of tfjs' own kernels alone, on its JavaScript `cpu` backend: the least that a backend
 * can be. It cannot record.
 */

import * as tf from "@tensorflow/tfjs";
import type { Backend } from "../../engine/backend.ts";
import { composedOps } from "../../engine/portable/composed_ops.ts";

/** Makes the backend; call it once per process. */
export function composedBackend(): Backend {
  // tfjs has registered one of its own under the name.
  tf.removeBackend("cpu");
  const kernels = new tf.MathBackendCPU();
  return {
    name: "cpu",
    device: "CPU",
    version: tf.version_cpu,
    description: `tfjs-backend-cpu ${tf.version_cpu}`,
    precision: "float32",
    threads: 1,
    kernels,
    ops: composedOps(kernels),
  };
}
