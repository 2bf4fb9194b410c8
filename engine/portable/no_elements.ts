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
 */
export function registerForNone<Inputs extends Record<string, tf.TensorInfo>, Attributes>(
  backendName: string,
  kernelName: string,
  shapeOf: (inputs: Inputs, attrs: Attributes) => number[],
): void {
  type Arguments = KernelArguments<Inputs, Attributes, unknown>;
  const original = kernelOf(backendName, kernelName).kernelFunc as unknown as (
    args: Arguments,
  ) => tf.TensorInfo;
  registerKernel(backendName, kernelName, (args: Arguments) => {
    const shape = shapeOf(args.inputs, args.attrs);
    return shape.includes(0) ? tf.zeros(shape) : original(args);
  });
}
