/**
 * PyTorch's default initialisation.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { randomUniform } from "../engine/ops.ts";
import type { ParameterLayout } from "./parameters.ts";

/**
 * Uniform in ±1/√fan_in, weights and biases alike: what `torch.nn.Conv2d` and `torch.nn.Linear` do
 * (`kaiming_uniform_(a=√5)`).
 *
 * @param seed Integer 0..2³¹-1; equal seeds give equal values.
 * @returns An initialiser for {@linkcode Parameters}, values in PyTorch's layout.
 */
export function defaultInitializer(
  seed: number,
): (layout: ParameterLayout, index: number) => tf.Tensor {
  return ({ torchShape, fanIn }, index) => {
    const bound = 1 / Math.sqrt(fanIn);
    // Second words below zero belong to initialisation; training steps count from 1.
    const key = tf.tensor1d([seed, -1 - index], "int32");
    return randomUniform([...torchShape], key).mul(2 * bound).sub(bound);
  };
}
