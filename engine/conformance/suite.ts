/**
 * What is bundled: tfjs-core's tests, with our backend under them. Loading it defines the specs in
 * the global jasmine environment.
 *
 * @module
 */

import "./environment.ts";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import "@tensorflow/tfjs-core/dist/tests.js";
import * as tf from "@tensorflow/tfjs";
import { TensorFlowBackend } from "../tensorflow/backend.ts";

/** The suite resets tfjs before each group of specs and disposes of the backend; this one stays. */
class LastingBackend extends TensorFlowBackend {
  override dispose(): void {}
}

/**
 * Opens libtensorflow and makes it the backend that the specs run on.
 *
 * @param path The library.
 * @param verbose Let TensorFlow's own messages through.
 * @returns Its version.
 */
export function registerSuiteBackend(path: string, verbose: boolean): string {
  const backend = new LastingBackend(path, { verbose });
  tf.registerBackend("tensorflow", () => backend, 3);
  return backend.tensorflow.version;
}
