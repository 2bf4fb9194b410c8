/**
 * Starts what does the arithmetic.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { UsageError } from "../io/errors.ts";
import { createReporter, type Reporter } from "../io/reporter.ts";
import {
  type AdapterDescription,
  adapterTitle,
  type Backend,
  type BackendName,
  type BackendOptions,
  type DeviceChoice,
  isRunning,
  type Precision,
  runBackend,
  stopBackend,
  type SummaryWriter,
} from "./backend.ts";
import { chooseBackend, type Chosen } from "./choice/choose.ts";
import { findHardware } from "./choice/hardware.ts";
import { FindingFile, READ_ONLY_FINDINGS } from "./choice/record.ts";
import { compile } from "./compile.ts";
import { engineIsGone } from "./gone.ts";
import type { LibraryLocation } from "./library/library_cache.ts";
import type { EagerBinding } from "./tensorflow/eager_binding.ts";
import { checkThreads } from "./threads.ts";

export type { AdapterDescription, BackendName, SummaryWriter } from "./backend.ts";
export type { LibraryLocation } from "./library/library_cache.ts";

/** Every backend; its code is loaded when it is tried. */
const BACKENDS: Readonly<
  Record<BackendName, (options: BackendOptions) => Promise<StartedBackend>>
> = {
  tensorflow: async (options) => (await import("./tensorflow/start.ts")).startTensorFlow(options),
  webgpu: async (options) => (await import("./webgpu/start.ts")).startWebGpu(options),
  wasm: async (options) => (await import("./wasm/start.ts")).startWasm(options),
};

/** Options of {@linkcode startEngine}. */
export interface EngineOptions {
  /**
   * Which backend does the work: `tensorflow` is libtensorflow, `webgpu` a GPU of any vendor, `wasm`
   * needs npm packages alone. `auto` takes `tensorflow` where that has a GPU; where it has none, the
   * faster of `tensorflow` and `webgpu`, measured once on a machine with graphics hardware; `wasm` where
   * neither starts.
   *
   * @default {"auto"}
   */
  backend?: "auto" | BackendName;
  /**
   * Where kernels run. `"gpu"` fails if they would run on the CPU; `"cpu"` leaves GPUs alone;
   * `"software"` lets `webgpu`, which alone takes it, use an adapter that computes on the CPU.
   *
   * @default {"auto"}
   */
  device?: DeviceChoice;
  /**
   * The libtensorflow to use, a file or the folder it is in; looked for or fetched otherwise. With it,
   * `auto` is `tensorflow`, as it is where `LIBTENSORFLOW_PATH` names one.
   */
  libtensorflow?: string | undefined;
  /**
   * Threads to compute with, 1..1024. TensorFlow makes them once in a process: a later engine cannot
   * have another number.
   *
   * @default {as TF_NUM_INTRAOP_THREADS says, or one for each processor that the process may use}
   */
  threads?: number | undefined;
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
  /**
   * Where a download's progress is shown. By default on standard error, where `auto` then also says which
   * other backend than `tensorflow` it took, and why.
   */
  reporter?: Reporter;
  /** What `auto` takes before all others if it starts, and why, in a phrase. */
  prefer?: { backend: BackendName; reason: string } | undefined;
  /**
   * Whether what `auto` finds out about the machine is kept in the suite's cache folder.
   *
   * @default {true}
   */
  remember?: boolean;
}

/**
 * A started engine. Starting another one disposes of it.
 *
 * One that has been disposed of computes nothing: its `binding`, its `compile()` and what that compiled
 * throw an error. Tensors and models of it may still be disposed of.
 */
export interface Engine extends Disposable {
  /** Name of the backend that was started. */
  readonly backend: BackendName;
  /** Why it was taken, in a phrase: `as asked`, or what others lack. */
  readonly reason: string;
  /** What computes, on what, and where it is from, in a phrase. */
  readonly description: string;
  /** What computes: `CPU`, `GPU`, or the graphics adapter with its vendor. */
  readonly device: string;
  /** The graphics adapter, on `webgpu`. */
  readonly adapter?: AdapterDescription;
  /** Number format of convolutions and products in compiled functions. */
  readonly precision: Precision;
  /** How small filters on many channels are computed, where not directly; last bits depend on it. */
  readonly convolutions?: "winograd";
  /** Version of the library that computes, such as `2.21.0`. */
  readonly version: string;
  /** Where libtensorflow came from. An error on a backend without it. */
  readonly library: LibraryLocation;
  /** Threads that one operation is spread over. */
  readonly threads: number;
  /** tfjs, with this engine as its backend. */
  readonly tf: typeof tf;
  /** The `TFJSBinding` under tfjs-node's kernels. An error on a backend without it. */
  readonly binding: EagerBinding;
  /** See `compile()` in `compile.ts`. */
  readonly compile: typeof compile;
  /**
   * Begins an event file for TensorBoard in an existing folder; an error if it cannot be made. Absent
   * on a backend that writes none.
   */
  readonly openSummaries?: (folder: string) => Promise<SummaryWriter>;
  /**
   * Frees everything that is not in JavaScript's memory, as leaving the scope of a `using` does; a
   * second time it does nothing.
   *
   * @throws {Error} While a function is being recorded.
   */
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
 * @throws {RangeError} If `threads` is not 1..1024.
 */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const { backend: wanted = "auto", device = "auto", precision = "float32", verbose = false } =
    options;
  const names = Object.keys(BACKENDS) as BackendName[];
  if (wanted !== "auto" && !names.includes(wanted)) {
    throw new UsageError(`Unknown backend "${wanted}": choose auto or ${names.join(" or ")}`);
  }
  checkThreads(options.threads);
  const reporter = options.reporter ?? createReporter({ stream: "stderr" });
  const { libtensorflow, threads, prefer, remember = true } = options;
  const settings = { device, precision, libtensorflow, threads, verbose, reporter };
  const { name, backend, reason } = wanted === "auto"
    ? await choose(settings, { prefer, remember })
    : { name: wanted, backend: await BACKENDS[wanted](settings), reason: "as asked" };
  if (!isRunning(backend)) await runBackend(backend);
  const isUnexpected = wanted === "auto" && name !== "tensorflow";
  // Whoever has a reporter says it there.
  if (isUnexpected && options.reporter === undefined) {
    reporter.line(`Computing on ${name}: ${reason}`);
  }
  return engineOf(name, backend, reason);
}

function choose(
  options: BackendOptions,
  { prefer, remember }: { prefer: EngineOptions["prefer"]; remember: boolean },
): Promise<Chosen<StartedBackend>> {
  const store = remember ? new FindingFile() : READ_ONLY_FINDINGS;
  const isNamed = isLibraryNamed(options.libtensorflow);
  return chooseBackend({ options, isLibraryNamed: isNamed, prefer }, {
    start: (name, options) => BACKENDS[name](options),
    measure: async (backend) => (await import("./choice/probe.ts")).measureStep(backend),
    findHardware: () => findHardware({ store }),
    surroundings: async () => (await import("./choice/probe.ts")).surroundings(),
    store,
  });
}

/** Whether a library was named. It is used or refused: no other backend takes its place. */
export function isLibraryNamed(libtensorflow: string | undefined): boolean {
  return libtensorflow !== undefined || Boolean(Deno.env.get("LIBTENSORFLOW_PATH"));
}

function engineOf(name: BackendName, backend: StartedBackend, reason: string): Engine {
  const { precision, convolutions, version, description, library, adapter } = backend;
  const { threads, binding, openSummaries } = backend;
  const device = adapter === undefined ? backend.device : adapterTitle(adapter);
  const only = <T>(value: T | undefined, what: string): T => {
    if (value !== undefined) return value;
    throw new Error(`The ${name} backend has no ${what}`);
  };
  const dispose = () => stopBackend(backend);
  return {
    backend: name,
    reason,
    description,
    device,
    ...(adapter && { adapter }),
    precision,
    ...(convolutions && { convolutions }),
    version,
    threads,
    get library() {
      return only(library, "libtensorflow");
    },
    tf,
    get binding() {
      return only(binding, "TFJSBinding");
    },
    compile(fn, options) {
      if (isRunning(backend)) return compile(fn, options);
      return engineIsGone();
    },
    ...(openSummaries && { openSummaries }),
    dispose,
    [Symbol.dispose]: dispose,
  };
}
