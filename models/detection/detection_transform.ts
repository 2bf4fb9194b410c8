/**
 * From images of any size to one batch: `torchvision`'s `GeneralizedRCNNTransform`.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { IMAGENET_NORMALIZATION } from "../../study.ts";
import type { ImageSize } from "./boxes.ts";

/** What happens to images before the network sees them; torchvision's names and defaults. */
export interface DetectionTransformOptions {
  /**
   * The shorter side's length in pixels after resizing.
   *
   * @default {800}
   */
  minSize?: number;
  /**
   * The longer side's largest length in pixels; the shorter side is reduced to keep the proportions.
   *
   * @default {1333}
   */
  maxSize?: number;
  /**
   * Subtracted from the three channels. Zeros leave images as they are given.
   *
   * @default {IMAGENET_NORMALIZATION.mean}
   */
  imageMean?: readonly [number, number, number];
  /**
   * Divides the three channels. Ones leave images as they are given.
   *
   * @default {IMAGENET_NORMALIZATION.std}
   */
  imageStd?: readonly [number, number, number];
}

/** Images made one batch. */
export interface ImageBatch {
  /** float32 `[n, h, w, 3]`, h and w multiples of 32, zeros right of and below each image. */
  images: tf.Tensor4D;
  /** Each image's size after resizing, without padding. */
  sizes: ImageSize[];
}

/** Sides of a batch are multiples of this, the stride of the network's smallest map. */
const SIZE_DIVISIBLE = 32;

/** The options with their defaults filled in. */
export function transformDefaults(
  options: DetectionTransformOptions,
): Required<DetectionTransformOptions> {
  const { minSize = 800, maxSize = 1333 } = options;
  const { imageMean = IMAGENET_NORMALIZATION.mean, imageStd = IMAGENET_NORMALIZATION.std } =
    options;
  return { minSize, maxSize, imageMean, imageStd };
}

/** The size to which an image of this size is resized. */
export function resizedSize(
  [height, width]: ImageSize,
  { minSize, maxSize }: Pick<Required<DetectionTransformOptions>, "minSize" | "maxSize">,
): ImageSize {
  const scale = Math.min(minSize / Math.min(height, width), maxSize / Math.max(height, width));
  return [Math.floor(height * scale), Math.floor(width * scale)];
}

/**
 * Normalises, resizes (bilinear, half-pixel centres, no antialiasing) and pads images.
 *
 * @param images float32 `[h, w, 3]` each, of any sizes, at least one.
 * @throws {RangeError} If there is no image, or one is not of that shape or would have no pixels left.
 */
export function batchImages(
  images: readonly tf.Tensor3D[],
  options: Required<DetectionTransformOptions>,
): ImageBatch {
  if (images.length === 0) throw new RangeError("Cannot make a batch of no images");
  const sizes = images.map(({ shape }, i) => {
    const [height, width, channels] = shape;
    if (shape.length !== 3 || channels !== 3 || height < 1 || width < 1) {
      throw new RangeError(
        `Cannot detect in images[${i}] as its shape must be [h, w, 3]: current shape is [${shape}]`,
      );
    }
    const resized = resizedSize([height, width], options);
    if (Math.min(...resized) < 1) {
      throw new RangeError(
        `Cannot detect in images[${i}] as both sides must keep a pixel when resized: ` +
          `${height} × ${width} becomes ${resized.join(" × ")}`,
      );
    }
    return resized;
  });
  const divisible = (side: number) => Math.ceil(side / SIZE_DIVISIBLE) * SIZE_DIVISIBLE;
  const height = divisible(Math.max(...sizes.map(([height]) => height)));
  const width = divisible(Math.max(...sizes.map(([, width]) => width)));
  const batch = tf.tidy(() => {
    const parts = images.map((image, i) => {
      const [h, w] = sizes[i]!;
      const normalised = image.sub(options.imageMean).div<tf.Tensor3D>(options.imageStd);
      const resized = tf.image.resizeBilinear(normalised, [h, w], false, true);
      return resized.pad<tf.Tensor3D>([[0, height - h], [0, width - w], [0, 0]]);
    });
    return tf.stack(parts) as tf.Tensor4D; // [n, height, width, 3]
  });
  return { images: batch, sizes };
}

/**
 * Boxes of one image size carried over to another, in place.
 *
 * @param boxes `[n*4]` corners in pixels.
 */
export function resizeBoxes(boxes: Float32Array, from: ImageSize, to: ImageSize): void {
  const ratioY = Math.fround(to[0] / from[0]);
  const ratioX = Math.fround(to[1] / from[1]);
  for (let at = 0; at < boxes.length; at += 2) {
    boxes[at] = boxes[at]! * ratioX;
    boxes[at + 1] = boxes[at + 1]! * ratioY;
  }
}
