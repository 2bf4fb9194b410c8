/**
 * What training and evaluation take: batches from a source, and a model for them.
 *
 * A batch may be images, gathered on the device, or features of images, read from a cache: the loop
 * is the same.
 *
 * @module
 */

import type * as tf from "@tensorflow/tfjs";
import type { Parameters } from "../models/parameters.ts";

/** Examples with their classes, from which batches are made. */
export interface BatchSource<Input extends tf.Tensor> {
  /** Number of examples. */
  readonly count: number;
  /** Classes, `[count]`. */
  readonly labels: Uint8Array;
  /**
   * The arguments of a compiled function for one batch; called inside `tf.tidy()`.
   *
   * @param indices int32 `[n]`, each 0..count-1.
   */
  tensors(indices: Int32Array): tf.Tensor[];
  /**
   * Makes the batch of those arguments; called inside the compiled function.
   *
   * @returns What the model takes, `[n, ...]`, and the classes, int32 `[n]`.
   */
  batch(tensors: readonly tf.Tensor[]): { inputs: Input; targets: tf.Tensor1D };
}

/** A model that can be trained: a whole classifier, or the part of one that works on features. */
export interface TrainableModel<Input extends tf.Tensor> {
  /** What is trained. */
  readonly parameters: Parameters;
  /**
   * Computes logits.
   *
   * @param inputs A batch, `[n, ...]`.
   * @param dropoutKey int32 `[2]`; when given, dropout is on and drawn from this key.
   * @returns float32 `[n, numClasses]`.
   */
  forward(inputs: Input, dropoutKey?: tf.Tensor1D): tf.Tensor2D;
}
