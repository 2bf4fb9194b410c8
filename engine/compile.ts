/**
 * Ordinary tfjs code as one TensorFlow function.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { RecordedFunction, TensorFlowBackend } from "./tensorflow/backend.ts";
import { dataTypeName } from "./tensorflow/c_enums.ts";

/** Sizes and type of one argument of a compiled function. */
export interface TensorSpec {
  /** Sizes. */
  shape: readonly number[];
  /** A tfjs type, or `uint8` for 8-bit data on the device. */
  dtype: tf.DataType | "uint8";
}

/** What a function to be compiled returns. */
export type CompiledResult = tf.Tensor | tf.Tensor[] | void;

/** A function whose body runs as one TensorFlow call. */
export interface CompiledFunction<A extends readonly tf.Tensor[], R extends CompiledResult> {
  /** Runs it; the first call with new sizes or types records it for them. */
  (...args: A): R;
  /** How many signatures have been recorded. */
  readonly recordings: number;
  /** Frees the recorded functions. */
  dispose(): void;
}

interface Recording {
  fn: RecordedFunction;
  outputs: number;
  single: boolean;
}

/**
 * Compiles `fn`; see {@linkcode Engine.compile}.
 *
 * @param backend Where it runs.
 * @param fn Ordinary tfjs code, autodiff included.
 * @param signature Recorded at once for these arguments, if given.
 */
export function compile<A extends readonly tf.Tensor[], R extends CompiledResult>(
  backend: TensorFlowBackend,
  fn: (...args: A) => R,
  signature?: readonly TensorSpec[],
): CompiledFunction<A, R> {
  const recordings = new Map<string, Recording>();

  const record = (key: string, parameters: readonly { shape: number[]; dtype: number }[]) => {
    const recording: Recording = { fn: { name: "", variables: [] }, outputs: 0, single: false };
    recording.fn = backend.record(parameters, (args) => {
      const result: CompiledResult = fn(...args as unknown as A);
      recording.single = result instanceof tf.Tensor;
      const results = Array.isArray(result) ? result : result instanceof tf.Tensor ? [result] : [];
      recording.outputs = results.length;
      return results;
    });
    recordings.set(key, recording);
    return recording;
  };

  if (signature !== undefined) {
    const parameters = signature.map(({ shape, dtype }) => ({
      shape: [...shape],
      dtype: backend.dataType(dtype),
    }));
    record(signatureKey(parameters), parameters);
  }

  const call = (...args: A): R => {
    // Inside another recording the body becomes part of that one.
    if (backend.recording) return fn(...args);
    const parameters = args.map((tensor) => backend.describe(tensor));
    const key = signatureKey(parameters);
    const { fn: recorded, outputs, single } = recordings.get(key) ?? record(key, parameters);
    const results = backend.call(recorded, args, outputs);
    return (single ? results[0] : outputs === 0 ? undefined : results) as R;
  };
  return Object.defineProperties(call, {
    recordings: { get: () => recordings.size },
    dispose: {
      value: () => {
        for (const { fn } of recordings.values()) backend.remove(fn);
        recordings.clear();
      },
    },
  }) as CompiledFunction<A, R>;
}

function signatureKey(parameters: readonly { shape: readonly number[]; dtype: number }[]): string {
  return parameters.map(({ shape, dtype }) => `${dataTypeName(dtype)}[${shape}]`).join(",");
}
