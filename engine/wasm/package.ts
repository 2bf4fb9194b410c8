/**
 * The npm package `@tensorflow/tfjs-backend-wasm`: tfjs' kernels for WebAssembly, and the files that
 * they are compiled to. All comes from Deno's own copy of it.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm/dist/backend_wasm.js";
import * as tf from "@tensorflow/tfjs";
import { StudyError } from "../../io/errors.ts";

/** Its version, which `deno.json` pins. */
export const PACKAGE_VERSION = "4.22.0";

/** The name under which it registers its kernels. */
export const BACKEND = "wasm";

const PACKAGE = "@tensorflow/tfjs-backend-wasm";

/** In full: a project that imports the suite from JSR has no import map that knows the name. */
const ADDRESS = `npm:${PACKAGE}@${PACKAGE_VERSION}`;

/** A variable, not a literal: Deno then loads the package when this backend starts, no sooner. */
const CODE: string = `${ADDRESS}/dist/tf-backend-wasm.node.js`;

/** What is used of the package's code. */
export interface WasmPackage {
  BackendWasm: typeof BackendWasm;
  setThreadsCount(count: number): void;
}

/** The compiled kernels, for processors with SIMD and with threads, and the JavaScript around them. */
export interface CompiledKernels {
  /** The WebAssembly module, to be instantiated. */
  binary: Uint8Array<ArrayBuffer>;
  /** Path of the JavaScript. */
  glue: string;
}

let loaded: Promise<WasmPackage> | undefined;

/**
 * Loads the package, which registers its kernels with tfjs.
 *
 * @throws {StudyError} If Deno does not have it and cannot fetch it, with the remedy.
 */
export function loadPackage(): Promise<WasmPackage> {
  return loaded ??= load();
}

async function load(): Promise<WasmPackage> {
  try {
    const loaded = await import(CODE) as WasmPackage;
    // It registers a backend as well, which would look for threads in its own way.
    tf.removeBackend(BACKEND);
    return loaded;
  } catch (error) {
    throw unusable(error);
  }
}

/** Whether Deno has the package, as far as can be told without fetching it. */
export async function isInstalled(): Promise<boolean> {
  try {
    return (await Deno.stat(compiledFile("threaded-simd.wasm"))).isFile;
  } catch {
    return false;
  }
}

/**
 * Reads the compiled kernels, once {@linkcode loadPackage} has made sure of them.
 *
 * @throws {StudyError} If they cannot be read.
 */
export async function readCompiledKernels(): Promise<CompiledKernels> {
  try {
    return {
      binary: await Deno.readFile(compiledFile("threaded-simd.wasm")),
      glue: compiledFile("threaded-simd.js"),
    };
  } catch (error) {
    throw unusable(error);
  }
}

function compiledFile(name: string): string {
  return fileURLToPath(import.meta.resolve(`${ADDRESS}/wasm-out/tfjs-backend-wasm-${name}`));
}

function unusable(error: unknown): StudyError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StudyError(`The npm package ${PACKAGE} ${PACKAGE_VERSION} cannot be loaded`, {
    reason,
    remedy: "run deno install --lock=deno.full.lock once with a network",
    cause: error,
  });
}
