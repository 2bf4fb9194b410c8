/**
 * `readings.json` in a run's folder: what a detector has found so far, and how long it took.
 *
 * It is written while the run goes on, so that `--resume` needs only the images not yet done.
 *
 * @module
 */

import { join } from "node:path";
import { writeFileAtomic } from "../io/atomic.ts";
import { StudyError } from "../io/errors.ts";
import { READINGS } from "../report/record/run_state.ts";
import type { DigitPredictions } from "../training/detection/predict_digits.ts";

/** What has been found so far, and by what. */
export interface PartialPredictions extends DigitPredictions {
  /** Epochs that the detector's predictor had been trained for; absent where it is not trained. */
  epochs?: number;
}

/** The three columns, in which a score of `null` is none, and the epochs. */
type Stored = { [Column in keyof DigitPredictions]: (number | null)[] } & { epochs?: number };

const COLUMNS = ["predictions", "scores", "milliseconds"] as const;

/** No image done yet, by a predictor of as many epochs if it is trained. */
export function noPredictions(epochs?: number | null): PartialPredictions {
  const none = { predictions: [], scores: [], milliseconds: [] };
  return typeof epochs === "number" ? { ...none, epochs } : none;
}

/** Writes them into a run's folder; scores and times come back to the bit. */
export async function writePartialPredictions(
  folder: string,
  readings: PartialPredictions,
): Promise<void> {
  // JSON has no NaN: it becomes null.
  await writeFileAtomic(pathIn(folder), JSON.stringify(readings) + "\n");
}

/**
 * Reads them.
 *
 * @returns Empty ones if there is no file.
 * @throws {StudyError} If the file is damaged.
 */
export async function readPartialPredictions(folder: string): Promise<PartialPredictions> {
  let text: string;
  try {
    text = await Deno.readTextFile(pathIn(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return noPredictions();
    throw error;
  }
  const stored = parse(text);
  if (stored === undefined) {
    throw new StudyError(`${pathIn(folder)} is damaged: start a new run without --resume`);
  }
  const { predictions, scores, milliseconds, epochs } = stored;
  return {
    predictions: predictions.map(Number),
    scores: scores.map((score) => score ?? NaN),
    milliseconds: milliseconds.map(Number),
    ...(epochs !== undefined && { epochs }),
  };
}

function pathIn(folder: string): string {
  return join(folder, READINGS);
}

function parse(text: string): Stored | undefined {
  let value: Partial<Stored> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const length = value?.predictions?.length;
  const isColumn = (column: (typeof COLUMNS)[number]) => {
    const cells = value?.[column];
    return Array.isArray(cells) && cells.length === length &&
      cells.every((cell) => Number.isFinite(cell) || (column === "scores" && cell === null));
  };
  const isCounted = value?.epochs === undefined || Number.isInteger(value.epochs);
  return isCounted && COLUMNS.every(isColumn) ? value as Stored : undefined;
}
