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
 * The fraction of predictions that are right, as scikit-learn's `accuracy_score`.
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
  let right = 0;
  for (let i = 0; i < targets.length; i++) if (targets[i] === predictions[i]) right++;
  return targets.length === 0 ? 0 : right / targets.length;
}

/**
 * The F1 scores of the classes, averaged with each class's number of true samples as its weight, as
 * scikit-learn's `f1_score(targets, predictions, average="weighted", zero_division=0)`.
 *
 * A class's F1 is 2·TP / (2·TP + FP + FN). A class that is never true has weight 0.
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
  if (targets.length === 0) return 0;
  const isTrue = new Map<number, number>();
  const predicted = new Map<number, number>();
  const right = new Map<number, number>();
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    const prediction = predictions[i]!;
    increment(isTrue, target);
    increment(predicted, prediction);
    if (target === prediction) increment(right, target);
  }
  let sum = 0;
  for (const [label, support] of isTrue) {
    // 2·TP + FP + FN is the number of times the class is true plus those it is predicted.
    const f1 = 2 * (right.get(label) ?? 0) / (support + (predicted.get(label) ?? 0));
    sum += support * f1;
  }
  return sum / targets.length;
}

function increment(counts: Map<number, number>, label: number): void {
  counts.set(label, (counts.get(label) ?? 0) + 1);
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
