/**
 * Convolutions of a single image on processors with AVX2 but no AVX-512.
 *
 * oneDNN takes its convolution for AVX2 for two images and more; a single one it unfolds into a matrix,
 * which takes twice as long, with any number of threads. So a large image is handed over as two: its
 * upper and its lower half, each with the rows of the other that the filter reaches.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { readSystemFile } from "../../io/libc.ts";
import { type KernelArguments, kernelOf, registerKernel } from "../portable/kernel_calls.ts";
import { processorFlags } from "./avx_support.ts";

const BACKEND = "tensorflow";

/** Multiplications from which halves are worth being cut out. */
const LEAST_WORK = 1e8;

/** A convolution as tfjs describes it. */
export interface ConvolutionAttributes {
  strides: number | [number, number];
  pad: "valid" | "same" | tf.backend_util.ExplicitPadding;
  dataFormat: "NHWC" | "NCHW";
  dilations: number | [number, number];
  dimRoundingMode?: "floor" | "round" | "ceil";
}

/** Convolves; `pad` is explicit, or what was asked for. */
type Convolve = (x: tf.Tensor4D, attributes: ConvolutionAttributes) => tf.Tensor4D;

/**
 * Whether oneDNN convolves two images faster than one, by Linux's description of the processor.
 *
 * @param onednn The variable `TF_ENABLE_ONEDNN_OPTS`.
 */
export function prefersTwoImages(
  cpuinfo: string | undefined = readSystemFile("/proc/cpuinfo"),
  onednn: string | undefined = Deno.env.get("TF_ENABLE_ONEDNN_OPTS"),
): boolean {
  const flags = processorFlags(cpuinfo) ?? [];
  return onednn === "1" && flags.includes("avx2") && !flags.includes("avx512f");
}

/**
 * Convolves a single image as two halves, where that is possible and worth it.
 *
 * @param x float32 `[n, h, w, c]`.
 * @param filter float32 `[kh, kw, c, out]`.
 * @param convolve The convolution itself.
 * @returns What `convolve` makes of `x`, but for rounding.
 */
export function convolveInHalves(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  attributes: ConvolutionAttributes,
  convolve: Convolve,
): tf.Tensor4D {
  const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributes;
  const format = tf.backend_util.convertConv2DDataFormat(dataFormat);
  const info = tf.backend_util.computeConv2DInfo(
    ...[x.shape, filter.shape, strides, dilations, pad, dimRoundingMode, false, format] as const,
  );
  const { outHeight, outWidth, outChannels, strideHeight, filterHeight, padInfo } = info;
  const work = filter.size * outHeight * outWidth;
  const isWorthIt = x.shape[0] === 1 && outHeight % 2 === 0 && work >= LEAST_WORK;
  const isDilated = info.dilationHeight !== 1 || info.dilationWidth !== 1;
  if (!isWorthIt || isDilated || dataFormat !== "NHWC") return convolve(x, attributes);
  const [, height, width, channels] = x.shape;
  const step = strideHeight * outHeight / 2;
  const rows = step - strideHeight + filterHeight;
  const below = step + rows - padInfo.top - height;
  return tf.tidy(() => {
    const padded = padInfo.top > 0 || below > 0
      ? x.pad<tf.Tensor4D>([[0, 0], [padInfo.top, Math.max(0, below)], [0, 0], [0, 0]])
      : x;
    // Halves that share no row lie one behind the other already.
    const halves = rows === step && padded.shape[1] === 2 * step
      ? padded.reshape<tf.Tensor4D>([2, rows, width, channels])
      : tf.concat([0, step].map((start) => padded.slice([0, start], [1, rows])), 0) as tf.Tensor4D;
    const y = convolve(halves, {
      ...attributes,
      pad: [[0, 0], [0, 0], [padInfo.left, padInfo.right], [0, 0]],
    });
    return y.reshape<tf.Tensor4D>([1, outHeight, outWidth, outChannels]);
  });
}

/** What the kernel needs of the backend that it runs on. */
interface ConvolutionBackend {
  readonly tensorflow: { readonly device: { readonly type: string } };
}

type Conv2d = KernelArguments<
  { x: tf.Tensor4D; filter: tf.Tensor4D },
  ConvolutionAttributes,
  ConvolutionBackend
>;

/** Replaces the kernel registered for `Conv2D`, on a CPU of which {@linkcode prefersTwoImages} holds. */
export function registerConv2d(): void {
  const original = kernelOf(BACKEND, "Conv2D").kernelFunc as unknown as (
    args: Conv2d,
  ) => tf.Tensor4D;
  let prefersTwo: boolean | undefined;
  registerKernel(BACKEND, "Conv2D", (args: Conv2d) => {
    // Asked when TensorFlow is there: what it is to compute with is decided before it is loaded.
    prefersTwo ??= prefersTwoImages();
    if (!prefersTwo || args.backend.tensorflow.device.type !== "CPU") return original(args);
    const { x, filter } = args.inputs;
    return convolveInHalves(
      x,
      filter,
      args.attrs,
      (x, attrs) => original({ ...args, inputs: { x, filter }, attrs }),
    );
  });
}
