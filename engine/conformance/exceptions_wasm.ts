/**
 * Specs of tfjs-core's test suite that fail on the `wasm` backend, and why: all for what the package
 * `@tensorflow/tfjs-backend-wasm` does without our kernels too.
 *
 * Nothing of the study needs what is missing. `deno task conformance --backend wasm` runs the specs
 * anyway and reports any that passes.
 *
 * @module
 */

import type { ConformanceException } from "./exceptions.ts";

/** Kernels that the package lacks, and what it takes them for. */
const MISSING_KERNELS: Readonly<Record<string, string>> = {
  Complex: "complex numbers, and with them Fourier transforms",
  DepthwiseConv2dNativeBackpropFilter: "gradients of depthwise convolutions",
  DepthwiseConv2dNativeBackpropInput: "gradients of depthwise convolutions",
  Einsum: "tf.einsum()",
  RaggedGather: "ragged tensors",
  RaggedRange: "ragged tensors",
  RaggedTensorToTensor: "ragged tensors",
  StaticRegexReplace: "strings",
  UnsortedSegmentSum: "sums of segments, which gradients of gathering are",
};

const NO_STRINGS = "the package has no strings: it takes them for bytes, or refuses their type";
const ROUNDS_POOLING =
  "the package pools other places where the size of what it makes is a fraction";
const COPIES =
  "the package's Identity copies, so that what a gradient keeps is a value of its own where the " +
  "spec expects the same";
const NO_NAN = "XNNPACK clamps NaN to the least value";
const ROWS_OF_BINS = "the package's Bincount takes an image for rows, each with bins of its own";

export const WASM_EXCEPTIONS: readonly ConformanceException[] = [
  ...Object.entries(MISSING_KERNELS).map(([name, use]) => ({
    message: `Kernel '${name}' not registered for backend 'wasm'`,
    reason: `the package has no kernel ${name}: ${use}`,
  })),
  {
    message: "BatchMatMul for non non-float32 tensors not yet supported",
    reason: "the package multiplies matrices of float32 only",
  },
  {
    message: "Conv2D does not support dataFormat",
    reason: "the package convolves images whose channels come last",
  },
  {
    message: "only supports rank-1 bias",
    reason: "the package's fused kernels add a bias of one axis",
  },
  { message: "Unknown dtype string", reason: NO_STRINGS },
  ...["equal", "greaterEqual", "greater", "lessEqual", "less", "notEqual"].map((name) => ({
    spec: `${name} test-wasm {} should support string comparison`,
    reason: NO_STRINGS,
  })),
  { spec: "sparseToDense test-wasm {} should work for string", reason: NO_STRINGS },
  ...["1d", "2d", "6D"].map((size) => ({
    spec: `tile test-wasm {} ${size} string tensor`,
    reason: NO_STRINGS,
  })),
  { message: "Backend 'wasm' has an internal memory leak", reason: COPIES },
  { spec: "gradient registry test-wasm {} register a kernel with gradient", reason: COPIES },
  { spec: "clipByValue test-wasm {} basic vec4", reason: NO_NAN },
  { spec: "clipByValue test-wasm {} propagates NaNs", reason: NO_NAN },
  { spec: "threshold test-wasm {} method otsu", reason: ROWS_OF_BINS },
  {
    spec: "logSigmoid test-wasm {} gradient with clones",
    reason: "the package's own kernels leave the gradient a value that has been freed",
  },
  {
    spec: "pool test-wasm {} max x=[2,2,3] f=[1,1] s=2 p=1 fractional outputs default rounding",
    reason: ROUNDS_POOLING,
  },
  {
    spec: "pool test-wasm {} avg x=[2,2,3] f=[1,1] s=2 p=1 fractional outputs default rounding",
    reason: ROUNDS_POOLING,
  },
  {
    spec: "slice2d test-wasm {} throws when requesting out of bounds slice",
    reason: "the package's Slice does not compare where a slice ends with where its matrix does",
  },
  ...["float32", "int32"].map((dtype) => ({
    spec: `tensor test-wasm {} Tensor2D ${dtype} -> bool`,
    reason: "the package's Cast to bool keeps the lowest byte of a number",
  })),
];
