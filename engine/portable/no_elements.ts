/**
 * Results without elements, such as those of no images, which are made without computing: packages'
 * kernels fail on them, or give them other sizes.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { type KernelArguments, kernelOf, registerKernel } from "./kernel_calls.ts";
import { conv2dInfo, type ConvolutionInputs } from "./package_kernels.ts";

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

/** What a kernel of one tensor gets. */
export interface OneInput extends Record<string, tf.TensorInfo> {
  x: tf.TensorInfo;
}

/** {@linkcode registerForNone} for all two-dimensional convolutions. */
export function registerConv2dForNone(backendName: string): void {
  type Attributes = Parameters<typeof conv2dInfo>[1];
  const kernels = [
    ...["Conv2D", "FusedConv2D"].map((name) => ({ name, isDepthwise: false })),
    ...["DepthwiseConv2dNative", "FusedDepthwiseConv2D"].map((name) => ({
      name,
      isDepthwise: true,
    })),
  ];
  for (const { name, isDepthwise } of kernels) {
    registerForNone(
      backendName,
      name,
      (inputs: ConvolutionInputs, attrs: Attributes) =>
        conv2dInfo(inputs, attrs, isDepthwise).outShape,
    );
  }
}
