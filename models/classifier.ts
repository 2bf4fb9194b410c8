/**
 * What training and evaluation need of a model that maps images to class scores.
 *
 * @module
 */

import type * as tf from "@tensorflow/tfjs";
import type { Parameters } from "./parameters.ts";
import type { StateDict } from "./state_dict.ts";

/** A model that scores each image for each class. */
export interface Classifier {
  /** The name that the study's results carry. */
  readonly name: string;
  /** Number of classes, the length of a row of logits. */
  readonly numClasses: number;
  /** Trainable parameters, under PyTorch's names and in PyTorch's order. */
  readonly parameters: Parameters;
  /**
   * Computes logits.
   *
   * @param images float32 `[n, h, w, c]`, normalised.
   * @param dropoutKey int32 `[2]`; when given, dropout is on and drawn from this key.
   * @returns float32 `[n, numClasses]`.
   */
  forward(images: tf.Tensor4D, dropoutKey?: tf.Tensor1D): tf.Tensor2D;
  /**
   * Takes over all parameters of a checkpoint.
   *
   * @throws {StudyError} If names are missing, unknown or of another shape; all are listed.
   */
  loadStateDict(state: StateDict): void;
  /** The parameters as PyTorch would save them. */
  stateDict(): StateDict;
  /** Frees the parameters. */
  dispose(): void;
}
