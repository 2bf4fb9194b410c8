/**
 * Initial parameters.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { randomNormal, randomUniform } from "../engine/ops.ts";
import type { ParameterLayout } from "./parameters.ts";

/** Makes the initial value of one of {@linkcode Parameters}, in PyTorch's layout. */
export type Initializer = (layout: ParameterLayout, index: number) => tf.Tensor;

/**
 * Uniform in ±1/√fan_in, weights and biases alike: what `torch.nn.Conv2d` and `torch.nn.Linear` do
 * (`kaiming_uniform_(a=√5)`).
 *
 * @param seed Integer 0..2³¹-1; equal seeds give equal values.
 * @param offset Added to a parameter's index, where a model has several sets of them.
 */
export function defaultInitializer(seed: number, offset = 0): Initializer {
  return ({ torchShape, fanIn }, index) => {
    const bound = 1 / Math.sqrt(fanIn);
    // The inner result goes at once: the largest parameters are there no more than twice.
    return tf.tidy(() =>
      tf.tidy(() => randomUniform([...torchShape], keyOf(seed, offset + index)).mul(2 * bound))
        .sub(bound)
    );
  };
}

/**
 * Weights normal with standard deviation √(2/fan_in), biases zero (He et al. 2015; torch's
 * `kaiming_normal_` with `mode="fan_in"`).
 *
 * @param seed Integer 0..2³¹-1; equal seeds give equal values.
 */
export function heInitializer(seed: number): Initializer {
  return ({ torchShape, fanIn }, index) => {
    const shape = [...torchShape];
    if (shape.length === 1) return tf.zeros(shape);
    return tf.tidy(() => randomNormal(shape, keyOf(seed, index)).mul(Math.sqrt(2 / fanIn)));
  };
}

/** Second words below zero belong to initialisation; training steps count from 1. */
function keyOf(seed: number, index: number): tf.Tensor1D {
  return tf.tensor1d([seed, -1 - index], "int32");
}
