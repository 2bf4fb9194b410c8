/**
 * What a training step minimises: cross-entropy, with label smoothing if asked for.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import {
  type Scalar,
  sparseSoftmaxCrossEntropy,
  type Tensor1D,
  type Tensor2D,
} from "../engine/ops.ts";

/**
 * What a step minimises, and how many examples it counts as classified correctly: two float32
 * scalars.
 */
export type Loss<Output, Targets> = (
  outputs: Output,
  targets: Targets,
) => { loss: Scalar; correct: Scalar };

/** `torch.nn.CrossEntropyLoss` of logits `[n, classes]` and classes, int32 `[n]`. */
export function crossEntropy(
  logits: Tensor2D,
  labels: Tensor1D,
): { loss: Scalar; correct: Scalar } {
  return {
    loss: sparseSoftmaxCrossEntropy(logits, labels).mean(),
    correct: countCorrect(logits, labels),
  };
}

/** How many rows of logits `[n, classes]` are largest at their class, int32 `[n]`. */
export function countCorrect(logits: Tensor2D, labels: Tensor1D): Scalar {
  return logits.argMax(1).equal(labels).cast("float32").sum();
}

/**
 * `torch.nn.CrossEntropyLoss(label_smoothing=smoothing)`: the label counts for `1 - smoothing`, and
 * `smoothing` is spread evenly over all classes.
 *
 * @param smoothing 0..1.
 * @returns A loss of logits `[n, classes]` and classes, int32 `[n]`.
 */
export function smoothedCrossEntropy(
  smoothing: number,
): (logits: Tensor2D, labels: Tensor1D) => { loss: Scalar; correct: Scalar } {
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw new RangeError(
      `Cannot smooth labels as smoothing must be in [0, 1]: current value is ${smoothing}`,
    );
  }
  return (logits, labels) => {
    const loss = tf.tidy(() => {
      const classes = logits.shape[1];
      // What moving a share of the label to all classes costs: the logits say it, without softmax.
      const label = tf.oneHot(labels, classes).cast("float32").sub(1 / classes);
      const cost = logits.mul(label).sum(1).mul(smoothing);
      return sparseSoftmaxCrossEntropy(logits, labels).add(cost).mean() as Scalar;
    });
    return { loss, correct: countCorrect(logits, labels) };
  };
}
