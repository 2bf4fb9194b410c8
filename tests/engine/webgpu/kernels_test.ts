import { testKernels } from "../kernel_cases.ts";
import { ON_WEBGPU, onAdapter } from "./adapter.ts";

await onAdapter("kernels of WebGPU", () => testKernels(ON_WEBGPU, 2e-6));
