/**
 * Starts what does the arithmetic.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { InterruptedError, StudyError, UsageError } from "../io/errors.ts";
import { createReporter, type Reporter } from "../io/reporter.ts";
import {
  type Backend,
  type BackendOptions,
  type Precision,
  runBackend,
  stopBackend,
} from "./backend.ts";
import { compile } from "./compile.ts";
import type { LibraryLocation } from "./library/library_cache.ts";
import type { EagerBinding } from "./tensorflow/eager_binding.ts";

export type { LibraryLocation } from "./library/library_cache.ts";

/** What `--backend` may name besides `auto`. */
export type BackendName = "tensorflow";

/** Every backend, in the order in which `auto` tries them; its code is loaded when it is tried. */
const BACKENDS: Readonly<
  Record<BackendName, (options: BackendOptions) => Promise<StartedBackend>>
> = {
  tensorflow: async (options) => (await import("./tensorflow/start.ts")).startTensorFlow(options),
};

/** Options of {@linkcode startEngine}. */
export interface EngineOptions {
  /**
   * Which backend does the work; `auto` takes the first that works.
   *
   * @default {"auto"}
   */
  backend?: "auto" | BackendName;
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
   * it. `"auto"` takes it where the processor has it.
   *
   * @default {"float32"}
   */
  precision?: Precision | "auto";
  /**
   * Let the native library's own messages through.
   *
   * @default {false}
   */
  verbose?: boolean;
  /** Where a download's progress is shown. By default on standard error. */
  reporter?: Reporter;
}

/** A started engine. Starting another one disposes of it. */
export interface Engine extends Disposable {
  /** Name of the backend that was started. */
  readonly backend: BackendName;
  /** What computes, on `tensorflow` `CPU` or `GPU`. */
  readonly device: string;
  /** Number format of convolutions and products in compiled functions. */
  readonly precision: Precision;
  /** Version of the library that computes, such as `2.21.0`. */
  readonly version: string;
  /** Where libtensorflow came from. An error on a backend without it. */
  readonly library: LibraryLocation;
  /** tfjs, with this engine as its backend. */
  readonly tf: typeof tf;
  /** The `TFJSBinding` under tfjs-node's kernels. An error on a backend without it. */
  readonly binding: EagerBinding;
  /** See `compile()` in `compile.ts`. */
  readonly compile: typeof compile;
  /** Frees everything that is not in JavaScript's memory, as leaving the scope of a `using` does. */
  dispose(): void;
}

/** A backend, with what only `tensorflow` has. */
type StartedBackend = Backend & Partial<Pick<Engine, "library" | "binding">>;

/**
 * Starts the engine and makes it tfjs' backend.
 *
 * @throws {UsageError} If there is no backend of that name.
 * @throws {StudyError} If the backend does not work here (no library can be found or fetched, no GPU is
 * there for `"gpu"`), with the remedy; with `auto`, if none does.
 */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const { backend: wanted = "auto", device = "auto", precision = "float32", verbose = false } =
    options;
  const names = Object.keys(BACKENDS) as BackendName[];
  if (wanted !== "auto" && !names.includes(wanted)) {
    throw new UsageError(`Unknown backend "${wanted}": choose auto or ${names.join(" or ")}`);
  }
  const reporter = options.reporter ?? createReporter({ stream: "stderr" });
  const { libtensorflow } = options;
  const settings = { device, precision, libtensorflow, verbose, reporter };
  const failures: StudyError[] = [];
  for (const name of wanted === "auto" ? names : [wanted]) {
    try {
      const backend = await BACKENDS[name](settings);
      await runBackend(backend);
      return engineOf(name, backend);
    } catch (error) {
      if (!(error instanceof StudyError) || error instanceof InterruptedError) throw error;
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  throw new StudyError("No backend works here", {
    reason: failures.map(({ what }) => what).join("; "),
    details: failures.map(({ message }) => message),
    remedy: failures.at(-1)?.remedy,
  });
}

function engineOf(name: BackendName, backend: StartedBackend): Engine {
  const { device, precision, version, library, binding } = backend;
  const only = <T>(value: T | undefined, what: string): T => {
    if (value !== undefined) return value;
    throw new Error(`The ${name} backend has no ${what}`);
  };
  const dispose = () => stopBackend(backend);
  return {
    backend: name,
    device,
    precision,
    version,
    get library() {
      return only(library, "libtensorflow");
    },
    tf,
    get binding() {
      return only(binding, "TFJSBinding");
    },
    compile,
    dispose,
    [Symbol.dispose]: dispose,
  };
}
