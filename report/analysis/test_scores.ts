/**
 * What a run's predictions say of its model, with the uncertainty.
 *
 * @module
 */

import {
  type ClassCounts,
  classCounts,
  confusionMatrix,
  f1Score,
  weightedMeanF1,
} from "../../metrics/classification.ts";
import { type Labels, type ScoredBy, scoredLabels, withPrediction } from "../record/own_files.ts";
import { countsMisses } from "../record/result_row.ts";
import type { Predictions } from "../record/run_folder.ts";
import type { ClassScores, Interval, Mistake, SeedGuessing, TestScores } from "./comparison.ts";
import { bootstrapF1, guessingInterval, wilsonInterval } from "./statistics.ts";

const MISTAKES_KEPT = 25;

/** The study's own way. */
const LEAVES_MISSES_OUT: ScoredBy = { part: 2, epochs: null };

/**
 * Scores predictions. Images without one (−1) are counted; they are left out of everything else, or are
 * wrong, as the run's row has them.
 *
 * @param predictions Targets are whole numbers from 0, predictions too or −1; none is large, as the
 *   confusion matrix has a row for each.
 */
export function scorePredictions(
  predictions: Predictions,
  row: ScoredBy = LEAVES_MISSES_OUT,
): TestScores {
  const classes = classesIn(predictions);
  const confusion = confusionOf(withPrediction(predictions), classes);
  // Behind the classes one of no detection, which no image is of.
  const scored = confusionOf(scoredLabels(predictions, row), classes + (countsMisses(row) ? 1 : 0));
  const all = classCounts(scored);
  const counts = all.slice(0, classes);
  const support = counts.map((one) => one.support);
  const images = predictions.targets.length;
  const evaluated = total(support);
  const correct = total(counts.map((one) => one.correct));
  return {
    images,
    evaluated,
    undetected: images - total(confusion.flat()),
    correct,
    accuracy: evaluated === 0 ? 0 : 100 * correct / evaluated,
    accuracyInterval: toPercent(wilsonInterval(correct, evaluated)),
    f1: weightedMeanF1(all),
    f1Interval: bootstrapF1(scored),
    confusion,
    classes: counts.map(classScores),
    favourite: largestShare(counts.map(({ predicted }) => predicted)),
    ...besideGuessing(support),
    mistakes: mostConfidentMistakes(predictions),
  };
}

/** The same scores of a run that guessing is set beside, without all others. */
export function scoreGuessing(predictions: Predictions, row: ScoredBy): SeedGuessing {
  const scored = scoredLabels(predictions, row);
  const support = new Array<number>(classesIn(predictions)).fill(0);
  let correct = 0;
  for (const [i, target] of Array.from(scored.targets).entries()) {
    support[target]!++;
    if (scored.predictions[i] === target) correct++;
  }
  const evaluated = total(support);
  return {
    accuracy: evaluated === 0 ? 0 : 100 * correct / evaluated,
    ...besideGuessing(support),
  };
}

function besideGuessing(
  support: readonly number[],
): Pick<TestScores, "largestClass" | "chanceBand"> {
  return {
    largestClass: largestShare(support),
    chanceBand: toPercent(guessingInterval(support)),
  };
}

export function toPercent({ low, high }: Interval): Interval {
  return { low: 100 * low, high: 100 * high };
}

function confusionOf({ targets, predictions }: Labels, classes: number): number[][] {
  return confusionMatrix(targets, predictions, classes);
}

/** One more than the largest class that any image has or is taken for. */
function classesIn({ targets, predictions }: Labels): number {
  let classes = 0;
  for (let i = 0; i < targets.length; i++) {
    classes = Math.max(classes, targets[i]! + 1, predictions[i]! + 1);
  }
  return classes;
}

function classScores(counts: ClassCounts, label: number): ClassScores {
  const { support, predicted, correct } = counts;
  return {
    label,
    support,
    precision: predicted === 0 ? 0 : correct / predicted,
    recall: support === 0 ? 0 : correct / support,
    f1: f1Score(counts),
  };
}

/** The largest of some counts, the first of equals, and its share of them all in percent. */
function largestShare(counts: readonly number[]): { label: number; share: number } {
  const largest = Math.max(...counts);
  return { label: counts.indexOf(largest), share: 100 * largest / total(counts) };
}

function mostConfidentMistakes({ targets, predictions, scores }: Predictions): Mistake[] {
  const mistakes: Mistake[] = [];
  for (let index = 0; index < targets.length; index++) {
    const [target, prediction, score] = [targets[index]!, predictions[index]!, scores[index]!];
    if (prediction >= 0 && prediction !== target && !Number.isNaN(score)) {
      mistakes.push({ index, target, prediction, score });
    }
  }
  return mistakes.sort((a, b) => b.score - a.score || a.index - b.index).slice(0, MISTAKES_KEPT);
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
