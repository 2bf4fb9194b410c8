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

/**
 * Refuses classes that a model has no logit for, of which some backends make wrong gradients.
 *
 * @param action What cannot be done, as in `train`.
 * @param source Its labels, if it has classes for targets.
 * @param model Its number of classes, if its outputs are logits.
 * @throws {RangeError} If a label is not below `numClasses`.
 */
export function requireKnownLabels(
  action: string,
  { labels }: { labels?: Uint8Array | undefined },
  { numClasses }: { numClasses?: number | undefined },
): void {
  if (labels === undefined || numClasses === undefined) return;
  const largest = labels.reduce((most, label) => Math.max(most, label), 0);
  if (largest < numClasses) return;
  throw new RangeError(
    `Cannot ${action} as each label must be < ${numClasses}, the model's numClasses: current value ` +
      `of the largest is ${largest}`,
  );
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
