/**
 * Starts the `webgpu` backend: tfjs' kernels on Deno's own WebGPU, for graphics hardware of any vendor.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import type { Backend, BackendOptions } from "../backend.ts";
import { restartable } from "../portable/restartable.ts";
import { findAdapter, requestDevice } from "./adapter.ts";
import { registerConv2dFilterGradient } from "./conv2d_filter_gradient.ts";
import { registerLargeTensors } from "./large_tensors.ts";
import { makeKernels } from "./kernels.ts";
import { registerMatMul } from "./mat_mul.ts";
import { registerMaxPoolGrad } from "./max_pool_grad.ts";
import { registerNoElements } from "./no_elements.ts";
import { registerPrograms, webGpuOps } from "./ops.ts";
import { BACKEND, loadPackage, PACKAGE_VERSION } from "./package.ts";

/** Registers our kernels once. */
let registered = false;

/**
 * Starts the backend.
 *
 * @throws {StudyError} If there is no adapter, only one that computes on the CPU and `device` is not
 * `software`, the CPU or bfloat16 is asked for, or the package is not there.
 */
export async function startWebGpu(
  { device, precision, verbose }: BackendOptions,
): Promise<Backend> {
  if (device === "cpu") {
    throw new StudyError("The webgpu backend runs on a graphics adapter", {
      remedy: "use --device gpu, or another --backend",
    });
  }
  if (precision === "bfloat16") {
    throw new StudyError("The webgpu backend has no bfloat16", { remedy: "use --precision fp32" });
  }
  const started = await restartable(async () => {
    const found = await findAdapter(device, verbose);
    const code = await loadPackage();
    const { adapter, description } = found;
    const kernels = makeKernels(code, await requestDevice(found), adapter.info);
    return { kernels, ops: webGpuOps(kernels), description };
  });
  if (!registered) {
    registered = true;
    registerPrograms();
    registerConv2dFilterGradient();
    registerMatMul();
    registerMaxPoolGrad();
    registerLargeTensors();
    registerNoElements();
  }
  const { description } = started.current;
  return {
    name: BACKEND,
    device: description.name,
    version: PACKAGE_VERSION,
    description: `tfjs-backend-webgpu ${PACKAGE_VERSION} on ${description.name} ` +
      `(${description.vendor})`,
    precision: "float32",
    threads: 1,
    adapter: description,
    get kernels() {
      return started.current.kernels;
    },
    get ops() {
      return started.current.ops;
    },
    restart: started.restart,
  };
}
