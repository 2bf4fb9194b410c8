/**
 * Which of a model's settings is the study's, or the nearest to it.
 *
 * @module
 */

import { weightsKind } from "../../io/weights_label.ts";
import { DATA } from "../../study.ts";
import type { ResultRow } from "../record/result_row.ts";
import type { SeedAggregate } from "./seed_aggregates.ts";
import { findModel } from "./study_models.ts";

/** Kinds of weights, that of the study first. */
const WEIGHTS = ["torchvision", "convolutions", "file", "random"];

/**
 * Settings in the order of their distance from the study's: other data first of all, then fewer images,
 * other epochs, other weights, other settings of the optimiser, another precision. So a try with less
 * than all never stands for its model, however new it is; of equally near ones, such as those of two
 * engines, that of the most seeds comes first, of these the newest.
 *
 * @param settings That with the newest run first.
 */
export function nearestFirst(settings: readonly SeedAggregate[]): SeedAggregate[] {
  const ranked = settings.map((setting) => ({
    setting,
    distance: [...distance(setting.newest), -setting.seeds],
  }));
  return ranked.sort((a, b) => compare(a.distance, b.distance)).map(({ setting }) => setting);
}

/** What differs from the study, the weightiest first: 0 where nothing does. */
function distance(row: ResultRow): number[] {
  const model = findModel(row.model);
  const training = model?.training ?? null;
  const share = (images: number | null, all: number) => Math.min(images ?? 0, all) / all;
  const trained = training === null ? 1 : share(row.train_images, DATA.trainImages);
  const optimiser = row.otherRecipe === undefined && (training === null ||
    (row.batch_size === training.batchSize && row.learning_rate === training.learningRate &&
      row.weight_decay === training.weightDecay));
  return [
    row.dataset === DATA.name ? 0 : 1,
    1 - trained * share(row.test_images, DATA.testImages),
    training === null ? 0 : Math.abs((row.epochs ?? 0) - training.epochs),
    (model?.pretrainedOn ?? null) === null ? 0 : weightsRank(row.weights),
    optimiser ? 0 : 1,
    row.precision === "float32" ? 0 : 1,
  ];
}

/** A label of another version counts as the study's kind, unless it says otherwise. */
function weightsRank(label: string): number {
  return Math.max(0, WEIGHTS.indexOf(weightsKind(label) ?? "torchvision"));
}

function compare(a: readonly number[], b: readonly number[]): number {
  const first = a.findIndex((value, i) => value !== b[i]);
  return first < 0 ? 0 : a[first]! - b[first]!;
}
