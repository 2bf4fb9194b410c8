/**
 * Specs of tfjs-core's test suite that fail on the `webgpu` backend, and why: for what the package
 * `@tensorflow/tfjs-backend-webgpu` does, Deno does without, or Mesa's software driver rounds.
 *
 * Nothing of the study needs what is missing. `deno task conformance --backend webgpu` runs the specs
 * anyway and reports any that passes.
 *
 * @module
 */

import type { ConformanceException } from "./exceptions.ts";

/** Settings of tfjs, which are part of the environment's name. */
const ENVIRONMENT = 'test-webgpu {"WEBGPU_CPU_FORWARD":false}';

/** Kernels that the package lacks, and what it takes them for. */
const MISSING_KERNELS: Readonly<Record<string, string>> = {
  BitwiseAnd: "tf.bitwiseAnd()",
  NonMaxSuppressionV4: "padded non-maximum suppression",
  RaggedGather: "ragged tensors",
  RaggedRange: "ragged tensors",
  RaggedTensorToTensor: "ragged tensors",
  SparseFillEmptyRows: "sparse tensors",
  SparseReshape: "sparse tensors",
  StaticRegexReplace: "strings",
  StringSplit: "strings",
  StringToHashBucketFast: "strings",
  Unique: "tf.unique()",
};

const UNCHECKED = "the package's program does not look at its indices, and cannot throw";
const NO_CANVAS = "Deno has no canvas, and the package takes pixels from a real one only";
const REVERSE =
  "the package's program goes over the rows of a matrix as one when it goes backwards";

function specs(
  group: string,
  names: readonly string[],
  reason: string,
): readonly ConformanceException[] {
  return names.map((name) => ({ spec: `${group} ${ENVIRONMENT} ${name}`, reason }));
}

export const WEBGPU_EXCEPTIONS: readonly ConformanceException[] = [
  ...Object.entries(MISSING_KERNELS).map(([name, use]) => ({
    message: `Kernel '${name}' not registered for backend 'webgpu'`,
    reason: `the package has no kernel ${name}: ${use}`,
  })),
  ...specs(
    "time cpu",
    ["simple upload"],
    "the device is not asked for timestamps, so that a kernel's time is not known",
  ),
  ...specs("broadcastArgs", ["([1,2], [1,3]) -> error"], UNCHECKED),
  ...specs("gather", ["throws when index is out of bound"], UNCHECKED),
  ...specs("sparseSegmentMean", [
    ...["throw error if indices < 0", "throw error if indices >= max rows"],
    "throw error if segment ids are not increasing",
    "throw error if segment id is out of range",
    "throw error if segment id is negative",
  ], UNCHECKED),
  ...specs("sparseSegmentSum", [
    ...["indices invalid 1", "indices invalid 2"],
    ...[2, 3, 4, 6, 7].map((number) => `segments invalid ${number}`),
  ], UNCHECKED),
  ...specs("fromPixels, mock canvas", ["accepts a canvas-like element"], NO_CANVAS),
  ...specs(
    "threshold",
    ["method otsu"],
    "the package's program of Bincount is not valid WGSL for an image",
  ),
  ...specs("prod", [
    ...["gradients: prod(tensor with zeros)", "gradients: prod(2d, axis=1)"],
    "gradients: prod(2d, axis=0) and varied gradient values",
  ], REVERSE),
  ...specs("exp", ["int32"], "the driver's exp(10) is off by one part in eight million"),
  ...specs(
    "tan",
    ["numbers exceed float32 precision"],
    "the driver's tangent of numbers beyond 1e6 has no correct digit",
  ),
];
