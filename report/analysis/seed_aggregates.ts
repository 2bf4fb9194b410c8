/**
 * Runs that differ in nothing but the seed, aggregated to mean ± standard deviation.
 *
 * @module
 */

import { type MeanAndSd, meanAndSd } from "../../metrics/descriptive_statistics.ts";
import { type ResultRow, scoredImages, settingKey } from "../record/result_row.ts";
import { isKnownToDiffer, type Manifest } from "../record/run_folder.ts";
import { isTimedAlike, TIMED_ON, type TimedRun } from "./describe_machine.ts";

/** The ok runs of one model with one setting, over their seeds. */
export interface SeedAggregate {
  /** The newest of them. */
  newest: ResultRow;
  /** Of the newest; `null` if it is not known. */
  manifest: Manifest | null;
  /** Seeds among them; of each seed the newest ok run counts. */
  seeds: number;
  testLoss: MeanAndSd;
  /** In percent, 0..100. */
  accuracy: MeanAndSd;
  /** Images that accuracy and F1 are of, the fewest of any seed; `null` where no row says it. */
  scoredImages: number | null;
  /** The accuracies that this is the mean of, the newest run's first. */
  accuracies: number[];
  /** The same in percent of all test images, of which those without a prediction are wrong. */
  accuracyOfAll: MeanAndSd;
  /** Support-weighted, 0..1. */
  f1: MeanAndSd;
  /** In seconds, all epochs; of the seeds that were timed as the newest run was. */
  trainingTime: MeanAndSd;
  /** In milliseconds for each image, {@linkcode INFERENCE_CLOCK}; of the same seeds. */
  inference: MeanAndSd;
}

/** Which times of a model go together, behind "timed as the newest run was". */
export const TIMED_ALIKE =
  `on ${TIMED_ON}, in part 2 in batches of the same size and in part 4 with the same use of the ` +
  "feature cache";

/** What the time per image is of, as `evaluate()` and `predictDigits()` take it. */
export const INFERENCE_CLOCK =
  "in part 2 the detector's call alone; in parts 1 and 4 all that makes scores of the test images: " +
  "batches, normalising, the network, losses, and in part 4 resizing and features";

/**
 * Aggregates a model's ok runs, setting by setting. Times are those of the seeds that are known to have
 * been timed as the newest run was, {@linkcode TIMED_ALIKE}. Where no manifest says on which machine,
 * all count that have none either.
 *
 * @param rows Runs of one model, oldest first.
 * @param manifests What the runs were made on, where that is known.
 * @returns One entry per setting, that with the newest run first.
 */
export function aggregateSeeds(
  rows: readonly ResultRow[],
  manifests: ReadonlyMap<ResultRow, Manifest | null> = new Map(),
): SeedAggregate[] {
  const timedRun = (row: ResultRow) => ({ row, manifest: manifests.get(row) ?? null });
  const cacheOf = ({ manifest }: TimedRun) => manifest?.settings.feature_cache;
  const isAsNewest = (newest: TimedRun, run: TimedRun) => {
    if (run.row === newest.row) return true;
    if (isKnownToDiffer(newest.row.batch_size, run.row.batch_size)) return false;
    if (newest.manifest === null && run.manifest === null) {
      return run.row.backend === newest.row.backend;
    }
    return isTimedAlike(newest, run) && !isKnownToDiffer(cacheOf(newest), cacheOf(run));
  };
  return [...Map.groupBy(rows.toReversed(), settingKey).values()].map((group) => {
    const runs = newestPerSeed(group);
    const newest = timedRun(group[0]!);
    const timed = runs.filter((row) => isAsNewest(newest, timedRun(row)));
    const over = (column: keyof ResultRow, rows = runs) => meanAndSd(finite(rows, column));
    const accuracies = finite(runs, "accuracy");
    const images = runs.map(scoredImages).filter((count) => count !== null);
    return {
      newest: newest.row,
      manifest: newest.manifest,
      seeds: runs.length,
      testLoss: over("test_loss"),
      accuracy: meanAndSd(accuracies),
      scoredImages: images.length === 0 ? null : images.reduce((a, b) => Math.min(a, b)),
      accuracies,
      accuracyOfAll: meanAndSd(runs.map(accuracyOfAll).filter(Number.isFinite)),
      f1: over("f1"),
      trainingTime: over("training_time_s", timed),
      inference: over("inference_ms_per_image", timed),
    };
  });
}

/** Percent correct of all test images: one without a prediction is wrong. */
export function accuracyOfAll(row: ResultRow): number {
  const { accuracy, test_images: images } = row;
  return (accuracy ?? NaN) * (images ? (scoredImages(row) ?? images) / images : 1);
}

/** Whether every test image has a prediction with every seed: accuracy is that of all of them. */
export function isWhole({ accuracy, accuracyOfAll }: SeedAggregate): boolean {
  return accuracy.mean === accuracyOfAll.mean;
}

function finite(rows: readonly ResultRow[], column: keyof ResultRow): number[] {
  return rows.map((row) => row[column])
    .filter((value): value is number => typeof value === "number" && Number.isFinite(value));
}

/** @param rows Newest first. Runs without a recorded seed count as one seed. */
function newestPerSeed(rows: readonly ResultRow[]): ResultRow[] {
  const seen = new Set<number | null>();
  return rows.filter(({ seed }) => !seen.has(seed) && seen.add(seed));
}
