/**
 * The npm package `@tensorflow/tfjs-backend-webgpu`: tfjs' kernels as programs for graphics hardware.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { StudyError } from "../../io/errors.ts";
import { isFile } from "../../io/path_kind.ts";

/** Its version, which `deno.json` pins. */
export const PACKAGE_VERSION = "4.22.0";

/** The name under which it registers its kernels. */
export const BACKEND = "webgpu";

const PACKAGE = "@tensorflow/tfjs-backend-webgpu";

/**
 * A variable, not a literal: Deno then loads the package when this backend starts, no sooner. In full: a
 * project that imports the suite from JSR has no import map that knows the name.
 */
const CODE: string = `npm:${PACKAGE}@${PACKAGE_VERSION}/dist/tf-backend-webgpu.node.js`;

/** What the package keeps of a tensor's elements. */
export interface TensorData {
  dtype: tf.DataType;
  shape: number[];
  refCount: number;
  /** On the host, where they are there; of a tensor of zero elements always. */
  values: tf.BackendValues | null;
  /** On the device, where they are there. */
  resource?: GPUBuffer | null;
}

/** The package's memory of buffers, which it uses again for tensors of the same size. */
export interface BufferManager {
  /** Unused ones by size and use. */
  freeBuffers: Map<string, GPUBuffer[]>;
  numFreeBuffers: number;
  /** Bytes of all buffers, and of those that tensors have. */
  numBytesAllocated: number;
  numBytesUsed: number;
  acquireBuffer(size: number, usage: number): GPUBuffer;
}

/** A program of the package's own kind, in WGSL. */
export interface Program {
  variableNames: string[];
  outputShape: number[];
  shaderKey: string;
  workgroupSize: [number, number, number];
  dispatchLayout: { x: number[]; y?: number[]; z?: number[] };
  dispatch: [number, number, number];
  uniforms?: string;
  size?: boolean;
  getUserCode(): string;
}

/** What the package runs its kernels on, as far as it is used or replaced here. */
export interface PackageKernels extends tf.KernelBackend {
  readonly device: GPUDevice;
  readonly queue: GPUQueue;
  readonly bufferManager: BufferManager;
  readonly tensorMap: tf.DataStorage<TensorData>;
  /** Commands that are not submitted yet. */
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  /** Programs in the open pass; the package submits at 15. */
  dispatchCountInPass: number;
  /** Tensors that commands not submitted yet read or write. */
  commandQueueOwnedIds: WeakSet<tf.DataId>;
  /** Buffers that are free again once the commands are submitted. */
  uniformPendingDisposal: GPUBuffer[];
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  uploadToGPU(dataId: tf.DataId): void;
  makeTensorInfo(shape: number[], dtype: tf.DataType, values?: tf.BackendValues): tf.TensorInfo;
  runWebGPUProgram(
    program: Program,
    inputs: tf.TensorInfo[],
    dtype: tf.DataType,
    uniforms?: { type: "int32" | "uint32" | "float32"; data: number[] }[],
    output?: tf.TensorInfo,
  ): tf.TensorInfo;
}

/** What is used of the package's code. */
export interface WebGpuPackage {
  WebGPUBackend: new (device: GPUDevice, info: GPUAdapterInfo) => PackageKernels;
}

let loaded: Promise<WebGpuPackage> | undefined;

/**
 * Loads the package, which registers its kernels with tfjs.
 *
 * @throws {StudyError} If Deno does not have it and cannot fetch it, with the remedy.
 */
export function loadPackage(): Promise<WebGpuPackage> {
  return loaded ??= load();
}

/** Whether Deno has the package, as far as can be told without fetching it. */
export async function isInstalled(): Promise<boolean> {
  try {
    return await isFile(fileURLToPath(import.meta.resolve(CODE)));
  } catch {
    return false;
  }
}

async function load(): Promise<WebGpuPackage> {
  try {
    const loaded = await import(CODE) as WebGpuPackage;
    // It registers a backend as well, which would look for an adapter in its own way.
    if (tf.findBackendFactory(BACKEND) !== null) tf.removeBackend(BACKEND);
    return loaded;
  } catch (error) {
    throw new StudyError(`The npm package ${PACKAGE} ${PACKAGE_VERSION} cannot be loaded`, {
      reason: error instanceof Error ? error.message : String(error),
      remedy: "run deno install --lock=deno.full.lock once with a network",
      cause: error,
    });
  }
}
