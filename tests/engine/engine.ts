/**
 * The engine that tests run on.
 *
 * Call it at the top of a test file, not inside a test: the library it opens stays open.
 */

import * as tf from "@tensorflow/tfjs";
import { type Engine, type EngineOptions, startEngine } from "../../engine/engine.ts";
import { runningBackend } from "../../engine/backend.ts";
import { TensorFlowBackend } from "../../engine/tensorflow/backend.ts";

let options: EngineOptions = { backend: "tensorflow" };
let started: Promise<Engine> | undefined;

/** Has this process' tests run on another backend than TensorFlow; before any of them is loaded. */
export function testOn(other: EngineOptions): void {
  options = other;
}

/**
 * For tests of what goes on before anything is computed, such as reading weights: the backend makes no
 * difference to them, and they are run on TensorFlow alone.
 */
export function onceForAllBackends(): { ignore: boolean } {
  return { ignore: options.backend !== "tensorflow" };
}

/** Whether the engine of the tests computes graphics on the CPU, where each image takes long. */
export function isSoftwareAdapter(): boolean {
  return runningBackend().adapter?.isSoftware ?? false;
}

/** Starts the engine; once per process. */
export function testEngine(): Promise<Engine> {
  return started ??= startEngine(options);
}

/** How many tensors there are below tfjs, in the library or the module that computes. */
export function nativeTensors(): number {
  const { binding, numDataIds } = tf.backend() as Partial<TensorFlowBackend>;
  return binding === undefined
    ? numDataIds!.call(tf.backend())
    : tensorflowBackend().eager.getNumOfTensors();
}

/** tfjs' backend under the engine, for its precision and ops by name. */
export function tensorflowBackend(): TensorFlowBackend {
  const backend = tf.backend();
  if (backend instanceof TensorFlowBackend) return backend;
  throw new Error("Start the engine first: testEngine()");
}
