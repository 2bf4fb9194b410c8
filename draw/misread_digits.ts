/**
 * Test digits that models misread, out of their runs' predictions and the data.
 *
 * @module
 */

import { IMAGE_PIXELS } from "../data/idx.ts";
import { findTestImages } from "../data/local_dataset.ts";
import { StudyError } from "../io/errors.ts";
import type { LocatedRun } from "../report/record/find_run.ts";
import { DATA_FOLDER, type Predictions, readPredictions } from "../report/record/run_folder.ts";
import { toBase64 } from "./page/base64.ts";
import type { MisreadDigit } from "./page/protocol.ts";

/** Digits in the row, at most. */
const MOST_DIGITS = 40;

/**
 * The test digits that most models misread come first, of equally many those that they were surest of.
 * Runs on other data than the first run's have no say.
 *
 * @param runs As the page lists their models.
 * @returns None where the runs' test images are not on this machine.
 */
export async function findMisread(runs: readonly LocatedRun[]): Promise<MisreadDigit[]> {
  const [first] = runs;
  if (first?.row === undefined) return [];
  const { dataset: name, dataset_sha256: sha256 } = first.row;
  const folder = first.manifest.settings[DATA_FOLDER];
  const folders = typeof folder === "string" ? [folder] : [];
  const test = await findTestImages({ name, sha256, folders });
  if (test === undefined) return [];
  const predictions = await Promise.all(
    runs.map(async (run) => {
      const read = run.row?.dataset_sha256 === sha256 ? await predictionsOf(run) : undefined;
      return read?.targets.length! <= test.count ? read : undefined;
    }),
  );
  return rankMisread(predictions, test.labels).map(({ index, label, readings }) => {
    const pixels = test.images.subarray(index * IMAGE_PIXELS, (index + 1) * IMAGE_PIXELS);
    return { index, label, readings, pixels: toBase64(pixels) };
  });
}

/** See {@linkcode findMisread}; of each model its predictions, if it has any. */
export function rankMisread(
  predictions: readonly (Predictions | undefined)[],
  labels: ArrayLike<number>,
): Omit<MisreadDigit, "pixels">[] {
  const count = Math.max(0, ...predictions.map((model) => model?.predictions.length ?? 0));
  const misread = Array.from({ length: count }, (_, index) => {
    const label = labels[index]!;
    const readings = predictions.map((model) => model?.predictions[index] ?? null);
    const isWrong = (reading: number | null) => reading !== null && reading !== label;
    const surest = predictions.map((model, i) =>
      isWrong(readings[i]!) ? model!.scores[index]! || 0 : 0
    );
    return {
      digit: { index, label, readings },
      wrong: readings.filter(isWrong).length,
      sureness: surest.reduce((sum, score) => sum + score, 0),
    };
  }).filter(({ wrong }) => wrong > 0);
  misread.sort((a, b) => b.wrong - a.wrong || b.sureness - a.sureness);
  return misread.slice(0, MOST_DIGITS).map(({ digit }) => digit);
}

/** A run's predictions; none where it has no readable file of them. */
async function predictionsOf({ folder }: LocatedRun): Promise<Predictions | undefined> {
  try {
    return await readPredictions(folder);
  } catch (error) {
    if (error instanceof StudyError) return undefined;
    throw error;
  }
}
