/** A small model with frozen features, for tests of what is built on such models. */

import * as tf from "@tensorflow/tfjs";
import { dropout, relu } from "../../engine/ops.ts";
import type { FrozenFeatureClassifier } from "../../models/classifier.ts";
import { conv2dReluMaxPool, linear } from "../../models/layers.ts";
import {
  bias,
  conv2dWeight,
  defaultInitializer,
  linearWeight,
  Parameters,
} from "../../models/parameters.ts";

/** Features of an image. */
export const TINY_FEATURES = 14 * 14 * 4;

/** The parts of a {@linkcode FrozenFeatureClassifier} that training uses, on images of 28×28. */
export type TinyModel = Pick<
  FrozenFeatureClassifier,
  | "numClasses"
  | "parameters"
  | "frozen"
  | "featureCount"
  | "features"
  | "classify"
  | "forward"
  | "dispose"
>;

/** A convolution that stays as it is, and two linear layers with dropout between them. */
export function tinyModel(seed = 1): TinyModel {
  const frozen = new Parameters(
    new Map([["features.0.weight", conv2dWeight(1, 4, 3)], ["features.0.bias", bias(4, 9)]]),
    defaultInitializer(seed),
  );
  const parameters = new Parameters(
    new Map([
      ["classifier.0.weight", linearWeight(TINY_FEATURES, 32)],
      ["classifier.0.bias", bias(32, TINY_FEATURES)],
      ["classifier.3.weight", linearWeight(32, 10)],
      ["classifier.3.bias", bias(10, 32)],
    ]),
    defaultInitializer(seed, 2),
  );
  const features = (images: tf.Tensor4D) =>
    tf.tidy(() =>
      conv2dReluMaxPool(images, frozen, "features.0")
        .reshape<tf.Tensor2D>([images.shape[0], TINY_FEATURES])
    );
  const classify = (features: tf.Tensor2D, key?: tf.Tensor1D) =>
    tf.tidy(() => {
      const hidden = relu(linear(features, parameters, "classifier.0"));
      const kept = key === undefined ? hidden : dropout(hidden, 0.5, key);
      return linear(kept, parameters, "classifier.3");
    });
  return {
    numClasses: 10,
    parameters,
    frozen,
    featureCount: TINY_FEATURES,
    features,
    classify,
    forward: (images, key) => tf.tidy(() => classify(features(images), key)),
    dispose() {
      frozen.dispose();
      parameters.dispose();
    },
  };
}
