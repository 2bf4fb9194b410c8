/**
 * Operations of the frozen features of part 4, counted from shapes as in `flops.ts`.
 *
 * @module
 */

import { convFlop, type ConvShape, type LayerCost } from "./flops.ts";

/** A convolution by the size of its result, its channels and its kernel. */
type Row = readonly [size: number, inChannels: number, outChannels: number, kernelSize: number];

/** VGG16's convolutions. */
export const VGG16_FEATURES: readonly LayerCost[] = layers([
  [224, 3, 64, 3],
  [224, 64, 64, 3],
  [112, 64, 128, 3],
  [112, 128, 128, 3],
  [56, 128, 256, 3],
  [56, 256, 256, 3],
  [56, 256, 256, 3],
  [28, 256, 512, 3],
  [28, 512, 512, 3],
  [28, 512, 512, 3],
  [14, 512, 512, 3],
  [14, 512, 512, 3],
  [14, 512, 512, 3],
]);

/** AlexNet's convolutions. */
export const ALEXNET_FEATURES: readonly LayerCost[] = layers([
  [55, 3, 64, 11],
  [27, 64, 192, 5],
  [13, 192, 384, 3],
  [13, 384, 256, 3],
  [13, 256, 256, 3],
]);

function layers(rows: readonly Row[]): LayerCost[] {
  return rows.map(([size, inChannels, outChannels, kernelSize], index) => {
    const shape: ConvShape = { height: size, width: size, inChannels, outChannels, kernelSize };
    return { name: `conv${index + 1}`, flop: convFlop(shape) };
  });
}
