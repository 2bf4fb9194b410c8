import { testKernels } from "../kernel_cases.ts";

// Roundings of float32 add up with the number of products, which are up to 1 each.
await testKernels({ backend: "wasm" }, 2e-6);
