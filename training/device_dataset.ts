/**
 * A part of a data set on the device, 8-bit, from which batches are gathered there.
 *
 * @module
 */

import type * as tf from "@tensorflow/tfjs";
import { IMAGE_PIXELS } from "../data/idx.ts";
import type { ImageSet } from "../data/dataset.ts";
import { bytesTensor, gatherBytes } from "../engine/ops.ts";

/** Images and labels on the device. */
export class DeviceDataset {
  /** Number of images. */
  readonly count: number;
  /** 8-bit grey values, `[count, 784]`. */
  readonly images: tf.Tensor;
  /** 8-bit classes, `[count]`. */
  readonly labels: tf.Tensor;

  /** Copies the set to the device. */
  constructor({ images, labels, count }: ImageSet) {
    this.count = count;
    this.images = bytesTensor(images, [count, IMAGE_PIXELS]);
    this.labels = bytesTensor(labels, [count]);
  }

  /** Frees both tensors. */
  dispose(): void {
    this.images.dispose();
    this.labels.dispose();
  }
}

/**
 * A batch, gathered on the device.
 *
 * @param images 8-bit `[count, 784]`.
 * @param labels 8-bit `[count]`.
 * @param indices int32 `[n]`.
 * @returns float32 pixels `[n, 784]`, 0..255, and int32 labels `[n]`.
 */
export function gatherBatch(
  images: tf.Tensor,
  labels: tf.Tensor,
  indices: tf.Tensor1D,
): { pixels: tf.Tensor; targets: tf.Tensor1D } {
  return {
    pixels: gatherBytes(images, indices),
    targets: gatherBytes(labels, indices, "int32") as tf.Tensor1D,
  };
}
