/**
 * Convolutions and gradients of max-pools without elements, such as those of no images, which are made
 * without TensorFlow: oneDNN's convolutions give them the shape of the images, and in functions its
 * gradients of max-pools end the process.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { registerConv2dForNone, registerForNone } from "../portable/no_elements.ts";
import type { ConvolutionInputs } from "../portable/package_kernels.ts";

const BACKEND = "tensorflow";

/** What tells how a three-dimensional convolution's result is shaped. */
interface Convolution3d {
  strides: number | [number, number, number];
  pad: "valid" | "same";
  dilations: number | [number, number, number];
}

/** Wraps the kernels that are registered; later ones would not be wrapped. */
export function registerNoElements(): void {
  registerConv2dForNone(BACKEND);
  registerForNone(
    BACKEND,
    "Conv3D",
    ({ x, filter }: ConvolutionInputs, { strides, dilations, pad }: Convolution3d) =>
      tf.backend_util.computeConv3DInfo(
        ...[x.shape as FiveLengths, filter.shape as FiveLengths, strides, dilations, pad] as const,
      ).outShape,
  );
  for (const kernelName of ["MaxPoolGrad", "MaxPool3DGrad"]) {
    registerForNone(BACKEND, kernelName, ({ input }: { input: tf.Tensor }) => input.shape);
  }
}

type FiveLengths = [number, number, number, number, number];
