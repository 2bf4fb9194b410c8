/**
 * Batches of images: the set lies on the device, 8-bit, and batches are gathered there and normalised.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import {
  bytesTensor,
  gatherBytes,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
} from "../engine/ops.ts";
import { type AugmentationSettings, MNIST_NORMALIZATION } from "../study.ts";
import { augment } from "./augmentation.ts";
import type { ImageSet } from "./dataset.ts";
import { IMAGE_PIXELS, IMAGE_SIDE } from "./idx.ts";

/** Images and labels on the device, for a trainer or an evaluation. Its maker frees it. */
export class ImageBatches implements Disposable {
  /** How many images there are. */
  readonly count: number;
  /** Classes 0 to 9, `[count]`. */
  readonly labels: Uint8Array;
  /** 8-bit grey values, `[count, 784]`. */
  #images: Tensor;
  /** 8-bit classes, `[count]`. */
  #labels: Tensor;
  #transform: (pixels: Tensor) => Tensor4D;
  #augmentation: AugmentationSettings | undefined;

  /**
   * Copies a set to the device.
   *
   * @param transform From float32 pixels `[n, 784]`, 0..255, to what the model takes.
   * @param augmentation How images are moved at random in training; they stay as they are if absent.
   */
  constructor(
    { images, labels, count }: ImageSet,
    transform: (pixels: Tensor) => Tensor4D,
    augmentation?: AugmentationSettings,
  ) {
    this.#augmentation = augmentation;
    this.count = count;
    this.labels = labels;
    this.#transform = transform;
    this.#images = bytesTensor(images, [count, IMAGE_PIXELS]);
    this.#labels = bytesTensor(labels, [count]);
  }

  /**
   * The arguments of a compiled function for one batch.
   *
   * @param indices int32 `[n]`, each 0..count-1.
   */
  tensors(indices: Int32Array): Tensor[] {
    // A copy: tfjs uploads later, and the caller's array goes on being used.
    return [this.#images, this.#labels, tf.tensor1d(indices.slice(), "int32")];
  }

  /**
   * The batch of those arguments, inside the compiled function.
   *
   * @param key int32 `[2]`, only in training; how images are moved is drawn from it.
   * @returns What the transform makes of the images, and classes, int32 `[n]`.
   */
  batch(
    tensors: readonly Tensor[],
    key?: Tensor1D,
  ): { inputs: Tensor4D; targets: Tensor1D } {
    const [images, labels, indices] = tensors as [Tensor, Tensor, Tensor1D];
    const pixels = gatherBytes(images, indices);
    const isMoved = key !== undefined && this.#augmentation !== undefined;
    return {
      inputs: this.#transform(isMoved ? augment(pixels, key, this.#augmentation!) : pixels),
      targets: gatherBytes(labels, indices, "int32") as Tensor1D,
    };
  }

  /** Frees both on the device. */
  [Symbol.dispose](): void {
    this.#images.dispose();
    this.#labels.dispose();
  }
}

/**
 * The transform of part 1, on the device: pixel / 255, minus MNIST's mean, over its standard
 * deviation, in float32 and in that order, as torchvision's `ToTensor` and `Normalize` do.
 *
 * @param pixels float32 `[n, 784]`, values 0..255.
 * @returns float32 `[n, 28, 28, 1]`.
 */
export function normalizeMnist(pixels: Tensor): Tensor4D {
  const { mean: [mean], std: [std] } = MNIST_NORMALIZATION;
  return tf.tidy(() =>
    pixels.div(255).sub(mean).div(std).reshape<Tensor4D>([-1, IMAGE_SIDE, IMAGE_SIDE, 1])
  );
}

/**
 * Images as part 1's model takes them.
 *
 * @param images Grey values 0..255, `[n * 784]`.
 * @returns float32 `[n, 28, 28, 1]`; see {@linkcode normalizeMnist}.
 * @throws {RangeError} If the length is not a multiple of 784.
 */
export function mnist28(images: Uint8Array): Tensor4D {
  return transformImages(images, normalizeMnist);
}

/**
 * Applies a transform of pixels to images in memory.
 *
 * @param images Grey values 0..255, `[n * 784]`.
 * @throws {RangeError} If the length is not a multiple of 784.
 */
export function transformImages(
  images: Uint8Array,
  transform: (pixels: Tensor) => Tensor4D,
): Tensor4D {
  const count = images.length / IMAGE_PIXELS;
  if (!Number.isInteger(count)) {
    throw new RangeError(
      `Cannot transform images as their length must be a multiple of ${IMAGE_PIXELS}: current ` +
        `value is ${images.length}`,
    );
  }
  return tf.tidy(() => {
    const bytes = bytesTensor(images, [count, IMAGE_PIXELS]);
    return transform(gatherBytes(bytes, tf.range(0, count, 1, "int32")));
  });
}
