/**
 * How part 2 takes a detector's answer for a digit.
 *
 * @module
 */

import { DATA } from "../study.ts";

/** What a detector found in one image: n boxes with their scores and labels. */
export interface Detection {
  /** [n*4] corners x1, y1, x2, y2 of each box, in input pixels. */
  boxes: Float32Array;
  /** [n] confidence of each box, 0..1. */
  scores: Float32Array;
  /** [n] class of each box: 0 is background, k is the digit k − 1. */
  labels: Int32Array;
}

/** What {@linkcode mapDetectionsToDigit} needs of a {@linkcode Detection}. */
export interface ScoredLabels {
  /** [n] confidences; only their order counts. */
  scores: ArrayLike<number>;
  /** [n] integer labels. */
  labels: ArrayLike<number>;
}

/**
 * The digit of the highest-scoring detection that is not background.
 *
 * The study takes the highest-scoring detection, reads label k as digit k − 1, and lets a background
 * winner (label 0) give way to the best detection that is not background. Of equal scores the first
 * wins; the order of the detections does not matter otherwise.
 *
 * @param detection Scores and labels of one image's detections, as many of one as of the other.
 * @param numClasses Classes of the detector's head, background included; labels are
 * 0..numClasses−1.
 * @returns A digit in 0..numClasses−2, or −1 when nothing but background was detected.
 * @throws {RangeError} If the lengths differ, a label is out of range, or a score is NaN (it has no
 * place in an order, and PyTorch's argmax would call it the best).
 */
export function mapDetectionsToDigit(
  detection: ScoredLabels,
  numClasses = DATA.classes + 1,
): number {
  const { scores, labels } = detection;
  if (!Number.isInteger(numClasses) || numClasses < 2) {
    throw new RangeError(
      `Cannot map detections as numClasses must be an integer >= 2: current value is ${numClasses}`,
    );
  }
  if (scores.length !== labels.length) {
    throw new RangeError(
      "Cannot map detections as scores and labels must have the same length: " +
        `current lengths are ${scores.length} and ${labels.length}`,
    );
  }
  let best = -1;
  let digit = -1;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    const score = scores[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= numClasses) {
      throw new RangeError(
        `Cannot map labels[${i}] to a digit as it must be an integer in 0..${numClasses - 1}: ` +
          `current value is ${label}`,
      );
    }
    if (Number.isNaN(score)) {
      throw new RangeError(`Cannot rank scores[${i}] as it must be a number: current value is NaN`);
    }
    if (label !== 0 && (best === -1 || score > scores[best]!)) {
      best = i;
      digit = label - 1;
    }
  }
  return digit;
}
