/**
 * What tfjs' kernels get, those that more than one backend puts its own in the place of, and what
 * follows from it.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { KernelArguments } from "./kernel_calls.ts";

/** Lengths of four axes. */
export type Shape4D = [number, number, number, number];

/** How a window goes over images, as convolution and pooling have it. */
interface WindowAttributes {
  strides: number | [number, number];
  pad: "valid" | "same" | number | tf.backend_util.ExplicitPadding;
  dimRoundingMode?: "floor" | "round" | "ceil";
}

/** What kernels of a convolution's gradients are told of it; see tfjs' `conv2d`. */
export interface ConvolutionAttributes extends WindowAttributes {
  dataFormat: "NHWC" | "NCHW";
}

/** What a convolution gets. */
export interface ConvolutionInputs extends Record<string, tf.TensorInfo> {
  x: tf.TensorInfo;
  filter: tf.TensorInfo;
}

/**
 * How a convolution goes over its images, and how its result is shaped.
 *
 * @param attrs Without `dataFormat` it is of `NHWC`, without `dilations` of 1.
 */
export function conv2dInfo(
  { x, filter }: ConvolutionInputs,
  attrs: WindowAttributes & Partial<Pick<ConvolutionAttributes, "dataFormat">> & {
    dilations?: number | [number, number];
  },
  isDepthwise = false,
): tf.backend_util.Conv2DInfo {
  const { strides, pad, dimRoundingMode, dataFormat = "NHWC", dilations = 1 } = attrs;
  const shapes = [x.shape as Shape4D, filter.shape as Shape4D] as const;
  const format = tf.backend_util.convertConv2DDataFormat(dataFormat);
  return tf.backend_util.computeConv2DInfo(
    ...[...shapes, strides, dilations, pad, dimRoundingMode, isDepthwise, format] as const,
  );
}

/** What `BatchMatMul` gets: matrices, or batches of them. */
export type MatMulArguments<Kernels> = KernelArguments<
  { a: tf.TensorInfo; b: tf.TensorInfo },
  { transposeA: boolean; transposeB: boolean },
  Kernels
>;

/** What `Conv2DBackpropFilter` gets: images, and the gradient by the results. */
export type FilterGradientArguments<Kernels> = KernelArguments<
  { x: tf.TensorInfo; dy: tf.TensorInfo },
  ConvolutionAttributes & { filterShape: Shape4D },
  Kernels
>;

/** What `MaxPoolGrad` gets: images, the largest of each window, and the gradient by those. */
export type MaxPoolGradArguments<Kernels> = KernelArguments<
  { dy: tf.TensorInfo; input: tf.TensorInfo; output: tf.TensorInfo },
  WindowAttributes & { filterSize: number | [number, number] },
  Kernels
>;
