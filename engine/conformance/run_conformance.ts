/**
 * tfjs-core's test suite against one of our backends.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import type { DeviceChoice } from "../backend.ts";
import type { BackendName } from "../engine.ts";
import { CONFORMANCE_EXCEPTIONS, type ConformanceException } from "./exceptions.ts";
import { WASM_EXCEPTIONS } from "./exceptions_wasm.ts";
import { WEBGPU_EXCEPTIONS } from "./exceptions_webgpu.ts";
import { bundleSuite } from "./bundle.ts";
import { readIgnoreList } from "./ignore_list.ts";
import { runSpecs, type SpecResult } from "./run_specs.ts";

/** A spec that failed, or passed against expectation. */
export interface NotedSpec {
  /** Full name, its groups' names first. */
  name: string;
  /** First line of its first message, or the reason why it is known to fail. */
  message: string;
}

/** What became of the suite's specs. */
export interface ConformanceResult {
  backend: BackendName;
  /** What computes, with its version. */
  description: string;
  /** Specs asked for, whatever became of them. */
  specs: number;
  passed: number;
  /** Specs that failed without an explanation. */
  failed: NotedSpec[];
  /** Specs that failed and are in the backend's {@linkcode EXCEPTIONS}, with its reasons. */
  known: NotedSpec[];
  /** Specs that passed although they are listed there, with its reasons. */
  fixed: NotedSpec[];
  /** Specs that tfjs-node-gpu leaves out; on other backends none are. */
  excluded: number;
  /** Specs that tfjs-core itself has switched off. */
  pending: number;
}

export interface ConformanceOptions {
  /** Which backend to run it against. */
  backend: BackendName;
  device: DeviceChoice;
  /** The libtensorflow to open, for `tensorflow`. */
  library?: string;
  /** Run only specs whose full name this matches. */
  grep?: RegExp;
  /** Let through what specs and the backend print. */
  verbose?: boolean;
  /** Called after each spec, with the number of specs done and in all. */
  onProgress?: (done: number, total: number) => void;
}

/** By backend, which specs are known to fail. */
export const EXCEPTIONS: Readonly<Record<BackendName, readonly ConformanceException[]>> = {
  tensorflow: CONFORMANCE_EXCEPTIONS,
  webgpu: WEBGPU_EXCEPTIONS,
  wasm: WASM_EXCEPTIONS,
};

/** Exports of the bundled `suite.ts`. */
type Suite = typeof import("./suite.ts");

/**
 * Bundles the suite into a temporary folder and runs it in this process.
 *
 * It leaves jasmine's functions as globals and a backend behind: run nothing else in the process.
 */
export async function runConformance(options: ConformanceOptions): Promise<ConformanceResult> {
  const { backend, device, library, grep, verbose = false, onProgress } = options;
  const ignored = backend === "tensorflow" ? await readIgnoreList() : [];
  const specs: SpecResult[] = [];
  let description = "";
  let excluded = 0;
  const folder = await Deno.makeTempDir({ prefix: "conformance-" });
  const unmute = verbose ? () => {} : muteConsole();
  // Many specs check that an op refuses bad input, and TensorFlow logs each time.
  if (!verbose) Deno.env.set("TF_CPP_MIN_LOG_LEVEL", "3");
  try {
    const url = await bundleSuite(folder);
    await runSpecs({
      async load() {
        const { registerSuiteBackend }: Suite = await import(`${url}?backend=${backend}`);
        try {
          description = await registerSuiteBackend({ backend, device, library, verbose });
        } catch (error) {
          // One of the bundle's own class.
          if (!(error instanceof Error) || error.name !== StudyError.name) throw error;
          throw new StudyError(error.message, { cause: error });
        }
      },
      select(name) {
        if (grep !== undefined && !grep.test(name)) return false;
        const isIgnored = ignored.some((part) => name.includes(part));
        if (isIgnored) excluded++;
        return !isIgnored;
      },
      onResult(result, total) {
        specs.push(result);
        onProgress?.(specs.length + excluded, total);
      },
    });
  } finally {
    unmute();
    await Deno.remove(folder, { recursive: true });
  }
  return {
    backend,
    description,
    specs: specs.length + excluded,
    excluded,
    ...sortResults(specs, EXCEPTIONS[backend]),
  };
}

/** Tells explained failures from others. */
export function sortResults(
  specs: readonly SpecResult[],
  exceptions: readonly ConformanceException[],
): Pick<ConformanceResult, "passed" | "failed" | "known" | "fixed" | "pending"> {
  const result = {
    passed: 0,
    failed: [] as NotedSpec[],
    known: [] as NotedSpec[],
    fixed: [] as NotedSpec[],
    pending: 0,
  };
  for (const { name, status, message } of specs) {
    const reason = exceptions.find((exception) =>
      name.startsWith(exception.spec ?? "") && message.includes(exception.message ?? "")
    )?.reason;
    if (status === "pending") result.pending++;
    if (status === "passed") result.passed++;
    if (status === "passed" && reason !== undefined) result.fixed.push({ name, message: reason });
    if (status === "failed" && reason !== undefined) result.known.push({ name, message: reason });
    if (status === "failed" && reason === undefined) result.failed.push({ name, message });
  }
  return result;
}

/** Stops what the specs print; returns what undoes it. */
function muteConsole(): () => void {
  const { log, info, warn, error } = console;
  Object.assign(console, { log() {}, info() {}, warn() {}, error() {} });
  return () => Object.assign(console, { log, info, warn, error });
}
