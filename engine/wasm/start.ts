/**
 * Starts the `wasm` backend: tfjs' WebAssembly kernels, those that training needs added, and nothing
 * but npm packages under it.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import type { Backend, BackendOptions } from "../backend.ts";
import { restartable } from "../portable/restartable.ts";
import { registerConv2dGradients } from "./conv2d_gradient_kernels.ts";
import { registerGather } from "./gather_kernel.ts";
import { registerMatMul } from "./mat_mul_kernel.ts";
import { registerMaxPoolGrad } from "./max_pool_grad_kernel.ts";
import { registerNoElements } from "./no_elements.ts";
import type { WasmModule } from "./glue.ts";
import { makeKernels } from "./kernels.ts";
import { instantiate, MAX_THREADS } from "./module.ts";
import { registerHeapKernels, wasmOps } from "./ops.ts";
import {
  BACKEND,
  type CompiledKernels,
  loadPackage,
  PACKAGE_VERSION,
  readCompiledKernels,
} from "./package.ts";

/** What registers kernels in the place of the package's, or beside them. */
let registered = false;

/**
 * Starts the backend.
 *
 * @throws {StudyError} If a GPU, a software adapter or bfloat16 is asked for, which it does not have, or
 * the package is not there.
 */
export async function startWasm(
  { device, precision, threads: wanted }: BackendOptions,
): Promise<Backend> {
  if (device === "software") {
    throw new StudyError("The wasm backend uses no graphics adapter, so no software one", {
      remedy: "use --backend webgpu with --device software, or --device cpu",
    });
  }
  if (device === "gpu") {
    throw new StudyError("The wasm backend runs on the CPU only", { remedy: "use --device cpu" });
  }
  if (precision === "bfloat16") {
    throw new StudyError("The wasm backend has no bfloat16", { remedy: "use --precision fp32" });
  }
  const code = await loadPackage();
  const started = await restartable(async () => {
    const { module, threads } = await withThreads(await readCompiledKernels(), wanted);
    code.setThreadsCount(threads);
    const kernels = makeKernels(code, module);
    return { kernels, ops: wasmOps(kernels), threads };
  });
  if (!registered) {
    registered = true;
    registerConv2dGradients();
    registerGather();
    registerMatMul();
    registerMaxPoolGrad();
    registerHeapKernels();
    registerNoElements();
  }
  const { threads } = started.current;
  return {
    name: BACKEND,
    device: "CPU",
    version: PACKAGE_VERSION,
    description: `tfjs-backend-wasm ${PACKAGE_VERSION} on CPU, threads: ${threads}`,
    precision: "float32",
    threads,
    get kernels() {
      return started.current.kernels as never;
    },
    get ops() {
      return started.current.ops;
    },
    restart: started.restart,
  };
}

/** With as many threads as wanted, or as there are cores; with one where Deno starts no others. */
async function withThreads(
  files: CompiledKernels,
  wanted: number = navigator.hardwareConcurrency,
): Promise<{ module: WasmModule; threads: number }> {
  const threads = Math.min(wanted, MAX_THREADS);
  try {
    return { module: await instantiate(files, threads), threads };
  } catch (error) {
    if (threads === 1) throw error;
    return { module: await instantiate(files, 1), threads: 1 };
  }
}
