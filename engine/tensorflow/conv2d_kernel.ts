/**
 * Convolutions on the CPU, each in the way that is fastest there.
 *
 * Filters of 3×3 and 5×5 on many channels go by {@linkcode winogradConv2d}. Of the others, a large single image
 * is convolved as two on processors with AVX2 but no AVX-512: oneDNN takes its convolution for AVX2 for
 * two images and more, a single one it unfolds into a matrix, which takes twice as long, with any number
 * of threads. The two are its upper and its lower half, each with the rows of the other that the filter
 * reaches.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { Precision } from "../backend.ts";
import { readSystemFile } from "../../io/libc.ts";
import { type KernelArguments, kernelOf, registerKernel } from "../portable/kernel_calls.ts";
import { conv2dInfo } from "../portable/package_kernels.ts";
import { processorFlags } from "./avx_support.ts";
import { isFilterSide, isWinogradFaster, winogradConv2d } from "./winograd.ts";

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
  const info = conv2dInfo({ x, filter }, attributes);
  const { outHeight, outWidth, outChannels, strideHeight, filterHeight, padInfo } = info;
  const work = filter.size * outHeight * outWidth;
  const isWorthIt = x.shape[0] === 1 && outHeight % 2 === 0 && work >= LEAST_WORK;
  const isDilated = info.dilationHeight !== 1 || info.dilationWidth !== 1;
  if (!isWorthIt || isDilated || attributes.dataFormat !== "NHWC") return convolve(x, attributes);
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

/**
 * Whether Winograd's algorithm is looked at: it was measured on x86-64 alone, and transformed values are
 * too coarse in bfloat16.
 *
 * @param device The type of TensorFlow's device.
 * @param precision Number format of convolutions and products.
 */
export function takesWinograd(device: string, precision: Precision): boolean {
  return Deno.build.arch === "x86_64" && device === "CPU" && precision === "float32";
}

/**
 * Convolves by Winograd's algorithm, where that is possible and likely faster.
 *
 * @param x float32 `[n, h, w, c]`.
 * @param filter float32 `[kh, kw, c, out]`.
 * @returns What a convolution makes of `x`, but for rounding; `undefined` where it is better not used.
 */
export function convolveByWinograd(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  attributes: ConvolutionAttributes,
): tf.Tensor4D | undefined {
  if (attributes.dataFormat !== "NHWC") return undefined;
  const info = conv2dInfo({ x, filter }, attributes);
  const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info;
  const isPlain = [strideHeight, strideWidth, info.dilationHeight, info.dilationWidth]
    .every((side) => side === 1);
  if (!isPlain || filterHeight !== filterWidth || !isFilterSide(filterHeight)) return undefined;
  const sizes = { ...info, images: info.batchSize, filterSide: filterHeight };
  if (!isWinogradFaster(sizes)) return undefined;
  return winogradConv2d(x, filter, padInfo);
}

/** What the kernels need of the backend that they run on. */
interface ConvolutionBackend {
  readonly tensorflow: { readonly device: { readonly type: string } };
  readonly convolutionPrecision: Precision;
  /** tfjs-node's; may return `x` itself. */
  applyActivation(
    x: tf.Tensor,
    activation: string | undefined,
    preluWeights: tf.Tensor | undefined,
    leakyReluAlpha: number | undefined,
  ): tf.Tensor;
}

type Conv2d = KernelArguments<
  { x: tf.Tensor4D; filter: tf.Tensor4D },
  ConvolutionAttributes,
  ConvolutionBackend
>;

type FusedConv2d = KernelArguments<
  Conv2d["inputs"] & { bias?: tf.Tensor; preluActivationWeights?: tf.Tensor },
  ConvolutionAttributes & { activation?: string; leakyreluAlpha?: number },
  ConvolutionBackend
>;

/**
 * Replaces the kernels registered for `Conv2D` and, as layers models have it, `FusedConv2D`, on a CPU.
 */
export function registerConv2d(): void {
  const convolve = conv2dKernel();
  registerKernel(BACKEND, "Conv2D", convolve);
  const original = kernelOf(BACKEND, "FusedConv2D").kernelFunc as unknown as (
    args: FusedConv2d,
  ) => tf.Tensor4D;
  registerKernel(BACKEND, "FusedConv2D", (args: FusedConv2d) => {
    const { backend, inputs: { x, filter, bias, preluActivationWeights }, attrs } = args;
    const isPlain = attrs.dataFormat === "NHWC" && backend.tensorflow.device.type === "CPU";
    if (!isPlain) return original(args);
    return tf.tidy(() => {
      const y = convolve({ backend, inputs: { x, filter }, attrs });
      return backend.applyActivation(
        bias ? tf.add(y, bias) : y,
        attrs.activation,
        preluActivationWeights,
        attrs.leakyreluAlpha,
      );
    });
  });
}

function conv2dKernel(): (args: Conv2d) => tf.Tensor4D {
  const original = kernelOf(BACKEND, "Conv2D").kernelFunc as unknown as (
    args: Conv2d,
  ) => tf.Tensor4D;
  let prefersTwo: boolean | undefined;
  return (args) => {
    const { backend, inputs: { x, filter }, attrs } = args;
    const { type } = backend.tensorflow.device;
    if (type !== "CPU") return original(args);
    if (takesWinograd(type, backend.convolutionPrecision)) {
      const result = convolveByWinograd(x, filter, attrs);
      if (result !== undefined) return result;
    }
    // Asked when TensorFlow is there: what it is to compute with is decided before it is loaded.
    prefersTwo ??= prefersTwoImages();
    if (!prefersTwo) return original(args);
    return convolveInHalves(
      x,
      filter,
      attrs,
      (x, attrs) => original({ ...args, inputs: { x, filter }, attrs }),
    );
  };
}
