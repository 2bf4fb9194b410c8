/**
 * A run's setting in a few words.
 *
 * @module
 */

import { WEIGHTS_TITLES, weightsKind } from "../../io/weights_label.ts";
import { DATA, MODELS, type TrainingSettings } from "../../study.ts";
import { formatCount } from "./format_numbers.ts";
import { engineOf, type ResultRow } from "../record/result_row.ts";
import { codeOf, type Manifest } from "../record/run_folder.ts";

/** What is not as in the study: weights, data, number of images, epochs, settings, precision. */
export function settingNotes(row: ResultRow): string[] {
  const model = MODELS.find(({ name }) => name === row.model);
  const training = model?.training ?? null;
  const kind = weightsKind(row.weights) ?? "torchvision";
  const isAsPublished = kind === "torchvision" || (model?.pretrainedOn ?? null) === null;
  const isAll = row.test_images === DATA.testImages &&
    (training === null || row.train_images === DATA.trainImages);
  const isSameLength = training === null || row.epochs === training.epochs;
  return [
    isAsPublished ? "" : WEIGHTS_TITLES[kind],
    row.dataset === DATA.name ? "" : row.dataset,
    isAll ? "" : describeImages(row),
    isSameLength || row.epochs === null ? "" : describeEpochs(row.epochs),
    ...optimiserNotes(row, training),
    row.otherRecipe === undefined ? "" : "other recipe",
    row.precision === "float32" ? "" : row.precision,
  ].filter((note) => note !== "");
}

/** What stands behind a model's name: what is not as in the study, and an engine that is not TensorFlow. */
export function nameNotes(row: ResultRow): string[] {
  const engine = engineOf(row);
  return [...settingNotes(row), ...(engine === "tensorflow" ? [] : [`on ${engine}`])];
}

/** A setting's name, before escaping: the model and its notes. */
export function settingLabel(row: ResultRow): string {
  return [row.model, ...nameNotes(row)].join(", ");
}

/** The same in a sentence: `alexnet_FineTuned (new classifier, on webgpu)`. */
export function nameInSentence(row: ResultRow): string {
  const notes = nameNotes(row);
  return row.model + (notes.length === 0 ? "" : ` (${notes.join(", ")})`);
}

/** The setting's name of runs that differ in the number of training images, which it does not name. */
export function curveLabel(row: ResultRow): string {
  const isAllTested = row.test_images === DATA.testImages;
  return settingLabel({ ...row, train_images: isAllTested ? DATA.trainImages : null });
}

function describeEpochs(epochs: number): string {
  return `${epochs} epoch${epochs === 1 ? "" : "s"}`;
}

/** Part 2's batches are the detector's: they make no difference to its results. */
function optimiserNotes(row: ResultRow, training: TrainingSettings | null): string[] {
  if (training === null || row.part === 2) return [];
  const settings = [
    ["batch size", row.batch_size, training.batchSize],
    ["learning rate", row.learning_rate, training.learningRate],
    ["weight decay", row.weight_decay, training.weightDecay],
  ] as const;
  return settings.filter(([, ours, theirs]) => ours !== null && ours !== theirs)
    .map(([what, ours]) => `${what} ${ours}`);
}

/** `8,000 / 2,000 images`, for training and for testing. */
function describeImages({ train_images: train, test_images: test }: ResultRow): string {
  return train === null
    ? `${formatCount(test)} test images`
    : `${formatCount(train)} / ${formatCount(test)} images`;
}

/**
 * The versions of the code that a run was made by, its first first; `""` where there is no repository.
 *
 * @param nameOf What a commit is called.
 */
export function describeCode(
  manifest: Manifest,
  nameOf: (commit: string) => string = (commit) => commit,
): string {
  return codeOf(manifest).flatMap((git) =>
    git === null ? [] : [nameOf(git.commit) + (git.clean ? "" : ", with local changes")]
  ).join(", then ");
}
