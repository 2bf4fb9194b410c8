/**
 * Runs that differ in nothing but the seed, taken together.
 *
 * @module
 */

import type { ResultRow } from "./result_row.ts";

/** The ok runs of one model with one setting. */
export interface SettingResult {
  /** The newest of them. */
  newest: ResultRow;
  /** Runs counted: those with a finite accuracy, the newest of each seed. */
  n: number;
  /** Mean of their accuracy in percent; NaN if n is 0. */
  mean: number;
  /** Standard deviation of their accuracy (divisor n − 1); NaN if n is below 2. */
  sd: number;
  /** Mean of their training times in seconds, where they have one; NaN if none has. */
  seconds: number;
}

/** Columns that make runs comparable with each other; the machine is not among them. */
const SETTING = [
  "dataset",
  "dataset_sha256",
  "train_images",
  "test_images",
  "epochs",
  "batch_size",
  "learning_rate",
  "weight_decay",
  "weights",
  "weights_sha256",
  "precision",
] as const satisfies readonly (keyof ResultRow)[];

/**
 * Groups a model's ok runs by setting.
 *
 * @param rows Runs of one model, oldest first.
 * @returns One entry per setting, that with the newest run first.
 */
export function settingResults(rows: readonly ResultRow[]): SettingResult[] {
  const groups = new Map<string, ResultRow[]>();
  for (const row of rows.toReversed()) {
    const key = SETTING.map((column) => row[column]).join("\n");
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()].map((group) => {
    const seeds = newestPerSeed(group);
    const accuracies = seeds.map(({ accuracy }) => accuracy ?? NaN).filter(Number.isFinite);
    const times = seeds.map(({ training_time_s: time }) => time)
      .filter((time) => typeof time === "number").filter(Number.isFinite);
    return {
      newest: group[0]!,
      ...meanAndDeviation(accuracies),
      seconds: meanAndDeviation(times).mean,
    };
  });
}

/** The number of values, their mean, and their standard deviation with the divisor n − 1. */
export function meanAndDeviation(
  values: readonly number[],
): { n: number; mean: number; sd: number } {
  const n = values.length;
  const mean = n > 0 ? sum(values) / n : NaN;
  const sd = n > 1 ? Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / (n - 1)) : NaN;
  return { n, mean, sd };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** @param rows Newest first. Runs without a recorded seed count as one seed. */
function newestPerSeed(rows: readonly ResultRow[]): ResultRow[] {
  const seen = new Set<number | null>();
  return rows.filter(({ seed }) => !seen.has(seed) && seen.add(seed));
}
