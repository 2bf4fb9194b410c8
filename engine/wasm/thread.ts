/**
 * A thread of the WebAssembly module: instantiates it on the memory that all share, and runs what the
 * first thread starts in it. It stays in WebAssembly for good, waiting for work.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { type GlueConfig, moduleFactory } from "./glue.ts";

/** What the first thread sends, as Emscripten lays down. */
type Message =
  | {
    cmd: "load";
    urlOrBlob: string;
    wasmModule: WebAssembly.Module;
    wasmMemory: WebAssembly.Memory;
  }
  | { cmd: "run"; pthread_ptr: number; start_routine: number; arg: number };

/** What of the module in a thread is called. */
interface ThreadModule {
  __emscripten_thread_init(
    thread: number,
    isMain: number,
    isRuntime: number,
    canBlock: number,
  ): void;
  establishStackSpace(): void;
  invokeEntryPoint(routine: number, argument: number): void;
  PThread: { receiveObjectTransfer(message: unknown): void; threadInitTLS(): void };
}

let module: ThreadModule;

const port = parentPort!;
Object.assign(globalThis, {
  /** Called by the JavaScript once the module is instantiated. */
  startWorker(started: ThreadModule) {
    module = started;
    port.postMessage({ cmd: "loaded" });
  },
  postMessage: (message: unknown) => port.postMessage(message),
});

port.on("message", (message: Message) => {
  if (message.cmd === "load") load(message);
  else if (message.cmd === "run") run(message);
});

function load({ urlOrBlob, wasmModule, wasmMemory }: Message & { cmd: "load" }): void {
  const config: GlueConfig = {
    wasmModule,
    wasmMemory,
    buffer: wasmMemory.buffer,
    ENVIRONMENT_IS_PTHREAD: true,
    instantiateWasm(imports: WebAssembly.Imports, receive: (made: WebAssembly.Instance) => void) {
      const instance = new WebAssembly.Instance(wasmModule, imports);
      receive(instance);
      return instance.exports;
    },
  };
  void moduleFactory(readFileSync(urlOrBlob, "utf8"))(config);
}

function run(message: Message & { cmd: "run" }): void {
  module.__emscripten_thread_init(message.pthread_ptr, 0, 0, 1);
  module.establishStackSpace();
  module.PThread.receiveObjectTransfer(message);
  module.PThread.threadInitTLS();
  try {
    module.invokeEntryPoint(message.start_routine, message.arg);
  } catch (error) {
    // How Emscripten leaves a routine that goes on later.
    if (error !== "unwind") throw error;
  }
}
