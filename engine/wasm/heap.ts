/**
 * Tensors in the memory of the WebAssembly module, for kernels that JavaScript runs on them.
 *
 * @module
 */

import type * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm/dist/backend_wasm.js";

/** A float32 tensor's elements, where they lie: valid until memory is next allocated. */
export function floats(backend: BackendWasm, tensor: tf.TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

/** An int32 tensor's elements, where they lie: valid until memory is next allocated. */
export function integers(backend: BackendWasm, tensor: tf.TensorInfo): Int32Array {
  return backend.typedArrayFromHeap(tensor) as Int32Array;
}

/**
 * Runs an operation on a tensor under another name, under which the module keeps nothing of it: by a
 * tensor's own name it would keep a packed copy for the next time.
 */
export function withoutPackedCopy<T>(
  backend: BackendWasm,
  tensor: tf.TensorInfo,
  run: (tensor: tf.TensorInfo) => T,
): T {
  const { memoryOffset } = backend.dataIdMap.get(tensor.dataId);
  const other = backend.makeOutput(tensor.shape, tensor.dtype, memoryOffset);
  try {
    return run(other);
  } finally {
    backend.wasm.tfjs.disposeData(backend.dataIdMap.get(other.dataId).id);
    backend.dataIdMap.delete(other.dataId);
  }
}

/**
 * Has the module forget what it keeps of a tensor, after its elements were changed in place.
 *
 * @param tensor One whose memory nothing else shares.
 */
export function forgetPackedCopy(backend: BackendWasm, tensor: tf.TensorInfo): void {
  const data = backend.dataIdMap.get(tensor.dataId);
  const other = backend.makeOutput(tensor.shape, tensor.dtype, data.memoryOffset);
  // The tensor takes over the new name, and the memory with it.
  backend.wasm.tfjs.disposeData(data.id);
  data.id = backend.dataIdMap.get(other.dataId).id;
  backend.dataIdMap.delete(other.dataId);
}
