/**
 * Sets models beside each other that read the same images.
 *
 * @module
 */

import type { ModelComparison, PairTest, Ranking } from "./comparison.ts";
import type { ResultRow } from "../record/result_row.ts";
import type { Predictions } from "../record/run_folder.ts";
import { holm, mcnemarExact } from "./statistics.ts";

/** A model and what it answered. */
export interface Answers {
  row: ResultRow;
  predictions: Predictions;
}

/**
 * McNemar's exact test for every pair of models that were tested on the same images: the same data
 * set by its checksum, and the same targets in the same order.
 */
export function comparePairs(answers: readonly Answers[]): PairTest[] {
  const pairs: PairTest[] = [];
  for (const [i, first] of answers.entries()) {
    for (const second of answers.slice(i + 1)) {
      if (isSameImages(first, second)) pairs.push(comparePair(first, second));
    }
  }
  const corrected = holm(pairs.map(({ p }) => p));
  return pairs.map((pair, i) => ({ ...pair, pHolm: corrected[i]! }));
}

/** Groups the ok models by what they were tested on, and ranks each group. */
export function rankModels(models: readonly ModelComparison[]): Ranking[] {
  const groups = new Map<string, ResultRow[]>();
  for (const { row } of models) {
    if (row?.status !== "ok" || !Number.isFinite(row.accuracy ?? NaN)) continue;
    const key = testSet(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()]
    .map((rows) => ({
      dataset: rows[0]!.dataset,
      images: rows[0]!.test_images ?? NaN,
      models: rows.toSorted((a, b) => shareRight(b) - shareRight(a)).map(({ model }) => model),
    }))
    .sort((a, b) => b.models.length - a.models.length);
}

/** What a row was tested on; equal for equal images. */
export function testSet(row: ResultRow): string {
  return [row.dataset, row.dataset_sha256, row.test_images].join("\n");
}

/** Percent of all test images read rightly: one without a prediction is not. */
export function shareRight(row: ResultRow): number {
  const { accuracy, evaluated_images: evaluated, test_images: images } = row;
  return (accuracy ?? NaN) * (evaluated !== null && images ? evaluated / images : 1);
}

function isSameImages(a: Answers, b: Answers): boolean {
  const { targets } = a.predictions;
  return a.row.dataset_sha256 !== "" && a.row.dataset_sha256 === b.row.dataset_sha256 &&
    targets.length === b.predictions.targets.length &&
    Array.prototype.every.call(targets, (target, i) => target === b.predictions.targets[i]);
}

function comparePair(a: Answers, b: Answers): PairTest {
  const { targets } = a.predictions;
  let onlyFirst = 0;
  let onlySecond = 0;
  for (let i = 0; i < targets.length; i++) {
    const firstIsRight = a.predictions.predictions[i] === targets[i];
    const secondIsRight = b.predictions.predictions[i] === targets[i];
    if (firstIsRight && !secondIsRight) onlyFirst++;
    if (secondIsRight && !firstIsRight) onlySecond++;
  }
  return {
    models: [a.row.model, b.row.model],
    images: targets.length,
    onlyFirst,
    onlySecond,
    p: mcnemarExact(onlyFirst, onlySecond),
    pHolm: NaN,
  };
}
