/**
 * What tfjs' kernels get, those that more than one backend puts its own in the place of.
 *
 * @module
 */

import type * as tf from "@tensorflow/tfjs";
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
