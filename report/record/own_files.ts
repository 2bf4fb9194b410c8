/**
 * The files in the folder of a row's run, as far as they are there and of this run: what is the matter
 * with one is noted.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import { UnusableFileError } from "../../io/regular_file.ts";
import { systemReason } from "../../io/system_reason.ts";
import { accuracy, weightedF1 } from "../../metrics/classification.ts";
import type { FoundRow } from "./gather_rows.ts";
import { countsMisses, type ResultRow } from "./result_row.ts";
import {
  type Manifest,
  type Predictions,
  readManifest,
  readPredictions,
  runFolder,
} from "./run_folder.ts";

/** Notes what is the matter with a file of a run or, without one, with its folder. */
export type Note = (text: string, file?: string) => void;

/** A run's folder that is there. */
export interface OpenFolder {
  path: string;
  /** Of the files in it. */
  names: ReadonlySet<string>;
  note: Note;
}

/** Whether a run's id can be the name of its folder. */
export function namesFolder(runId: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(runId);
}

/** The folder of a row's run; if there is none, or it cannot be read, that is noted. */
export async function openRunFolder(
  { row, folder }: FoundRow,
  note: Note,
): Promise<OpenFolder | undefined> {
  const { run_id, model, status } = row;
  if (!namesFolder(run_id)) {
    note(`${model} has a run_id that names no folder: its manifest and predictions are missing`);
    return undefined;
  }
  const path = runFolder(folder, run_id);
  const names = await fileNames(path);
  if (typeof names !== "string") return { path, names, note };
  // A run that failed early has left nothing but its row.
  if (status === "ok" || names !== MISSING) {
    note(`the run folder of ${model} ${names}, and with it manifest and predictions`);
  }
  return undefined;
}

/** What is in a file of a run; `null`, and that is noted, if there is none or it can't be read. */
export async function readNoted<T>(
  name: string,
  { path, names, note, reader }: OpenFolder & { reader: (folder: string) => Promise<T> },
): Promise<T | null> {
  if (!names.has(name)) {
    note("missing", name);
    return null;
  }
  try {
    return await reader(path);
  } catch (error) {
    note(`${reasonOf(error)}, not used`, name);
    return null;
  }
}

/** The manifest of a row's run. */
export async function readOwnManifest(
  { run_id }: ResultRow,
  folder: OpenFolder,
): Promise<Manifest | null> {
  const name = "manifest.json";
  const manifest = await readNoted(name, { ...folder, reader: readManifest });
  if (manifest === null || manifest.run_id === run_id) return manifest;
  folder.note("of another run, not used", name);
  return null;
}

/** The predictions of a row's run, if they fit it. */
export async function readOwnPredictions(
  row: ResultRow,
  folder: OpenFolder,
): Promise<Predictions | null> {
  const name = "predictions.csv";
  const predictions = await readNoted(name, { ...folder, reader: readPredictions });
  const mismatch = predictions === null ? undefined : findMismatch(row, predictions);
  if (mismatch === undefined) return predictions;
  folder.note(`${mismatch}, not used`, name);
  return null;
}

/** What images are of, and what was predicted of them. */
export type Labels = Pick<Predictions, "targets" | "predictions">;

/** The images that a row's accuracy and F1 are of; one without a prediction has a class of its own. */
export function scoredLabels({ targets, predictions }: Labels, row: ScoredBy): Labels {
  if (!countsMisses(row)) return withPrediction({ targets, predictions });
  // A class that no image is of.
  const none = 1 + largest(targets, largest(predictions, 0));
  return {
    targets: Array.from(targets),
    predictions: Array.from(predictions, (prediction) => prediction < 0 ? none : prediction),
  };
}

/** What of a row says which images are scored. */
export type ScoredBy = Parameters<typeof countsMisses>[0];

function largest(labels: ArrayLike<number>, least: number): number {
  let result = least;
  for (let i = 0; i < labels.length; i++) result = Math.max(result, labels[i]!);
  return result;
}

/** Without the images that have no prediction. */
export function withPrediction({ targets, predictions }: Labels): Labels {
  const isEvaluated = (_: number, i: number) => predictions[i]! >= 0;
  return {
    targets: Array.from(targets).filter(isEvaluated),
    predictions: Array.from(predictions).filter(isEvaluated),
  };
}

/** Why the predictions can't be those of the row, if they can't. */
function findMismatch(row: ResultRow, { targets, predictions }: Predictions): string | undefined {
  if (row.test_images !== null && row.test_images !== targets.length) {
    return `${targets.length} predictions where the row says ${row.test_images} test images`;
  }
  const images = withPrediction({ targets, predictions }).targets.length;
  if (row.evaluated_images !== null && row.evaluated_images !== images) {
    return `${images} images with a prediction where the row says ${row.evaluated_images}`;
  }
  const scored = scoredLabels({ targets, predictions }, row);
  const percent = 100 * accuracy(scored.targets, scored.predictions);
  if (row.accuracy !== null && Math.abs(row.accuracy - percent) > 1e-4) {
    return `accuracy ${percent.toFixed(2)} % where the row says ${row.accuracy}`;
  }
  const f1 = weightedF1(scored.targets, scored.predictions);
  if (row.f1 !== null && Math.abs(row.f1 - f1) > 1e-6) {
    return `F1 ${f1.toFixed(4)} where the row says ${row.f1}`;
  }
}

/** Why a file is not used, where that lies with the file. */
function reasonOf(error: unknown): string {
  if (error instanceof UnusableFileError) return error.reason;
  if (error instanceof StudyError) return "damaged or not readable";
  throw error;
}

const MISSING = "is missing";

/** The names in a folder, or what is the matter with it. */
export async function fileNames(folder: string): Promise<Set<string> | string> {
  try {
    return new Set((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return MISSING;
    return `cannot be read (${systemReason(error)})`;
  }
}
