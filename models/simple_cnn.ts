/**
 * SimpleCNN, the study's own network, trained from scratch in part 1.
 *
 * Two convolutions with max-pooling and two linear layers with dropout between them; PyTorch's
 * names are `conv1`, `conv2`, `fc1`, `fc2`, each with `weight` and `bias`.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { dropout, relu } from "../engine/ops.ts";
import { requirePositiveWhole } from "../io/positive_whole.ts";
import { DATA, SIMPLE_CNN } from "../study.ts";
import type { Classifier } from "./classifier.ts";
import { conv2dReluMaxPool, linear } from "./layers.ts";
import {
  bias,
  conv2dWeight,
  defaultInitializer,
  flattenedLinearWeight,
  type Initializer,
  linearWeight,
  type ParameterLayout,
  Parameters,
} from "./parameters.ts";

/** Options of {@linkcode simpleCnn}. */
export interface SimpleCnnOptions {
  /**
   * Number of classes.
   *
   * @default {10}
   */
  numClasses?: number;
  /**
   * Seed of the initial parameters, an integer 0..2³¹-1.
   *
   * @default {1}
   */
  seed?: number;
  /**
   * Probability that dropout zeroes a hidden unit in training.
   *
   * @default {0.5}
   */
  dropoutRate?: number;
  /**
   * Makes the initial parameters.
   *
   * @default {defaultInitializer(seed)}
   */
  initializer?: Initializer;
}

/**
 * A SimpleCNN, initialised as PyTorch does by default. An engine must be running.
 *
 * Its images are `[n, 28, 28, 1]`, normalised as {@linkcode mnist28} does; it throws a `RangeError` on
 * those of other sizes. Up to 31 rows and columns are taken, as in PyTorch: pooling drops the rest.
 *
 * @throws {RangeError} If `numClasses` is not a positive whole number.
 */
export function simpleCnn(options: SimpleCnnOptions = {}): Classifier {
  const { numClasses = DATA.classes, seed = 1, dropoutRate = 0.5 } = options;
  const { initializer = defaultInitializer(seed) } = options;
  requirePositiveWhole("build a model", "numClasses", numClasses);
  const parameters = new Parameters(simpleCnnLayouts(numClasses), initializer);
  const dispose = () => parameters.dispose();
  return {
    name: SIMPLE_CNN.name,
    numClasses,
    parameters,
    forward: (images, key) => forward(parameters, images, key && { rate: dropoutRate, key }),
    loadStateDict: (state, { path } = {}) => parameters.load(state, SIMPLE_CNN.title, path),
    stateDict: () => parameters.stateDict(),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/** The parameters' layouts by PyTorch's names. */
export function simpleCnnLayouts(numClasses: number): Map<string, ParameterLayout> {
  return new Map([
    ["conv1.weight", conv2dWeight(1, 32, 5)],
    ["conv1.bias", bias(32, 25)],
    ["conv2.weight", conv2dWeight(32, 64, 5)],
    ["conv2.bias", bias(64, 800)],
    ["fc1.weight", flattenedLinearWeight([64, 7, 7], 1000)],
    ["fc1.bias", bias(1000, 3136)],
    ["fc2.weight", linearWeight(1000, numClasses)],
    ["fc2.bias", bias(numClasses, 1000)],
  ]);
}

function forward(
  parameters: Parameters,
  images: tf.Tensor4D, // [n, 28, 28, 1]
  hiddenDropout?: { rate: number; key: tf.Tensor1D },
): tf.Tensor2D {
  return tf.tidy(() => {
    let x = conv2dReluMaxPool(images, parameters, "conv1"); // [n, 14, 14, 32]
    x = conv2dReluMaxPool(x, parameters, "conv2"); // [n, 7, 7, 64]
    requireDigits(images, x);
    const flat = x.reshape<tf.Tensor2D>([x.shape[0], 3136]); // [n, 3136]
    let hidden = relu(linear(flat, parameters, "fc1")); // [n, 1000]
    if (hiddenDropout) hidden = dropout(hidden, hiddenDropout.rate, hiddenDropout.key);
    return linear(hidden, parameters, "fc2"); // [n, numClasses]
  });
}

/** Refuses images that leave other maps to the linear layers than those of 28 by 28 pixels do. */
function requireDigits(images: tf.Tensor4D, { shape: [, rows, columns] }: tf.Tensor4D): void {
  if (rows === 7 && columns === 7) return;
  const [, height, width] = images.shape;
  throw new RangeError(
    `Cannot classify images of ${height} × ${width} pixels: SimpleCNN takes 28 × 28, which leave its ` +
      `linear layers maps of 7 × 7, not of ${rows} × ${columns}`,
  );
}
