/**
 * Starts what does the arithmetic.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { StudyError, UsageError } from "../io/errors.ts";
import { createReporter, type Reporter } from "../io/reporter.ts";
import { type Precision, TensorFlowBackend } from "./tensorflow/backend.ts";
import { bfloat16Problem } from "./tensorflow/bfloat16_support.ts";
import { compile, type CompiledFunction, type CompiledResult, type TensorSpec } from "./compile.ts";
import type { EagerBinding } from "./tensorflow/eager_binding.ts";
import { findLibrary, type LibraryLocation } from "./library/find_library.ts";

/** Options of {@linkcode startEngine}. */
export interface EngineOptions {
  /**
   * Which backend does the work.
   *
   * @default {"auto"}
   */
  backend?: "auto" | "tensorflow";
  /**
   * Where kernels run. `"gpu"` fails if they would run on the CPU; `"cpu"` leaves GPUs alone.
   *
   * @default {"auto"}
   */
  device?: "auto" | "cpu" | "gpu";
  /** The libtensorflow to use, a file or the folder it is in; looked for or fetched otherwise. */
  libtensorflow?: string | undefined;
  /**
   * Number format of convolutions and products in compiled functions. `"bfloat16"` accumulates in
   * float32 and leaves parameters, optimiser and losses in float32; an error on processors without
   * it. `"auto"` takes it where it is to be had.
   *
   * @default {"float32"}
   */
  precision?: Precision | "auto";
  /**
   * Let TensorFlow's own messages through.
   *
   * @default {false}
   */
  verbose?: boolean;
  /** Where a download's progress is shown. By default on standard error. */
  reporter?: Reporter;
}

/** A started engine. One at a time is tfjs' current backend. */
export interface Engine {
  /** The backend's name. */
  readonly backend: "tensorflow";
  /** `CPU` or `GPU`. */
  readonly device: string;
  /** Number format of convolutions and products in compiled functions. */
  readonly precision: Precision;
  /** Version of libtensorflow, such as `2.21.0`. */
  readonly version: string;
  /** Where libtensorflow came from. */
  readonly library: LibraryLocation;
  /** tfjs, with this engine as its backend. */
  readonly tf: typeof tf;
  /** The `TFJSBinding` under the kernels. */
  readonly binding: EagerBinding;
  /**
   * Turns `fn` into one TensorFlow function.
   *
   * The body runs once per signature (sizes and types of the arguments) while its ops are recorded;
   * from then on a call is a single call into TensorFlow. Variables (`tf.variable`) are read and
   * assigned as usual and live in TensorFlow. Other tensors from outside must be arguments. Numbers
   * computed in JavaScript become constants: pass what changes from call to call as a tensor.
   * Results carry no gradient: take gradients inside.
   *
   * @param signature Record at once for these arguments.
   */
  compile<A extends readonly tf.Tensor[], R extends CompiledResult>(
    fn: (...args: A) => R,
    signature?: readonly TensorSpec[],
  ): CompiledFunction<A, R>;
  /** Frees everything native. */
  dispose(): void;
}

/** Name under which tfjs knows the backend. */
const BACKEND = "tensorflow";

/**
 * Starts the engine and makes it tfjs' backend.
 *
 * @throws {StudyError} If no library can be found or fetched, or no GPU is there for `"gpu"`.
 */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const { backend: wanted = "auto", device = "auto", precision = "float32", verbose = false } =
    options;
  if (wanted !== "auto" && wanted !== BACKEND) {
    throw new UsageError(`Unknown backend "${wanted}": choose auto or ${BACKEND}`);
  }
  const reporter = options.reporter ?? createReporter({ stream: "stderr" });
  const library = await findLibrary({
    reporter,
    ...(options.libtensorflow !== undefined && { libtensorflow: options.libtensorflow }),
  });
  const cpuOnly = device === "cpu";
  const backend = new TensorFlowBackend(library.path, { cpuOnly, verbose });
  if (device === "gpu" && backend.tensorflow.device.type !== "GPU") {
    const { version } = backend.tensorflow;
    backend.dispose();
    throw new StudyError(
      `No GPU: libtensorflow ${version} at ${library.path} sees only the CPU. Install a build ` +
        "with CUDA (pip install 'tensorflow[and-cuda]') and its driver, or use --device cpu",
    );
  }
  if (precision !== "float32") {
    const problem = bfloat16Problem(backend.tensorflow.device.type);
    if (problem === undefined) backend.precision = "bfloat16";
    else if (precision === "bfloat16") {
      backend.dispose();
      throw new StudyError(problem);
    }
  }
  if (tf.findBackend(BACKEND)) tf.removeBackend(BACKEND);
  tf.registerBackend(BACKEND, () => backend);
  await tf.setBackend(BACKEND);
  return {
    backend: BACKEND,
    device: backend.tensorflow.device.type,
    precision: backend.precision,
    version: backend.tensorflow.version,
    library,
    tf,
    binding: backend.eager,
    compile: (fn, signature) => compile(backend, fn, signature),
    dispose: () => tf.removeBackend(BACKEND),
  };
}
