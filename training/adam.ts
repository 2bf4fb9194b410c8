/**
 * Adam with PyTorch's L2 `weight_decay`.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import {
  type AdamScalars,
  applyAdam,
  type NamedTensorMap,
  type Scalar,
  type Tensor1D,
  type Variable,
} from "../engine/ops.ts";
import { disposeVariables } from "../models/parameters.ts";
import {
  gradientOf,
  type LearningRate,
  rateAt,
  requireSettings,
  type Settled,
  zeroVariable,
} from "./parameter_state.ts";

/** Settings of {@linkcode Adam}; defaults are PyTorch's. */
export interface AdamOptions {
  /** Step size, or its schedule. */
  learningRate: LearningRate;
  /**
   * Factor of the parameter that is added to its gradient, biases included; finite and >= 0.
   *
   * @default {0}
   */
  weightDecay?: number | undefined;
  /**
   * Decay of the first moment, in [0, 1).
   *
   * @default {0.9}
   */
  beta1?: number | undefined;
  /**
   * Decay of the second moment, in [0, 1).
   *
   * @default {0.999}
   */
  beta2?: number | undefined;
  /**
   * Added to the denominator; finite and >= 0.
   *
   * @default {1e-8}
   */
  epsilon?: number | undefined;
}

/** First and second moment of one parameter, in its layout. */
export interface Moments {
  /** Running mean of the gradient. */
  m: Variable;
  /** Running mean of its square. */
  v: Variable;
}

/**
 * `torch.optim.Adam(parameters, lr, betas, eps, weight_decay)`.
 *
 * What changes from step to step is passed in as tensors, so that a compiled step stays valid:
 * {@linkcode Adam.stepScalars} computes it on the host, {@linkcode Adam.apply} uses it.
 *
 * Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, with bias correction
 * folded into step size and epsilon (end of its section 2).
 */
export class Adam {
  /** Moments under the parameters' names. */
  readonly moments: ReadonlyMap<string, Moments>;
  #parameters: ReadonlyMap<string, Variable>;
  #options: Settled<AdamOptions>;

  /**
   * Makes the moments, all zero.
   *
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(parameters: ReadonlyMap<string, Variable>, options: AdamOptions) {
    this.#parameters = parameters;
    const { learningRate, weightDecay = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
    requireSettings({ learningRate, weightDecay, epsilon });
    requireSettings({ beta1, beta2 }, 1);
    this.#options = { learningRate, weightDecay, beta1, beta2, epsilon };
    this.moments = new Map([...parameters].map(([name, parameter]) => [
      name,
      { m: zeroVariable(parameter, `${name}/m`), v: zeroVariable(parameter, `${name}/v`) },
    ]));
  }

  /** Of a step, steps counted from 1. */
  learningRate(step: number): number {
    return rateAt(this.#options.learningRate, step);
  }

  /**
   * What a step needs besides gradients.
   *
   * @param step Number of the step, from 1.
   * @returns float32 `[2]`: step size with both bias corrections, and epsilon scaled to match.
   */
  stepScalars(step: number): Float32Array {
    const { beta1, beta2, epsilon } = this.#options;
    // The moments decay by float32 betas: corrections of others would be off by up to 1e-5.
    const correction1 = 1 - Math.fround(beta1) ** step;
    const correction2 = Math.sqrt(1 - Math.fround(beta2) ** step);
    const rate = this.learningRate(step);
    return Float32Array.of(rate * correction2 / correction1, epsilon * correction2);
  }

  /**
   * Updates every parameter in place.
   *
   * @param gradients Under the variables' own names, as `tf.variableGrads` returns them.
   * @param scalars float32 `[2]` of {@linkcode Adam.stepScalars}.
   */
  apply(gradients: NamedTensorMap, scalars: Tensor1D): void {
    const { beta1, beta2, weightDecay } = this.#options;
    tf.tidy(() => {
      const [stepSize, epsilon] = tf.unstack(scalars) as [Scalar, Scalar];
      const shared: AdamScalars = {
        stepSize,
        epsilon,
        beta1: tf.scalar(beta1),
        beta2: tf.scalar(beta2),
        ...(weightDecay !== 0 && { weightDecay: tf.scalar(weightDecay) }),
      };
      for (const [name, parameter] of this.#parameters) {
        const gradient = gradientOf(gradients, name, parameter);
        const { m, v } = this.moments.get(name)!;
        applyAdam({ parameter, m, v }, gradient, shared);
      }
    });
  }

  /** Frees the moments of every parameter. */
  dispose(): void {
    for (const { m, v } of this.moments.values()) disposeVariables([m, v]);
  }
}
