/**
 * Batches of images: the set lies on the device, 8-bit, and batches are gathered there.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { ImageSet } from "../data/dataset.ts";
import { IMAGE_PIXELS } from "../data/idx.ts";
import { bytesTensor, gatherBytes } from "../engine/ops.ts";
import type { LabelledBatches } from "./evaluate.ts";

/** Images and labels on the device. Its maker frees it. */
export class ImageBatches implements LabelledBatches<tf.Tensor4D>, Disposable {
  readonly count: number;
  readonly labels: Uint8Array;
  /** 8-bit grey values, `[count, 784]`. */
  #images: tf.Tensor;
  /** 8-bit classes, `[count]`. */
  #labels: tf.Tensor;
  #transform: (pixels: tf.Tensor) => tf.Tensor4D;

  /**
   * Copies a set to the device.
   *
   * @param transform From float32 pixels `[n, 784]`, 0..255, to what the model takes.
   */
  constructor(
    { images, labels, count }: ImageSet,
    transform: (pixels: tf.Tensor) => tf.Tensor4D,
  ) {
    this.count = count;
    this.labels = labels;
    this.#transform = transform;
    this.#images = bytesTensor(images, [count, IMAGE_PIXELS]);
    this.#labels = bytesTensor(labels, [count]);
  }

  tensors(indices: Int32Array): tf.Tensor[] {
    // A copy: tfjs uploads later, and the caller's array goes on being used.
    return [this.#images, this.#labels, tf.tensor1d(indices.slice(), "int32")];
  }

  batch(tensors: readonly tf.Tensor[]): { inputs: tf.Tensor4D; targets: tf.Tensor1D } {
    const [images, labels, indices] = tensors as [tf.Tensor, tf.Tensor, tf.Tensor1D];
    return {
      inputs: this.#transform(gatherBytes(images, indices)),
      targets: gatherBytes(labels, indices, "int32") as tf.Tensor1D,
    };
  }

  [Symbol.dispose](): void {
    this.#images.dispose();
    this.#labels.dispose();
  }
}
