/**
 * Convolutions and gradients of max-pools without elements, such as those of no images, which are made
 * without TensorFlow: oneDNN's convolutions give them the shape of the images, and in functions its
 * gradients of max-pools end the process.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { type KernelArguments, kernelOf, registerKernel } from "../portable/kernel_calls.ts";

const BACKEND = "tensorflow";

/** What tells how a two-dimensional convolution's result is shaped. */
interface Convolution2d {
  strides: number | [number, number];
  pad: "valid" | "same" | number | tf.backend_util.ExplicitPadding;
  dataFormat?: "NHWC" | "NCHW";
  dilations?: number | [number, number];
  dimRoundingMode?: "floor" | "round" | "ceil";
}

/** The same of a three-dimensional one. */
interface Convolution3d {
  strides: number | [number, number, number];
  pad: "valid" | "same";
  dilations: number | [number, number, number];
}

/** Wraps the kernels that are registered; later ones would not be wrapped. */
export function registerNoImages(): void {
  for (const kernelName of ["Conv2D", "FusedConv2D"]) registerForNone(kernelName, conv2dShape);
  for (const kernelName of ["DepthwiseConv2dNative", "FusedDepthwiseConv2D"]) {
    registerForNone(
      kernelName,
      (inputs: Filtered, attrs: Convolution2d) => conv2dShape(inputs, attrs, true),
    );
  }
  registerForNone(
    "Conv3D",
    ({ x, filter }: Filtered, { strides, dilations, pad }: Convolution3d) =>
      tf.backend_util.computeConv3DInfo(
        ...[x.shape as FiveLengths, filter.shape as FiveLengths, strides, dilations, pad] as const,
      ).outShape,
  );
  for (const kernelName of ["MaxPoolGrad", "MaxPool3DGrad"]) {
    registerForNone(kernelName, ({ input }: { input: tf.Tensor }) => input.shape);
  }
}

interface Filtered {
  x: tf.Tensor;
  filter: tf.Tensor;
}

type FourLengths = [number, number, number, number];
type FiveLengths = [...FourLengths, number];

function conv2dShape(
  { x, filter }: Filtered,
  { strides, pad, dataFormat = "NHWC", dilations, dimRoundingMode }: Convolution2d,
  isDepthwise = false,
): number[] {
  const format = tf.backend_util.convertConv2DDataFormat(dataFormat);
  const shapes = [x.shape as FourLengths, filter.shape as FourLengths] as const;
  return tf.backend_util.computeConv2DInfo(
    ...[...shapes, strides, dilations ?? 1, pad, dimRoundingMode, isDepthwise, format] as const,
  ).outShape;
}

/** Has the kernel of that name give a result without elements at once. */
function registerForNone<Inputs, Attributes>(
  kernelName: string,
  shapeOf: (inputs: Inputs, attrs: Attributes) => number[],
): void {
  type Arguments = KernelArguments<Inputs, Attributes, unknown>;
  const original = kernelOf(BACKEND, kernelName).kernelFunc as unknown as (
    args: Arguments,
  ) => tf.Tensor;
  registerKernel(BACKEND, kernelName, (args: Arguments) => {
    const shape = shapeOf(args.inputs, args.attrs);
    return shape.includes(0) ? tf.zeros(shape) : original(args);
  });
}
