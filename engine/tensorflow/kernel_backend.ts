/**
 * tfjs-node-gpu's own backend class, with what Deno lacks restored and its members typed.
 *
 * @module
 */

import util from "node:util";
import type * as tf from "@tensorflow/tfjs";
import { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import "@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js";
import type { OpAttribute } from "./attributes.ts";
import type { Binding, TensorMetadata } from "./eager_binding.ts";
import type { Resource } from "./resource_variables.ts";

// tfjs-node 4.22 calls two helpers of node:util that Node 23 and Deno no longer have.
Object.assign(util, {
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
  isArray: Array.isArray,
}, util);

/** What the backend keeps per tensor; the fields up to `refCount` are tfjs-node's own. */
export interface TensorData {
  shape: number[];
  dtype: number;
  /** Values not yet uploaded. */
  values: unknown;
  /** The binding's id, or -1. */
  id: number;
  refCount: number;
  /** What holds the value in TensorFlow, if it lives there. */
  resource?: Resource;
}

/** tfjs' key of a tensor's values. */
export type DataId = tf.TensorInfo["dataId"];

/** tfjs-node's backend with the members this one builds on, some of which it declares private. */
export interface KernelBackendBase extends tf.KernelBackend {
  binding: Binding;
  tensorMap: { has(dataId: DataId): boolean; get(dataId: DataId): TensorData };
  getInputTensorIds(tensors: tf.Tensor[]): number[];
  createOutputTensor(metadata: TensorMetadata): tf.Tensor;
  getDTypeInteger(dtype: tf.DataType): number;
  executeSingleOutput(opName: string, attributes: OpAttribute[], inputs: tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(
    opName: string,
    attributes: OpAttribute[],
    inputs: tf.Tensor[],
    numOutputs: number,
  ): tf.Tensor[];
}

/** The class to extend. */
export const KernelBackendBase = NodeJSKernelBackend as unknown as new (
  binding: Binding,
  packageName: string,
) => KernelBackendBase;
