/**
 * Gathering, in the memory of the module: the package's own kernel takes the wrong indices from the
 * second batch on, and works out the coordinates of every element.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm/dist/backend_wasm.js";
import { integers } from "./heap.ts";
import { type KernelArguments, registerKernel } from "../portable/kernel_calls.ts";
import { BACKEND } from "./package.ts";

type Gather = KernelArguments<
  { x: tf.TensorInfo; indices: tf.TensorInfo },
  { axis: number; batchDims: number },
  BackendWasm
>;

/** Slices of fewer elements than this are copied one by one. */
const SHORT = 32;

/** Registers it in the place of the package's own. */
export function registerGather(): void {
  registerKernel(BACKEND, "GatherV2", gather);
}

function gather({ inputs: { x, indices }, attrs, backend }: Gather): tf.TensorInfo {
  const axis = tf.util.parseAxisParam(attrs.axis, x.shape)[0]!;
  const { batchSize, outerSize, dimSize, sliceSize, outputShape } = tf.backend_util.segment_util
    .collectGatherOpShapeInfo(x as tf.Tensor, indices as tf.Tensor, axis, attrs.batchDims);
  const result = backend.makeOutput(outputShape, x.dtype);
  const chosen = integers(backend, indices);
  for (const index of chosen) {
    if (index >= 0 && index < dimSize) continue;
    backend.disposeData(result.dataId);
    // As the package has it, which tfjs' tests expect.
    throw new RangeError(`GatherV2: the index value ${index} is not in [0, ${dimSize - 1}]`);
  }
  const from = backend.typedArrayFromHeap(x);
  const to = backend.typedArrayFromHeap(result);
  const count = chosen.length / batchSize;
  let place = 0;
  for (let row = 0; row < batchSize * outerSize; row++) {
    const first = Math.floor(row / outerSize) * count;
    for (let i = first; i < first + count; i++, place += sliceSize) {
      const start = (row * dimSize + chosen[i]!) * sliceSize;
      if (sliceSize < SHORT) {
        for (let k = 0; k < sliceSize; k++) to[place + k] = from[start + k]!;
      } else to.set(from.subarray(start, start + sliceSize), place);
    }
  }
  return result;
}
