/**
 * A running mean of the parameters, which does better than the last of them.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { CompiledFunction } from "../engine/compile.ts";
import type { Engine } from "../engine/engine.ts";
import type { Scalar, Variable } from "../engine/ops.ts";
import { requirePositiveWhole } from "../io/positive_whole.ts";
import { disposeVariables } from "../models/parameters.ts";
import { zeroVariable } from "./parameter_state.ts";

/** Settings of {@linkcode WeightAverage}. */
export interface WeightAverageOptions {
  /** Share of the mean that stays when parameters are taken in, 0..1. */
  decay: number;
  /** Steps from one time that the parameters are taken in to the next, a whole number >= 1. */
  every: number;
}

/**
 * `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn(decay)`: the parameters of the first
 * time, and of each later time `1 - decay`.
 */
export class WeightAverage {
  /** The means, under the parameters' names. */
  readonly variables: ReadonlyMap<string, Variable>;
  #parameters: ReadonlyMap<string, Variable>;
  #options: WeightAverageOptions;
  #update: CompiledFunction<tf.Tensor[], void>;

  /**
   * Makes the means, all zero.
   *
   * @throws {RangeError} If `every` is not a positive whole number or `decay` not in 0..1.
   */
  constructor(
    engine: Engine,
    parameters: ReadonlyMap<string, Variable>,
    options: WeightAverageOptions,
  ) {
    const { decay, every } = options;
    requirePositiveWhole("average parameters", "every", every);
    if (!(decay >= 0 && decay <= 1)) {
      throw new RangeError(
        `Cannot average parameters as decay must be in [0, 1]: current value is ${decay}`,
      );
    }
    this.#parameters = parameters;
    this.#options = { decay, every };
    this.variables = new Map(
      [...parameters].map(([name, one]) => [name, zeroVariable(one, `${name}/average`)]),
    );
    this.#update = engine.compile((...[share]: tf.Tensor[]): void => {
      for (const [name, mean] of this.variables) {
        mean.assign(mean.add(parameters.get(name)!.sub(mean).mul(share as Scalar)));
      }
    });
  }

  /**
   * Takes the parameters in if it is their turn.
   *
   * @param step How many steps have been made.
   */
  update(step: number): void {
    const { decay, every } = this.#options;
    if (step % every !== 0) return;
    tf.tidy(() => this.#update(tf.scalar(step === every ? 1 : 1 - decay)));
  }

  /**
   * Exchanges parameters and means, which a second call undoes; nothing before the first update.
   *
   * @param step How many steps have been made.
   */
  swap(step: number): void {
    if (step < this.#options.every) return;
    for (const [name, mean] of this.variables) {
      const parameter = this.#parameters.get(name)!;
      tf.tidy(() => {
        const before = parameter.add(0);
        parameter.assign(mean.add(0));
        mean.assign(before);
      });
    }
  }

  /** Frees the means on the device. */
  dispose(): void {
    this.#update.dispose();
    disposeVariables(this.variables.values());
  }
}
