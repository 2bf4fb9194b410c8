/**
 * What is bundled: tfjs-core's tests, with our backends under them. Loading it defines the specs in
 * the global jasmine environment.
 *
 * @module
 */

import "./environment.ts";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import "@tensorflow/tfjs-core/dist/tests.js";
import * as tf from "@tensorflow/tfjs";
import type { DeviceChoice } from "../backend.ts";
import type { BackendName } from "../engine.ts";
import { TensorFlowBackend } from "../tensorflow/backend.ts";
import { startWasm } from "../wasm/start.ts";
import { startWebGpu } from "../webgpu/start.ts";
import { silentReporter } from "../../io/reporter.ts";

/** The backend that the specs run on, and where. */
export interface SuiteBackend {
  backend: BackendName;
  device: DeviceChoice;
  /** The libtensorflow to open, for `tensorflow`. */
  library: string | undefined;
  /** Let the native library's own messages through. */
  verbose: boolean;
}

/**
 * Starts a backend and makes it the one that the specs run on.
 *
 * @returns What computes, and its version.
 */
export async function registerSuiteBackend(options: SuiteBackend): Promise<string> {
  const { description, kernels } = await start(options);
  // The suite resets tfjs before each group of specs and disposes of the backend.
  if (options.backend === "webgpu") {
    // Each has a device of its own, as one that has been given a wrong program computes nothing more.
    kernels.dispose();
    tf.registerBackend(options.backend, async () => (await start(options)).kernels, 3);
  } else {
    kernels.dispose = () => {};
    tf.registerBackend(options.backend, () => kernels, 3);
  }
  return description;
}

async function start(
  { backend, device, library, verbose }: SuiteBackend,
): Promise<{ description: string; kernels: tf.KernelBackend }> {
  if (backend === "tensorflow") {
    const kernels = new TensorFlowBackend(library!, { verbose });
    return { description: `TensorFlow ${kernels.tensorflow.version}`, kernels };
  }
  const options = {
    ...{ device, verbose, libtensorflow: undefined, reporter: silentReporter },
    precision: "float32",
    // Threads would be looked for beside the bundle.
    threads: 1,
  } as const;
  return await (backend === "wasm" ? startWasm(options) : startWebGpu(options));
}
