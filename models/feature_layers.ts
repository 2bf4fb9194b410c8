/**
 * The layers that a frozen network's features go through, one after the other.
 *
 * @module
 */

import { makesOneOpOfConv2dRelu, type Tensor4D } from "../engine/ops.ts";
import type { Architecture } from "./frozen_feature_layout.ts";
import { conv2dRelu, conv2dReluMaxPool, maxPool2d } from "./layers.ts";
import type { Parameters } from "./parameters.ts";

/** A convolution with its ReLU, which has a name, or a max-pool. */
export interface FeatureLayer {
  readonly name?: string;
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;
}

/** A network's layers, from the image to the last feature maps. */
export function featureLayers({ convolutions }: Architecture): FeatureLayer[] {
  return convolutions.flatMap(({ name, kernelSize, stride = 1, padding, maxPool }) => [
    { name, kernelSize, stride, padding },
    ...(maxPool ? [{ kernelSize: maxPool.size, stride: maxPool.stride, padding: 0 }] : []),
  ]);
}

/** How layers are run; see {@linkcode runFeatureLayers}. */
export interface FeatureLayerOptions {
  /**
   * Whether rows and columns are padded.
   *
   * @default {[true, true]}
   */
  isPadded?: readonly [rows: boolean, columns: boolean];
  /** Applied to what a convolution takes from another layer. */
  mask?: ((y: Tensor4D) => Tensor4D) | undefined;
}

/**
 * Runs layers.
 *
 * @param x float32 `[n, h, w, c]`.
 * @param parameters The convolutions'.
 * @returns float32 `[n, h, w, c]`.
 */
export function runFeatureLayers(
  layers: readonly FeatureLayer[],
  x: Tensor4D,
  parameters: Parameters,
  { isPadded = [true, true], mask }: FeatureLayerOptions = {},
): Tensor4D {
  const isOneOp = makesOneOpOfConv2dRelu();
  for (let index = 0; index < layers.length; index++) {
    const { name, kernelSize, stride, padding } = layers[index]!;
    if (name === undefined) {
      x = maxPool2d(x, kernelSize, stride);
      continue;
    }
    if (index > 0 && mask !== undefined) x = mask(x);
    const [rows, columns] = isPadded.map((is) => (is ? padding : 0)) as [number, number];
    const convolution = { stride, padding: [rows, columns] } as const;
    const next = layers[index + 1];
    if (!isOneOp && next !== undefined && next.name === undefined) {
      const pool = { size: next.kernelSize, stride: next.stride };
      x = conv2dReluMaxPool(x, parameters, name, { ...convolution, pool });
      index++;
    } else x = conv2dRelu(x, parameters, name, convolution);
  }
  return x;
}
