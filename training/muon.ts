/**
 * Muon: steps that are orthogonal matrices.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { NamedTensorMap, Scalar, Tensor2D, Variable } from "../engine/ops.ts";
import { disposeVariables } from "../models/parameters.ts";
import {
  gradientOf,
  type LearningRate,
  rateAt,
  requireSettings,
  type Settled,
  zeroVariable,
} from "./parameter_state.ts";

/** Settings of {@linkcode Muon}; defaults are PyTorch's, but for the decay. */
export interface MuonOptions {
  /** Step size, or its schedule. */
  learningRate: LearningRate;
  /**
   * Decay of the running mean of the gradient, which is looked ahead of as Nesterov does; in [0, 1).
   *
   * @default {0.95}
   */
  momentum?: number | undefined;
  /**
   * Share of a parameter that goes with a step of size 1, apart from the gradient; finite and >= 0.
   *
   * @default {0}
   */
  weightDecay?: number | undefined;
}

/** Iterations towards an orthogonal matrix, and their polynomial `a x + b x³ + c x⁵`. */
const ITERATIONS = 5;
const POLYNOMIAL = { a: 3.4445, b: -4.775, c: 2.0315 } as const;

/** Added to a norm that divides. */
const EPSILON = 1e-7;

/**
 * `torch.optim.Muon(parameters, lr, weight_decay, momentum, nesterov=True)`.
 *
 * A parameter of more than two dimensions is taken for a matrix of one row for each of its outputs,
 * as `weight.flatten(1)` makes one in PyTorch.
 *
 * Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
 */
export class Muon {
  /** Running means of the gradients, under the parameters' names. */
  readonly momenta: ReadonlyMap<string, Variable>;
  #parameters: ReadonlyMap<string, Variable>;
  #options: Settled<MuonOptions>;

  /**
   * Makes the running means, all zero.
   *
   * @param parameters Each `[..., in, out]`.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(parameters: ReadonlyMap<string, Variable>, options: MuonOptions) {
    this.#parameters = parameters;
    const { learningRate, momentum = 0.95, weightDecay = 0 } = options;
    requireSettings({ learningRate, weightDecay });
    requireSettings({ momentum }, 1);
    this.#options = { learningRate, momentum, weightDecay };
    this.momenta = new Map(
      [...parameters].map(([name, one]) => [name, zeroVariable(one, `${name}/momentum`)]),
    );
  }

  /** Of a step, steps counted from 1. */
  learningRate(step: number): number {
    return rateAt(this.#options.learningRate, step);
  }

  /**
   * Updates every parameter in place.
   *
   * @param gradients Under the variables' own names, as `tf.variableGrads` returns them.
   * @param learningRate Of the step, float32 `[]`.
   */
  apply(gradients: NamedTensorMap, learningRate: Scalar): void {
    const { momentum, weightDecay } = this.#options;
    tf.tidy(() => {
      for (const [name, parameter] of this.#parameters) {
        const gradient = gradientOf(gradients, name, parameter);
        const mean = this.momenta.get(name)!;
        mean.assign(mean.mul(momentum).add(gradient.mul(1 - momentum)));
        const ahead = gradient.mul(1 - momentum).add(mean.mul(momentum));
        const outputs = parameter.shape.at(-1)!;
        const matrix = ahead.reshape<Tensor2D>([-1, outputs]);
        const scale = Math.sqrt(Math.max(1, outputs / matrix.shape[0]));
        const step = orthogonal(matrix).mul(learningRate.mul(scale)).reshape(parameter.shape);
        const kept = weightDecay === 0
          ? parameter
          : parameter.mul(tf.scalar(1).sub(learningRate.mul(weightDecay)));
        parameter.assign(kept.sub(step));
      }
    });
  }

  /** Frees the running means. */
  dispose(): void {
    disposeVariables(this.momenta.values());
  }
}

/**
 * Nearly the orthogonal matrix next to a matrix: with its singular vectors, and singular values of
 * about 0.7 to 1.2 each, by Newton and Schulz's iteration.
 *
 * @param matrix float32 `[m, n]`.
 */
export function orthogonal(matrix: Tensor2D): Tensor2D {
  return tf.tidy(() => {
    const isTall = matrix.shape[0] > matrix.shape[1];
    const { a, b, c } = POLYNOMIAL;
    let x = matrix.div(matrix.square().sum().sqrt().add(EPSILON)) as Tensor2D;
    for (let i = 0; i < ITERATIONS; i++) {
      // The smaller of the two products of the matrix with itself.
      const square = tf.matMul(x, x, isTall, !isTall);
      const factor = square.mul(b).add(tf.matMul(square, square).mul(c)) as Tensor2D;
      x = x.mul(a).add(isTall ? tf.matMul(x, factor) : tf.matMul(factor, x)) as Tensor2D;
    }
    return x;
  });
}
