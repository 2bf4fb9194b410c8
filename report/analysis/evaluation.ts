/**
 * What a run's predictions say of its model, with how sure that is.
 *
 * @module
 */

import { bootstrapF1, confusionF1 } from "./bootstrap.ts";
import type { ClassScores, Evaluation, Interval, Misread } from "./comparison.ts";
import type { Predictions } from "../record/run_folder.ts";
import { guessingInterval, wilsonInterval } from "./statistics.ts";

const MISREAD_KEPT = 25;

/**
 * Evaluates predictions. Images without one (−1) are counted, and left out of everything else.
 *
 * @param predictions Targets are whole numbers from 0, predictions too or −1; none is large, as the
 *   confusion matrix has a row for each.
 */
export function evaluatePredictions(predictions: Predictions): Evaluation {
  const confusion = confusionMatrix(predictions);
  const classes = confusion.map((_, label) => classScores(confusion, label));
  const support = classes.map((scores) => scores.support);
  const given = confusion.map((_, label) => total(confusion.map((row) => row[label]!)));
  const images = predictions.targets.length;
  const evaluated = total(support);
  const correct = total(confusion.map((row, label) => row[label]!));
  return {
    images,
    evaluated,
    undetected: images - evaluated,
    correct,
    accuracy: evaluated === 0 ? 0 : 100 * correct / evaluated,
    accuracyInterval: percent(wilsonInterval(correct, evaluated)),
    f1: confusionF1(confusion),
    f1Interval: bootstrapF1(confusion),
    confusion,
    classes,
    largestClass: largestShare(support),
    favourite: largestShare(given),
    chanceBand: percent(guessingInterval(support)),
    misread: mostConfidentlyMisread(predictions),
  };
}

/** Fractions as percentages. */
export function percent({ low, high }: Interval): Interval {
  return { low: 100 * low, high: 100 * high };
}

function confusionMatrix({ targets, predictions }: Predictions): number[][] {
  let size = 0;
  for (let i = 0; i < targets.length; i++) {
    size = Math.max(size, targets[i]! + 1, predictions[i]! + 1);
  }
  const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (let i = 0; i < targets.length; i++) {
    if (predictions[i]! >= 0) matrix[targets[i]!]![predictions[i]!]!++;
  }
  return matrix;
}

function classScores(confusion: readonly (readonly number[])[], label: number): ClassScores {
  const right = confusion[label]![label]!;
  const support = total(confusion[label]!);
  const given = total(confusion.map((row) => row[label]!));
  const share = (part: number, whole: number) => whole === 0 ? 0 : part / whole;
  return {
    label,
    support,
    precision: share(right, given),
    recall: share(right, support),
    f1: share(2 * right, support + given),
  };
}

/** The largest of some counts, the first of equals, and its share of them all in percent. */
function largestShare(counts: readonly number[]): { label: number; share: number } {
  const largest = Math.max(...counts);
  return { label: counts.indexOf(largest), share: 100 * largest / total(counts) };
}

function mostConfidentlyMisread({ targets, predictions, scores }: Predictions): Misread[] {
  const misread: Misread[] = [];
  for (let index = 0; index < targets.length; index++) {
    const [target, prediction, score] = [targets[index]!, predictions[index]!, scores[index]!];
    if (prediction >= 0 && prediction !== target && !Number.isNaN(score)) {
      misread.push({ index, target, prediction, score });
    }
  }
  return misread.sort((a, b) => b.score - a.score || a.index - b.index).slice(0, MISREAD_KEPT);
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
