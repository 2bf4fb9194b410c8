/**
 * Floating-point operations, counted from shapes: a multiplication and an addition are two. And bytes,
 * where more time goes by waiting for memory than by computing.
 *
 * @module
 */

/** A layer that multiplies, for one image. */
export interface LayerCost {
  /** As PyTorch calls it. */
  name: string;
  /** Operations of the forward pass; either gradient, input's or weight's, takes as many. */
  flop: number;
}

/** A convolution that keeps the size. */
export interface ConvShape {
  height: number;
  width: number;
  inChannels: number;
  outChannels: number;
  kernelSize: number;
}

/** SimpleCNN's second convolution, where most of its work is. */
export const CONV2: ConvShape = {
  height: 14,
  width: 14,
  inChannels: 32,
  outChannels: 64,
  kernelSize: 5,
};

/** Square matrices that are multiplied to see what the machine can do: one round is four products. */
export const MATRIX = { size: 2048, products: 4 } as const;

/** SimpleCNN's layers that multiply; the rest is not counted. */
export const SIMPLE_CNN_LAYERS: readonly LayerCost[] = [
  {
    name: "conv1",
    flop: convFlop({ height: 28, width: 28, inChannels: 1, outChannels: 32, kernelSize: 5 }),
  },
  { name: "conv2", flop: convFlop(CONV2) },
  { name: "fc1", flop: matmulFlop(1, 3136, 1000) },
  { name: "fc2", flop: matmulFlop(1, 1000, 10) },
];

/** Operations of a convolution of one image, its zero padding counted like any pixel. */
export function convFlop(
  { height, width, inChannels, outChannels, kernelSize }: ConvShape,
): number {
  return 2 * height * width * outChannels * inChannels * kernelSize ** 2;
}

/** Operations of `[m, k]` times `[k, n]`. */
export function matmulFlop(m: number, k: number, n: number): number {
  return 2 * m * k * n;
}

/** Operations of a forward pass. */
export function forwardFlop(layers: readonly LayerCost[], images: number): number {
  return images * layers.reduce((sum, { flop }) => sum + flop, 0);
}

/** Operations of a training step: three passes, less the first layer's gradient of the images. */
export function stepFlop(layers: readonly LayerCost[], images: number): number {
  return 3 * forwardFlop(layers, images) - images * (layers[0]?.flop ?? 0);
}

/** Parameters that are updated to see how fast memory is: four arrays of 134 MB, beyond any cache. */
export const ADAM_PARAMETERS = 1 << 25;

const FLOAT_BYTES = 4;

/** Of Adam in one pass: gradient, parameter and two moments are read, all but the gradient written. */
export function adamBytes(parameters: number): number {
  return 7 * FLOAT_BYTES * parameters;
}

/** Of a training step of large linear layers: a weight read, a gradient written, and Adam. */
export function linearStepBytes(parameters: number): number {
  return 2 * FLOAT_BYTES * parameters + adamBytes(parameters);
}

/** A convolution by the size of its result, its channels and its kernel. */
type Row = readonly [size: number, inChannels: number, outChannels: number, kernelSize: number];

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
