/**
 * What optimisers keep and need of each parameter.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { NamedTensorMap, Tensor, Variable } from "../engine/ops.ts";

/** A step size, finite and >= 0; or its schedule, from the number of the step, counted from 1. */
export type LearningRate = number | ((step: number) => number);

/** Options of which none is left open. */
export type Settled<Options> = { [Name in keyof Options]-?: NonNullable<Options[Name]> };

/**
 * Refuses settings of an optimiser that make parameters worthless, NaN among them; schedules are not
 * looked into.
 *
 * @param settings By name.
 * @param below What each must be below.
 * @throws {RangeError} If one is not from 0 to below that.
 */
export function requireSettings(
  settings: Readonly<Record<string, LearningRate>>,
  below = Infinity,
): void {
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value !== "number" || value >= 0 && value < below) continue;
    const range = below === Infinity ? "finite and >= 0" : `in [0, ${below})`;
    throw new RangeError(`Cannot train as ${name} must be ${range}: current value is ${value}`);
  }
}

/** The rate of a step, steps counted from 1. */
export function rateAt(rate: LearningRate, step: number): number {
  return typeof rate === "number" ? rate : rate(step);
}

/**
 * A variable of a parameter's shape, all zero, which is not trained.
 *
 * @param name What it is called, in tfjs behind a word that no other has.
 */
export function zeroVariable({ shape }: Pick<Variable, "shape">, name: string): Variable {
  const value = tf.zeros(shape);
  const variable = tf.variable(value, false, `${crypto.randomUUID()}/${name}`);
  value.dispose();
  return variable;
}

/**
 * The gradient of a parameter.
 *
 * @param gradients Under the variables' own names, as `tf.variableGrads` returns them.
 * @param name What the model calls the parameter.
 */
export function gradientOf(gradients: NamedTensorMap, name: string, parameter: Variable): Tensor {
  const gradient = gradients[parameter.name];
  if (gradient === undefined) throw new Error(`No gradient reached the parameter ${name}`);
  return gradient;
}
