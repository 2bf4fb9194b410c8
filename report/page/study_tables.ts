/**
 * The tables of `docs/study.md`: what the study set and what it published, from `study.ts`.
 *
 * @module
 */

import { MODELS, type PublishedEpoch, type StudyModel } from "../../study.ts";
import { alignedTable, type Column } from "./markdown.ts";

type PublishedModel = StudyModel & { published: NonNullable<StudyModel["published"]> };

const PUBLISHED = MODELS.filter((model): model is PublishedModel => model.published !== null);

/** The tables by the names that their markers have in the document. */
export function studyTables(): { settings: string; published: string; epochs: string } {
  return { settings: settingsTable(), published: publishedTable(), epochs: epochsTable() };
}

function settingsTable(): string {
  const count = (value: number) => value.toLocaleString("en-US");
  return alignedTable(
    columns(["part"], "model", "weights", ["trained / all parameters"], ["epochs"], ["batch"], [
      "learning rate",
    ], ["L2"]),
    PUBLISHED.map(({ part, name, pretrainedOn, trainedParameters, parameters, training }) => [
      String(part),
      `\`${name}\``,
      pretrainedOn ?? "random",
      `${count(trainedParameters)} / ${count(parameters)}`,
      ...(training === null ? ["–", "–", "–", "–"] : [
        String(training.epochs),
        String(training.batchSize),
        String(training.learningRate),
        String(training.weightDecay),
      ]),
    ]),
  );
}

function publishedTable(): string {
  return alignedTable(
    columns("model", ["test loss"], ["accuracy (%)"], ["F1"], ["training time (s)"], [
      "inference (ms/image)",
    ]),
    PUBLISHED.map(({ name, published }) => [
      `\`${name}\``,
      published.testLoss.toFixed(4),
      published.accuracy.toFixed(2),
      published.f1.toFixed(4),
      typeof published.trainingTime === "number"
        ? published.trainingTime.toFixed(2)
        : published.trainingTime,
      published.inferenceMsPerImage?.toFixed(2) ?? "–",
    ]),
  );
}

function epochsTable(): string {
  const trained = PUBLISHED.filter(({ published }) => published.epochs.length > 0);
  const epochs = Math.max(...trained.map(({ published }) => published.epochs.length));
  const cell = (epoch: PublishedEpoch | undefined) =>
    epoch === undefined ? "" : `${epoch.trainLoss.toFixed(4)}, ${epoch.correct} ` +
      `(${epoch.trainAccuracy.toFixed(2)} %), ${epoch.seconds.toFixed(2)} s`;
  return alignedTable(
    columns(["epoch"], ...trained.map(({ name }) => [`\`${name}\``] as const)),
    Array.from({ length: epochs }, (_, i) => [
      String(i + 1),
      ...trained.map(({ published }) => cell(published.epochs[i])),
    ]),
  );
}

/** Titles of columns; those of numbers, which are aligned to the right, in brackets. */
function columns(...titles: readonly (string | readonly [string])[]): Column[] {
  return titles.map((title) =>
    typeof title === "string" ? { title } : { title: title[0], align: "right" }
  );
}
