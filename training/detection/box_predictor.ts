/**
 * What trains a detector's box predictor, `cls_score` and `bbox_pred`, on features computed once:
 * batches of boxes, the predictor as a model on them, and its loss.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { linear } from "../../models/layers.ts";
import type { Parameters } from "../../models/parameters.ts";
import { countCorrect, type Loss } from "../cross_entropy.ts";
import type { BatchSource, TrainableModel } from "../trainer.ts";
import { fastRcnnLoss } from "./fast_rcnn_loss.ts";

/** Boxes that a predictor is trained on. */
export interface TrainingBoxes {
  /** What the box head makes of each box: `[n * 1024]`. */
  features: Float32Array;
  /** Classes `[n]`: 0 is background, k is the digit k − 1. */
  labels: Int32Array;
  /** Deltas from each box to the digit's, `[n * 4]`; zeros for background. */
  targets: Float32Array;
}

/** What the predictor should say of a batch of boxes. */
export interface BoxTargets {
  /** int32 `[n]`; 0 is background. */
  labels: tf.Tensor1D;
  /** float32 `[n, 4]`. */
  deltas: tf.Tensor2D;
}

/** What the predictor says of a batch of boxes. */
export interface BoxOutputs {
  /** float32 `[n, classes]`. */
  logits: tf.Tensor2D;
  /** float32 `[n, classes * 4]`, class after class. */
  deltas: tf.Tensor2D;
}

/** Boxes on the device, 4 KiB each. Their maker frees them. */
export class BoxBatches implements BatchSource<tf.Tensor2D, BoxTargets>, Disposable {
  readonly count: number;
  #data: [features: tf.Tensor2D, labels: tf.Tensor1D, deltas: tf.Tensor2D];

  /** Copies the boxes to the device. */
  constructor({ features, labels, targets }: TrainingBoxes) {
    const count = this.count = labels.length;
    this.#data = [
      tf.tensor2d(features, [count, features.length / count]),
      tf.tensor1d(labels, "int32"),
      tf.tensor2d(targets, [count, 4]),
    ];
  }

  tensors(indices: Int32Array): tf.Tensor[] {
    return [...this.#data, tf.tensor1d(indices.slice(), "int32")];
  }

  batch(tensors: readonly tf.Tensor[]): { inputs: tf.Tensor2D; targets: BoxTargets } {
    const [features, labels, deltas, indices] = tensors as [
      tf.Tensor2D,
      tf.Tensor1D,
      tf.Tensor2D,
      tf.Tensor1D,
    ];
    return {
      inputs: tf.gather(features, indices),
      targets: { labels: tf.gather(labels, indices), deltas: tf.gather(deltas, indices) },
    };
  }

  [Symbol.dispose](): void {
    tf.dispose(this.#data);
  }
}

/** A predictor as a model on features of boxes, `[n, 1024]`; what is before it stays as it is. */
export function boxPredictor(parameters: Parameters): TrainableModel<tf.Tensor2D, BoxOutputs> {
  return {
    parameters,
    forward: (features) => ({
      logits: linear(features, parameters, "roi_heads.box_predictor.cls_score"),
      deltas: linear(features, parameters, "roi_heads.box_predictor.bbox_pred"),
    }),
  };
}

/** {@linkcode fastRcnnLoss} for a trainer. It counts boxes, those of background among them. */
export const boxLoss: Loss<BoxOutputs, BoxTargets> = ({ logits, deltas }, targets) => ({
  loss: fastRcnnLoss(logits, deltas, targets.labels, targets.deltas),
  correct: countCorrect(logits, targets.labels),
});
