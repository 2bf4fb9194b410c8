/**
 * Gradients of a two-dimensional convolution as convolutions, which the package has a fast kernel for.
 *
 * It has no kernel for the filter's gradient, and one for the input's that is ten times slower.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm/dist/backend_wasm.js";
import {
  type KernelArguments,
  KernelCalls,
  kernelOf,
  registerKernel,
} from "../portable/kernel_calls.ts";
import type {
  ConvolutionAttributes,
  FilterGradientArguments,
  Shape4D,
} from "../portable/package_kernels.ts";
import { BACKEND } from "./package.ts";

type InputGradient = KernelArguments<
  { dy: tf.TensorInfo; filter: tf.TensorInfo },
  ConvolutionAttributes & { inputShape: Shape4D },
  BackendWasm
>;

/** Registers both, the input's in the place of the package's own. */
export function registerConv2dGradients(): void {
  const own = kernelOf(BACKEND, "Conv2DBackpropInput");
  registerKernel(BACKEND, "Conv2DBackpropFilter", filterGradient);
  registerKernel(BACKEND, "Conv2DBackpropInput", (args: InputGradient) => inputGradient(args, own));
}

/**
 * The gradient by the filter: channels become images and images channels, and dy, spread out by the
 * stride, is the filter that goes over them.
 */
function filterGradient(
  { inputs: { x, dy }, attrs, backend }: FilterGradientArguments<BackendWasm>,
): tf.TensorInfo {
  const { strides, pad, dataFormat, dimRoundingMode, filterShape } = attrs;
  refuseChannelsFirst(dataFormat);
  const shape = x.shape as Shape4D;
  const info = tf.backend_util.computeConv2DInfo(
    ...[shape, filterShape, strides, 1, pad, dimRoundingMode] as const,
  );
  const [height, width] = [
    { length: info.inHeight, out: info.outHeight, stride: info.strideHeight },
    { length: info.inWidth, out: info.outWidth, stride: info.strideWidth },
  ].map(({ length, out, stride }, axis) => {
    const before = axis === 0 ? info.padInfo.top : info.padInfo.left;
    // What the filter touches, which may leave out the last rows.
    const touched = (out - 1) * stride + filterShape[axis]!;
    return { size: Math.min(length, touched - before), before, touched };
  }) as [Extent, Extent];
  using calls = new KernelCalls(BACKEND, backend);
  let images = x; // [n, h, w, in]
  if (height.size < shape[1] || width.size < shape[2]) {
    const size = [shape[0], height.size, width.size, shape[3]];
    images = calls.run("Slice", { x: images }, { begin: [0, 0, 0, 0], size });
  }
  const paddings = [[0, 0], sides(height), sides(width), [0, 0]];
  images = calls.run("PadV2", { x: images }, { paddings, constantValue: 0 });
  images = calls.transpose(images, [3, 1, 2, 0]); // [in, h, w, n]
  const filter = calls.transpose(dy, [1, 2, 0, 3]); // [h, w, n, out]
  const gradient = calls.run("Conv2D", { x: images, filter }, {
    strides: 1,
    pad: "valid",
    dataFormat: "NHWC",
    dilations: [info.strideHeight, info.strideWidth],
  }); // [in, k, k, out]
  return calls.keep(calls.transpose(gradient, [1, 2, 0, 3]));
}

/** How a filter goes over one axis of an input. */
interface Extent {
  /** Places of the input that it touches. */
  size: number;
  /** Zeros that are put before them. */
  before: number;
  /** Places that it touches, zeros included. */
  touched: number;
}

function sides({ size, before, touched }: Extent): [number, number] {
  return [before, touched - before - size];
}

/**
 * The gradient by the input: with stride 1, dy goes through the filter turned by half a circle, from
 * its outputs to its inputs.
 */
function inputGradient(args: InputGradient, own: tf.KernelConfig): tf.TensorInfo {
  const { inputs: { dy, filter }, attrs, backend } = args;
  const { strides, pad, dataFormat, dimRoundingMode, inputShape } = attrs;
  refuseChannelsFirst(dataFormat);
  const filterShape = filter.shape as Shape4D;
  const info = tf.backend_util.computeConv2DInfo(
    ...[inputShape, filterShape, strides, 1, pad, dimRoundingMode] as const,
  );
  const { inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth, padInfo } = info;
  const top = filterHeight - 1 - padInfo.top;
  const left = filterWidth - 1 - padInfo.left;
  const bottom = inHeight - outHeight + padInfo.top;
  const right = inWidth - outWidth + padInfo.left;
  using calls = new KernelCalls(BACKEND, backend);
  const isUnitStride = info.strideHeight === 1 && info.strideWidth === 1;
  // What conv2dTranspose() is asked for need not be what a convolution gives.
  const isConvolved = dy.shape[1] === outHeight && dy.shape[2] === outWidth;
  // The package's kernel does the rest, which nothing that the study trains needs.
  if (!isUnitStride || !isConvolved || Math.min(top, left, bottom, right) < 0) {
    return calls.keep(calls.call(own, { dy, filter }, { ...attrs }));
  }
  const turned = calls.run("Reverse", { x: filter }, { dims: [0, 1] });
  return calls.keep(
    calls.run("Conv2D", { x: dy, filter: calls.transpose(turned, [0, 1, 3, 2]) }, {
      strides: 1,
      pad: [[0, 0], [top, bottom], [left, right], [0, 0]],
      dataFormat: "NHWC",
      dilations: 1,
    }),
  );
}

function refuseChannelsFirst(dataFormat: string): void {
  if (dataFormat === "NHWC") return;
  throw new Error(`Cannot take the gradient of a convolution of ${dataFormat} images: use NHWC`);
}
