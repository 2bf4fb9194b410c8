/**
 * Evaluates the package's JavaScript around its WebAssembly, which Emscripten has generated, without
 * Node's `process` in sight.
 *
 * With it, the JavaScript would take Deno for Node: it would put Node's `Worker` in the place of
 * Deno's in all of the process, add handlers of errors to it, and run as many threads as half the
 * cores at most. Without it, it takes what it is given, as in a browser.
 *
 * @module
 */

import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm/dist/backend_wasm.js";

/** What the JavaScript is given, and makes the module of. */
export type GlueConfig = Record<string, unknown>;

/** What is used of an instance. */
export interface WasmModule {
  /** Its memory, up to where it has grown when this is read. */
  readonly HEAPU8: Uint8Array;
  /** Takes bytes of it; 0 where there are none left. */
  _malloc(bytes: number): number;
  _free(address: number): void;
  /** A function of the module that JavaScript can call. */
  cwrap(name: string, result: string | null, parameters: readonly string[]): never;
  /** The functions that tfjs calls by names of its own. */
  tfjs: BackendWasm["wasm"]["tfjs"];
}

/** What the JavaScript takes from around it. */
export interface Surroundings {
  /** What it starts a thread with. */
  Worker?: unknown;
  /** It runs half of as many threads at most. */
  navigator?: { hardwareConcurrency: number };
}

/** Instantiates the module; in a thread it shares the memory of the first. */
export type ModuleFactory = (config: GlueConfig) => Promise<WasmModule>;

/**
 * The factory of modules that the JavaScript defines.
 *
 * @param source Its text.
 */
export function moduleFactory(source: string, surroundings: Surroundings = {}): ModuleFactory {
  const names = ["process", "require", "Worker", "navigator"] as const;
  const define = new Function(...names, `${source}\nreturn WasmBackendModuleThreadedSimd;`);
  return define(undefined, undefined, surroundings.Worker, surroundings.navigator);
}
