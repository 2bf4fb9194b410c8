/**
 * The gradient of a two-dimensional convolution by its filter, as a product of matrices: the package's
 * program gives each element of the filter to one thread, which goes over all images alone.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { type KernelArguments, kernelOf, registerKernel } from "../portable/kernel_calls.ts";
import type { WebGpuKernels } from "./kernels.ts";
import { BACKEND } from "./package.ts";
import { type Product, runProduct } from "./tiled_product.ts";

type Shape4D = [number, number, number, number];

type FilterGradient = KernelArguments<
  { x: tf.TensorInfo; dy: tf.TensorInfo },
  {
    strides: number | [number, number];
    pad: "valid" | "same" | number | tf.backend_util.ExplicitPadding;
    dataFormat: "NHWC" | "NCHW";
    dimRoundingMode?: "floor" | "round" | "ceil";
    filterShape: Shape4D;
  },
  WebGpuKernels
>;

/** Row `m` is a place and channel of the filter, column `n` a channel, and term `k` a place of `dy`. */
const PRODUCT: Product = {
  settings: `
    in_height: i32, in_width: i32, in_channels: u32,
    out_height: u32, out_width: u32, filter_width: u32,
    stride_height: u32, stride_width: u32, top: i32, left: i32,
  `,
  functions: `
  fn left(m: u32, k: u32) -> f32 {
    let channel = m % settings.in_channels;
    let filter_x = (m / settings.in_channels) % settings.filter_width;
    let filter_y = m / settings.in_channels / settings.filter_width;
    let out_x = k % settings.out_width;
    let out_y = (k / settings.out_width) % settings.out_height;
    let image = k / settings.out_width / settings.out_height;
    let in_x = i32(out_x * settings.stride_width + filter_x) - settings.left;
    let in_y = i32(out_y * settings.stride_height + filter_y) - settings.top;
    if (in_x < 0 || in_x >= settings.in_width || in_y < 0 || in_y >= settings.in_height) {
      return 0.0;
    }
    let row = i32(image) * settings.in_height + in_y;
    return a[u32(row * settings.in_width + in_x) * settings.in_channels + channel];
  }
  fn right(k: u32, n: u32) -> f32 { return b[k * settings.n + n]; }
  `,
  leftAlong: "m",
  rightAlong: "n",
};

/** Registers it, in the place of the package's own. */
export function registerConv2dFilterGradient(): void {
  const own = kernelOf(BACKEND, "Conv2DBackpropFilter");
  registerKernel(BACKEND, "Conv2DBackpropFilter", (args: FilterGradient) => {
    // The package's program does what nothing of the study needs.
    if (args.attrs.dataFormat !== "NHWC") {
      return own.kernelFunc(args as never) as tf.TensorInfo;
    }
    return filterGradient(args);
  });
}

function filterGradient({ inputs: { x, dy }, attrs, backend }: FilterGradient): tf.TensorInfo {
  const { filterShape, strides, pad, dimRoundingMode } = attrs;
  const info = tf.backend_util.computeConv2DInfo(
    ...[x.shape as Shape4D, filterShape, strides, 1, pad, dimRoundingMode] as const,
  );
  const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth } = info;
  return runProduct(backend, PRODUCT, {
    a: x,
    b: dy,
    m: filterHeight * filterWidth * inChannels,
    n: outChannels,
    k: info.batchSize * outHeight * outWidth,
    settings: [
      ...[inHeight, inWidth, inChannels, outHeight, outWidth, filterWidth],
      ...[strideHeight, strideWidth, padInfo.top, padInfo.left],
    ],
    shape: filterShape,
  });
}
