/**
 * Classification metrics, equal to scikit-learn's. Arguments are in scikit-learn's order: what is
 * true first, what was predicted second.
 *
 * Labels are integers from 0. A prediction that is no class (−1, no detection) is left out by the
 * caller, who reports how many there were.
 *
 * @module
 */

/**
 * Counts how often each class was predicted as each class.
 *
 * @param targets True labels, integers in 0..numClasses−1.
 * @param predictions Predicted labels, as many, in the same range.
 * @param numClasses Rows and columns of the result; by default the largest label seen plus one.
 * @returns `matrix[target][prediction]` as counts; `[]` for empty input without `numClasses`.
 * @throws {RangeError} If the lengths differ, a label is not an integer from 0, or a label is not
 * below `numClasses`.
 */
export function confusionMatrix(
  targets: ArrayLike<number>,
  predictions: ArrayLike<number>,
  numClasses?: number,
): number[][] {
  if (numClasses !== undefined && (!Number.isInteger(numClasses) || numClasses < 0)) {
    throw new RangeError(
      "Cannot make a confusion matrix as numClasses must be an integer >= 0: " +
        `current value is ${numClasses}`,
    );
  }
  checkSameLength(targets, predictions);
  checkLabels(targets, { name: "targets", numClasses });
  checkLabels(predictions, { name: "predictions", numClasses });
  const size = numClasses ?? 1 + Math.max(largest(targets), largest(predictions));
  const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (let i = 0; i < targets.length; i++) {
    const row = matrix[targets[i]!]!;
    row[predictions[i]!] = row[predictions[i]!]! + 1;
  }
  return matrix;
}

/**
 * The fraction of predictions that are correct, as scikit-learn's `accuracy_score`.
 *
 * @param targets True labels, integers from 0.
 * @param predictions Predicted labels, as many.
 * @returns A fraction in 0..1. Empty input gives 0, the study's value where there is no valid
 * prediction (scikit-learn refuses empty input).
 * @throws {RangeError} If the lengths differ or a label is not an integer from 0.
 */
export function accuracy(targets: ArrayLike<number>, predictions: ArrayLike<number>): number {
  checkSameLength(targets, predictions);
  checkLabels(targets, { name: "targets" });
  checkLabels(predictions, { name: "predictions" });
  let correct = 0;
  for (let i = 0; i < targets.length; i++) if (targets[i] === predictions[i]) correct++;
  return targets.length === 0 ? 0 : correct / targets.length;
}

/** How often a class was true, predicted, and both at once. */
export interface ClassCounts {
  /** Samples that are of the class. */
  support: number;
  /** Samples that were predicted to be. */
  predicted: number;
  /** Samples that are and were predicted to be. */
  correct: number;
}

/**
 * F1 of one class, 2·TP / (2·TP + FP + FN).
 *
 * @returns A score in 0..1; 0 for a class that is neither true nor predicted.
 */
export function f1Score({ support, predicted, correct }: ClassCounts): number {
  // 2·TP + FP + FN is the number of times the class is true plus those it is predicted.
  return support + predicted === 0 ? 0 : 2 * correct / (support + predicted);
}

/**
 * The F1 scores of the classes, averaged with each class's number of true samples as its weight, as
 * scikit-learn's `f1_score(average="weighted", zero_division=0)`. A class that is never true has
 * weight 0.
 *
 * @returns A score in 0..1; 0 without samples, the study's value where there is no valid prediction.
 */
export function weightedMeanF1(classes: Iterable<ClassCounts>): number {
  let samples = 0;
  let sum = 0;
  for (const counts of classes) {
    samples += counts.support;
    sum += counts.support * f1Score(counts);
  }
  return samples === 0 ? 0 : sum / samples;
}

/**
 * {@linkcode weightedMeanF1} of predictions: scikit-learn's
 * `f1_score(targets, predictions, average="weighted", zero_division=0)`.
 *
 * @param targets True labels, integers from 0.
 * @param predictions Predicted labels, as many.
 * @returns A score in 0..1. Empty input gives 0, the study's value where there is no valid
 * prediction (scikit-learn refuses empty input).
 * @throws {RangeError} If the lengths differ or a label is not an integer from 0.
 */
export function weightedF1(targets: ArrayLike<number>, predictions: ArrayLike<number>): number {
  checkSameLength(targets, predictions);
  checkLabels(targets, { name: "targets" });
  checkLabels(predictions, { name: "predictions" });
  const classes = new Map<number, ClassCounts>();
  for (let i = 0; i < targets.length; i++) countsOf(classes, targets[i]!).support++;
  for (let i = 0; i < predictions.length; i++) {
    const counts = countsOf(classes, predictions[i]!);
    counts.predicted++;
    if (targets[i] === predictions[i]) counts.correct++;
  }
  return weightedMeanF1(classes.values());
}

function countsOf(classes: Map<number, ClassCounts>, label: number): ClassCounts {
  const known = classes.get(label);
  if (known !== undefined) return known;
  const counts = { support: 0, predicted: 0, correct: 0 };
  classes.set(label, counts);
  return counts;
}

/** Row and column sums of a confusion matrix, and what is on its diagonal. */
export function classCounts(confusion: readonly (readonly number[])[]): ClassCounts[] {
  return confusion.map((row, label) => ({
    support: row.reduce((sum, count) => sum + count, 0),
    predicted: confusion.reduce((sum, other) => sum + other[label]!, 0),
    correct: row[label]!,
  }));
}

function largest(labels: ArrayLike<number>): number {
  let result = -1;
  for (let i = 0; i < labels.length; i++) result = Math.max(result, labels[i]!);
  return result;
}

function checkSameLength(targets: ArrayLike<number>, predictions: ArrayLike<number>): void {
  if (targets.length !== predictions.length) {
    throw new RangeError(
      "Cannot compare targets and predictions as they must have the same length: " +
        `current lengths are ${targets.length} and ${predictions.length}`,
    );
  }
}

function checkLabels(
  labels: ArrayLike<number>,
  options: { name: string; numClasses?: number | undefined },
): void {
  const { name, numClasses = Infinity } = options;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0) {
      throw new RangeError(
        `Cannot use ${name}[${i}] as a label as it must be an integer >= 0: ` +
          `current value is ${label}`,
      );
    }
    if (label >= numClasses) {
      throw new RangeError(
        `Cannot use ${name}[${i}] as a label as it must be < ${numClasses}: ` +
          `current value is ${label}`,
      );
    }
  }
}
