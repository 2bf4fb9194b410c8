/**
 * Instantiates the package's WebAssembly with threads, which it shares its memory with.
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import { StudyError } from "../../io/errors.ts";
import { moduleFactory, type WasmModule } from "./glue.ts";
import type { CompiledKernels } from "./package.ts";

/** Workers that the JavaScript starts, whatever number of threads it is asked for. */
const POOL = 8;

const PAGE_BYTES = 65_536;

/**
 * Most bytes of memory, half a GiB below what 32 bits can address: allocating more than is left from a
 * free stretch to there, Emscripten's allocator would reckon past the end and hand out what others have.
 */
const MOST_BYTES = 3.5 * 2 ** 30;

/** Milliseconds in which threads are there, or are taken not to come. */
const THREADS_WITHIN = 30_000;

/** Most threads that it takes: itself and the workers. */
export const MAX_THREADS = POOL;

/**
 * Instantiates it.
 *
 * @param threads How many share the work of an operation, from 1.
 * @throws {Error} If a thread cannot be started.
 */
export async function instantiate(
  { binary, glue }: CompiledKernels,
  threads: number,
): Promise<WasmModule> {
  const source = await Deno.readTextFile(glue);
  const failed = Promise.withResolvers<never>();
  const started: Worker[] = [];
  let asked = 0;

  /** A browser's worker, as the JavaScript knows it, on one of Node's, which lets the process end. */
  class Thread {
    onmessage: (event: { data: unknown }) => void = () => {};
    #worker: Worker | undefined;

    constructor() {
      // Those asked for last are taken first; the others are never used, and need not be there.
      if (++asked <= POOL - (threads - 1)) return;
      // Its default is all of the environment, for which Deno would ask.
      const worker = new Worker(threadScript(import.meta.url), { env: {} });
      worker.on("message", (data) => this.onmessage({ data }));
      worker.on("error", failed.reject);
      started.push(this.#worker = worker);
    }

    postMessage(message: unknown): void {
      if (this.#worker !== undefined) this.#worker.postMessage(message);
      else queueMicrotask(() => this.onmessage({ data: { cmd: "loaded" } }));
    }

    terminate(): void {
      void this.#worker?.terminate();
    }
  }

  const factory = moduleFactory(source, {
    Worker: Thread,
    navigator: { hardwareConcurrency: 2 * threads },
  });
  const wasmMemory = new WebAssembly.Memory({
    initial: 2 ** 24 / PAGE_BYTES,
    maximum: MOST_BYTES / PAGE_BYTES,
    shared: true,
  });
  const config = {
    wasmBinary: binary,
    wasmMemory,
    mainScriptUrlOrBlob: glue,
    locateFile: String,
    printErr,
  };
  const late = () => failed.reject(new Error("The threads of WebAssembly did not start"));
  const timer = setTimeout(late, THREADS_WITHIN);
  try {
    const module = await Promise.race([factory(config), failed.promise]);
    refuseFullMemory(module);
    for (const worker of started) worker.unref();
    return addBridge(module);
  } catch (error) {
    for (const worker of started) void worker.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** A thread's script. Node's workers start those alone that lie on disk: any other is imported by one. */
export function threadScript(place: string): URL {
  const script = new URL("./thread.ts", place);
  if (script.protocol === "file:") return script;
  return new URL(`data:text/javascript,import ${encodeURIComponent(JSON.stringify(script.href))}`);
}

/**
 * What the module says: kernels that XNNPACK has no memory for are said and passed over, and here an
 * error; that a page in a browser should not wait for threads does not matter.
 */
function printErr(message: string): void {
  if (message.startsWith("Blocking on the main thread")) return;
  if (!message.includes("XNN status")) return console.error(message);
  throw new StudyError(
    `WebAssembly cannot run a kernel, most likely for want of memory, of which it can have ` +
      `${gigabytes(MOST_BYTES)} GB at most (${message.trim()}). Take smaller batches, or the ` +
      "tensorflow backend",
  );
}

/** The functions that tfjs' backend calls by names of its own. */
function addBridge(module: WasmModule): WasmModule {
  const { cwrap } = module;
  module.tfjs = {
    init: cwrap("init", null, []),
    initWithThreadsCount: cwrap("init_with_threads_count", null, ["number"]),
    getThreadsCount: cwrap("get_threads_count", "number", []),
    registerTensor: cwrap("register_tensor", null, ["number", "number", "number"]),
    disposeData: cwrap("dispose_data", null, ["number"]),
    dispose: cwrap("dispose", null, []),
  };
  return module;
}

/** Has a tensor that there is no memory for be an error; tfjs would write to address 0. */
function refuseFullMemory(module: WasmModule): void {
  // The first call replaces the function by another.
  module._free(module._malloc(1));
  const { _malloc: allocate } = module;
  module._malloc = (bytes) => {
    const has = module.HEAPU8.length;
    const address = bytes < 2 ** 32 - has ? allocate(bytes) : 0;
    if (address !== 0 || bytes === 0) return address;
    throw new StudyError(
      `WebAssembly has no room for ${gigabytes(bytes)} GB more: it can have ` +
        `${gigabytes(MOST_BYTES)} GB at most, and has ${
          gigabytes(has)
        }. Take smaller batches, or ` +
        "the tensorflow backend",
    );
  };
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}
