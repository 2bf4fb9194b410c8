/**
 * Digits moved, turned and stretched a little, each in a way of its own, on the device.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import {
  randomUniform,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  warpImages,
} from "../engine/ops.ts";
import type { AugmentationSettings } from "../study.ts";
import { IMAGE_PIXELS, IMAGE_SIDE } from "./idx.ts";

/** Far from the second words of other keys: steps count from 1, parameters from -1 down. */
const KEY_OFFSET = 1 << 20;

/** Random numbers of an image: horizontal and vertical shift, angle, shear, two scales. */
const DRAWS = 6;

/**
 * Moves each image in a random way, with bilinear interpolation; what comes in from outside is 0.
 *
 * The image is turned and stretched about its centre. The result is a pure function of its arguments.
 *
 * @param pixels float32 `[n, 784]`.
 * @param key int32 `[2]`, the step's: seed and number of the step.
 * @returns float32 `[n, 784]`.
 */
export function augment(
  pixels: Tensor,
  key: Tensor1D,
  settings: AugmentationSettings,
): Tensor {
  return tf.tidy(() => {
    const count = pixels.shape[0]!;
    const ownKey = key.mul(tf.tensor1d([1, -1], "int32"))
      .sub(tf.tensor1d([0, KEY_OFFSET], "int32")) as Tensor1D;
    const uniform = randomUniform([count, DRAWS], ownKey).mul(2).sub(1) as Tensor2D;
    const images = pixels.reshape<tf.Tensor4D>([count, IMAGE_SIDE, IMAGE_SIDE, 1]);
    return warpImages(images, transforms(uniform, settings)).reshape([count, IMAGE_PIXELS]);
  });
}

/**
 * Where each pixel of an image comes from: column `a0 x + a1 y + a2`, row `b0 x + b1 y + b2`.
 *
 * @param uniform float32 `[n, 6]`, -1..1: horizontal and vertical shift, angle, shear, two scales.
 * @returns float32 `[n, 8]`: a0, a1, a2, b0, b1, b2, 0, 0.
 */
export function transforms(
  uniform: Tensor2D,
  { shift = 0, rotation = 0, shear = 0, scale = 0 }: AugmentationSettings,
): Tensor2D {
  return tf.tidy(() => {
    const centre = (IMAGE_SIDE - 1) / 2;
    const [right, down, turn, slant, width, height] = tf.split(uniform, DRAWS, 1) as Tensor2D[];
    const angle = turn!.mul(rotation * Math.PI / 180);
    const [cosine, sine] = [angle.cos(), angle.sin()];
    const [stretchX, stretchY] = [width!.mul(scale).add(1), height!.mul(scale).add(1)];
    const row = (x: Tensor, y: Tensor, by: Tensor) => {
      const offset = by.mul(shift).add(tf.scalar(centre).sub(x.add(y).mul(centre)));
      return [x, y, offset];
    };
    const zero = tf.zerosLike(turn!);
    return tf.concat([
      ...row(cosine.mul(stretchX), slant!.mul(shear).sub(sine.mul(stretchY)), right!),
      ...row(sine.mul(stretchX), cosine.mul(stretchY), down!),
      zero,
      zero,
    ] as Tensor2D[], 1);
  });
}
