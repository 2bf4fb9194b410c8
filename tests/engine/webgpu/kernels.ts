/** What the running engine computes on, where that is WebGPU. */

import * as tf from "@tensorflow/tfjs";
import type { WebGpuKernels } from "../../../engine/webgpu/kernels.ts";

/** The kernels of the engine that was started last. */
export function kernels(): WebGpuKernels {
  return tf.backend() as unknown as WebGpuKernels;
}
