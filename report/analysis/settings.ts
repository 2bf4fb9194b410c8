/**
 * Runs that differ in nothing but the seed, taken together.
 *
 * @module
 */

import type { ResultRow } from "../record/result_row.ts";

/** The mean of some values and how far they spread. */
export interface Spread {
  /** How many values there are. */
  n: number;
  /** Their mean; NaN if n is 0. */
  mean: number;
  /** Their standard deviation (divisor n − 1); NaN if n is below 2. */
  sd: number;
}

/** The ok runs of one model with one setting. */
export interface SettingResult {
  /** The newest of them. */
  newest: ResultRow;
  /** Seeds among them; of each seed the newest run counts. */
  seeds: number;
  /** Cross-entropy on the test set. */
  testLoss: Spread;
  /** Percent. */
  accuracy: Spread;
  /** Support-weighted, 0..1. */
  f1: Spread;
  /** Seconds of training. */
  trainingTime: Spread;
  /** Milliseconds per image. */
  inference: Spread;
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
    const key = settingKey(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()].map((group) => {
    const runs = newestPerSeed(group);
    const spread = (column: keyof ResultRow) => meanAndDeviation(finite(runs, column));
    return {
      newest: group[0]!,
      seeds: runs.length,
      testLoss: spread("test_loss"),
      accuracy: spread("accuracy"),
      f1: spread("f1"),
      trainingTime: spread("training_time_s"),
      inference: spread("inference_ms_per_image"),
    };
  });
}

/** What is the same for two runs of one model that differ in nothing but the seed. */
export function settingKey(row: ResultRow): string {
  return SETTING.map((column) => row[column]).join("\n");
}

/** The number of values, their mean, and their standard deviation with the divisor n − 1. */
export function meanAndDeviation(values: readonly number[]): Spread {
  const n = values.length;
  const mean = n > 0 ? sum(values) / n : NaN;
  const sd = n > 1 ? Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / (n - 1)) : NaN;
  return { n, mean, sd };
}

function finite(rows: readonly ResultRow[], column: keyof ResultRow): number[] {
  return rows.map((row) => row[column])
    .filter((value): value is number => typeof value === "number" && Number.isFinite(value));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** @param rows Newest first. Runs without a recorded seed count as one seed. */
function newestPerSeed(rows: readonly ResultRow[]): ResultRow[] {
  const seen = new Set<number | null>();
  return rows.filter(({ seed }) => !seen.has(seed) && seen.add(seed));
}
