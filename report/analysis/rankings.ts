/**
 * Compares models that were tested on the same images.
 *
 * @module
 */

import type { ResultRow } from "../record/result_row.ts";
import type { Predictions } from "../record/run_folder.ts";
import type { ModelComparison, PairTest, Ranking } from "./comparison.ts";
import { accuracyOfAll } from "./seed_aggregates.ts";
import { holm, mcnemarExact } from "./statistics.ts";

/** A run and its predictions. */
export interface PredictedRun {
  row: ResultRow;
  predictions: Predictions;
}

/**
 * McNemar's exact test for every pair of models that were tested on the same images: the same data
 * set by its checksum, and the same targets in the same order.
 */
export function comparePairs(runs: readonly PredictedRun[]): PairTest[] {
  const pairs: PairTest[] = [];
  for (const [i, first] of runs.entries()) {
    for (const second of runs.slice(i + 1)) {
      if (isSameImages(first, second)) pairs.push(comparePair(first, second));
    }
  }
  const corrected = holm(pairs.map(({ p }) => p));
  return pairs.map((pair, i) => ({ ...pair, pHolm: corrected[i]! }));
}

/** A model with a run to show. */
export type ShownModel = ModelComparison & { row: ResultRow };

/** Groups the ok models by what they were tested on, and ranks each group. */
export function rankModels(models: readonly ModelComparison[]): Ranking[] {
  const shown = models.filter((model): model is ShownModel =>
    model.row?.status === "ok" && Number.isFinite(model.row.accuracy ?? NaN)
  );
  return [...Map.groupBy(shown, ({ row }) => testSetKey(row)).values()]
    .map((group) => ({
      dataset: group[0]!.row.dataset,
      images: group[0]!.row.test_images ?? NaN,
      models: group.toSorted((a, b) => meanAccuracyOfAll(b) - meanAccuracyOfAll(a))
        .map(({ model }) => model),
    }))
    .sort((a, b) => b.models.length - a.models.length);
}

/** Equal for two rows that were tested on the same images. */
export function testSetKey(row: ResultRow): string {
  return [row.dataset, row.dataset_sha256, row.test_images].join("\n");
}

/** Percent correct of all test images: the mean over the seeds. */
export function meanAccuracyOfAll({ row, settings }: ShownModel): number {
  const ofAll = settings[0]?.accuracyOfAll;
  return ofAll !== undefined && ofAll.n > 0 ? ofAll.mean : accuracyOfAll(row);
}

function isSameImages(a: PredictedRun, b: PredictedRun): boolean {
  const { targets } = a.predictions;
  return a.row.dataset_sha256 !== "" && a.row.dataset_sha256 === b.row.dataset_sha256 &&
    targets.length === b.predictions.targets.length &&
    Array.prototype.every.call(targets, (target, i) => target === b.predictions.targets[i]);
}

function comparePair(a: PredictedRun, b: PredictedRun): PairTest {
  const { targets } = a.predictions;
  let onlyFirst = 0;
  let onlySecond = 0;
  for (let i = 0; i < targets.length; i++) {
    const firstIsCorrect = a.predictions.predictions[i] === targets[i];
    const secondIsCorrect = b.predictions.predictions[i] === targets[i];
    if (firstIsCorrect && !secondIsCorrect) onlyFirst++;
    if (secondIsCorrect && !firstIsCorrect) onlySecond++;
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
