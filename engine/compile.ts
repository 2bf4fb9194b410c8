/**
 * Ordinary tfjs code as one call of the backend.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import {
  type RecordedFunction,
  type Recorder,
  runningBackend,
  type TensorSpec,
} from "./backend.ts";
import { runOpByOp } from "./op_by_op.ts";
import type { Tensor } from "./tensors.ts";

export type { TensorSpec } from "./backend.ts";

/** What a function to be compiled returns. */
export type CompiledResult = Tensor | Tensor[] | void;

/** Settings of {@linkcode compile}. */
export interface CompileOptions {
  /** Records at once for arguments of these sizes and types. */
  signature?: readonly TensorSpec[];
  /**
   * Number format of the body's convolutions and products. In bfloat16 weights are copied at each
   * call, which for large ones and few images costs as much as is gained. Called while another compiled
   * function is being recorded, the body becomes part of that one, which must be of this format then.
   *
   * @default {the engine's}
   */
  precision?: "float32" | undefined;
}

/** A function whose body runs as one call of the backend, where that can record functions. */
export interface CompiledFunction<A extends readonly Tensor[], R extends CompiledResult>
  extends Disposable {
  /**
   * Runs it; the first call with new sizes or types records it for them.
   *
   * @throws {Error} If the engine that it was compiled for no longer runs, or its precision is not that
   *   of the function that is being recorded.
   */
  (...args: A): R;
  /** How many signatures have been recorded. */
  readonly recordings: number;
  /** Frees the recorded functions; the next call records again. */
  dispose(): void;
}

/** How results come back from a recording, which knows only lists. */
type ResultForm = "list" | "single" | "none";

/**
 * Compiles `fn` for the running engine.
 *
 * Its body runs once per signature (sizes and types of the arguments) while its ops are recorded; from
 * then on a call is a single call of the backend. Variables (`tf.variable`) are read and assigned as
 * usual. Other tensors from outside must be arguments. Numbers computed in JavaScript become constants:
 * pass what changes from call to call as a tensor. Results carry no gradient: take gradients inside.
 *
 * A backend that cannot record runs the body op by op at every call, in a `tf.tidy()`.
 *
 * @param fn Ordinary tfjs code, gradients included.
 */
export function compile<A extends readonly Tensor[], R extends CompiledResult>(
  fn: (...args: A) => R,
  options: CompileOptions = {},
): CompiledFunction<A, R> {
  const backend = runningBackend();
  const { recorder } = backend;
  const recordings = new Map<string, RecordedFunction & { form: ResultForm }>();
  const run = recorder === undefined
    ? (...args: A): R => runOpByOp(fn, args)
    : recordedCall({ fn, recorder, recordings, ...options });
  const call = (...args: A): R => {
    if (runningBackend() === backend) return run(...args);
    throw new Error(
      "Cannot call a compiled function of an engine that has been disposed of: compile it with the " +
        "one that runs",
    );
  };
  const dispose = () => {
    for (const recording of recordings.values()) recording.dispose();
    recordings.clear();
  };
  return Object.defineProperties(call, {
    recordings: { get: () => recordings.size },
    dispose: { value: dispose },
    [Symbol.dispose]: { value: dispose },
  }) as CompiledFunction<A, R>;
}

function recordedCall<A extends readonly Tensor[], R extends CompiledResult>(
  { fn, recorder, recordings, signature, precision }: CompileOptions & {
    fn: (...args: A) => R;
    recorder: Recorder;
    recordings: Map<string, RecordedFunction & { form: ResultForm }>;
  },
): (...args: A) => R {
  const record = (specs: readonly TensorSpec[]) => {
    let form: ResultForm = "list";
    const recorded = recorder.record(specs, (args) => {
      const result: CompiledResult = fn(...args as unknown as A);
      if (Array.isArray(result)) return result;
      form = result instanceof tf.Tensor ? "single" : "none";
      return result instanceof tf.Tensor ? [result] : [];
    }, precision);
    const recording = { call: recorded.call, dispose: recorded.dispose, form };
    recordings.set(signatureKey(specs), recording);
    return recording;
  };
  if (signature !== undefined) record(signature);
  return (...args) => {
    // Inside another recording the body becomes part of that one.
    if (recorder.recording) {
      if (precision !== undefined && precision !== recorder.convolutionPrecision) {
        throw new Error(
          `Cannot call a function of precision ${precision} while one of ` +
            `${recorder.convolutionPrecision} is being recorded, whose part it becomes: compile the ` +
            `outer one with { precision: "${precision}" }`,
        );
      }
      return fn(...args);
    }
    const specs = args.map((tensor) => recorder.describe(tensor));
    const { call, form } = recordings.get(signatureKey(specs)) ?? record(specs);
    const results = call(args);
    return (form === "list" ? results : results[0]) as R;
  };
}

function signatureKey(specs: readonly TensorSpec[]): string {
  return specs.map(({ shape, dtype }) => `${dtype}[${shape}]`).join(",");
}
