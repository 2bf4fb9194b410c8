/**
 * Results without elements, such as those of no images, which are made without computing: packages'
 * kernels fail on them, or give them other sizes.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { type KernelArguments, kernelOf, registerKernel } from "./kernel_calls.ts";

/**
 * Has a kernel give a result without elements at once; it is called for all others. One that is
 * registered later is not wrapped.
 *
 * @param backendName That the kernel is registered for.
 * @param shapeOf What tells the result's sizes.
 * @param dtypeOf What tells its type, where that is not float32.
 */
export function registerForNone<Inputs extends Record<string, tf.TensorInfo>, Attributes>(
  backendName: string,
  kernelName: string,
  shapeOf: (inputs: Inputs, attrs: Attributes) => number[],
  dtypeOf: (inputs: Inputs) => tf.DataType = () => "float32",
): void {
  type Arguments = KernelArguments<Inputs, Attributes, unknown>;
  const original = kernelOf(backendName, kernelName).kernelFunc as unknown as (
    args: Arguments,
  ) => tf.TensorInfo;
  registerKernel(backendName, kernelName, (args: Arguments) => {
    const shape = shapeOf(args.inputs, args.attrs);
    return shape.includes(0) ? tf.zeros(shape, dtypeOf(args.inputs)) : original(args);
  });
}

/** What tells how a two-dimensional convolution's result is shaped. */
interface Convolution2d {
  strides: number | [number, number];
  pad: "valid" | "same" | number | tf.backend_util.ExplicitPadding;
  dataFormat?: "NHWC" | "NCHW";
  dilations?: number | [number, number];
  dimRoundingMode?: "floor" | "round" | "ceil";
}

/** What a convolution gets, of any kind. */
export interface Filtered extends Record<string, tf.TensorInfo> {
  x: tf.TensorInfo;
  filter: tf.TensorInfo;
}

/** {@linkcode registerForNone} for all two-dimensional convolutions. */
export function registerConv2dForNone(backendName: string): void {
  for (const kernelName of ["Conv2D", "FusedConv2D"]) {
    registerForNone(backendName, kernelName, conv2dShape);
  }
  for (const kernelName of ["DepthwiseConv2dNative", "FusedDepthwiseConv2D"]) {
    registerForNone(
      backendName,
      kernelName,
      (inputs: Filtered, attrs: Convolution2d) => conv2dShape(inputs, attrs, true),
    );
  }
}

type Lengths = [number, number, number, number];

function conv2dShape(
  { x, filter }: Filtered,
  { strides, pad, dataFormat = "NHWC", dilations, dimRoundingMode }: Convolution2d,
  isDepthwise = false,
): number[] {
  const format = tf.backend_util.convertConv2DDataFormat(dataFormat);
  const shapes = [x.shape as Lengths, filter.shape as Lengths] as const;
  return tf.backend_util.computeConv2DInfo(
    ...[...shapes, strides, dilations ?? 1, pad, dimRoundingMode, isDepthwise, format] as const,
  ).outShape;
}
