/**
 * Convolutions and gradients of max-pools without elements, such as those of no images, which are made
 * without TensorFlow: oneDNN's convolutions give them the shape of the images, and in functions its
 * gradients of max-pools end the process.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { registerForNone } from "../portable/no_elements.ts";

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
  for (const kernelName of ["Conv2D", "FusedConv2D"]) {
    registerForNone(BACKEND, kernelName, conv2dShape);
  }
  for (const kernelName of ["DepthwiseConv2dNative", "FusedDepthwiseConv2D"]) {
    registerForNone(
      BACKEND,
      kernelName,
      (inputs: Filtered, attrs: Convolution2d) => conv2dShape(inputs, attrs, true),
    );
  }
  registerForNone(
    BACKEND,
    "Conv3D",
    ({ x, filter }: Filtered, { strides, dilations, pad }: Convolution3d) =>
      tf.backend_util.computeConv3DInfo(
        ...[x.shape as FiveLengths, filter.shape as FiveLengths, strides, dilations, pad] as const,
      ).outShape,
  );
  for (const kernelName of ["MaxPoolGrad", "MaxPool3DGrad"]) {
    registerForNone(BACKEND, kernelName, ({ input }: { input: tf.Tensor }) => input.shape);
  }
}

interface Filtered extends Record<string, tf.TensorInfo> {
  x: tf.TensorInfo;
  filter: tf.TensorInfo;
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
