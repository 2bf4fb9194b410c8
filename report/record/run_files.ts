/**
 * The files of one run, as far as they can be had: whatever can't is a problem, never a failure.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import type { Evaluation } from "../analysis/comparison.ts";
import { evaluatePredictions } from "../analysis/evaluation.ts";
import { placeName } from "./gather_rows.ts";
import type { ProblemList } from "./problems.ts";
import type { ResultRow } from "./result_row.ts";
import {
  type HistoryRow,
  type Manifest,
  type Predictions,
  readHistory,
  readManifest,
  readPredictions,
  runFolder,
} from "./run_folder.ts";

/** What was found of a run. */
export interface RunFiles {
  manifest: Manifest | null;
  /** Empty if there is none. */
  history: HistoryRow[];
  /** Only of an ok run, and only if they fit its row. */
  predictions: Predictions | null;
  /** What the predictions say. */
  evaluation: Evaluation | null;
}

/** Where a run is looked for, and what is noted about it. */
export interface RunPlace {
  /** All results folders of the comparison. */
  folders: readonly string[];
  /** The one that the row is from. */
  folder: string;
  problems: ProblemList;
}

/**
 * Reads the folder of a row's run. A history is expected where epochs were trained, predictions
 * where the run is ok.
 */
export async function readRunFiles(row: ResultRow, place: RunPlace): Promise<RunFiles> {
  const { folders, folder, problems } = place;
  const found: RunFiles = { manifest: null, history: [], predictions: null, evaluation: null };
  const note = (text: string, file = "") =>
    problems.add(text, { file: placeName(folders, folder, join("runs", row.run_id, file)) });
  if (!/^[A-Za-z0-9_-]+$/.test(row.run_id)) {
    note(
      `${row.model} has a run_id that names no folder: its manifest and predictions are missing`,
    );
    return found;
  }
  const path = runFolder(folder, row.run_id);
  const names = await fileNames(path);
  if (names === null) {
    // A run that failed early has left nothing but its row.
    if (row.status === "ok") {
      note(`the run folder of ${row.model} is missing, and with it manifest and predictions`);
    }
    return found;
  }
  const read = async <T>(file: string, reader: (folder: string) => Promise<T>) => {
    if (!names.has(file)) {
      note("missing", file);
      return null;
    }
    try {
      return await reader(path);
    } catch (error) {
      if (!(error instanceof StudyError || error instanceof Deno.errors.PermissionDenied)) {
        throw error;
      }
      note("damaged or not readable, not used", file);
      return null;
    }
  };
  found.manifest = await read("manifest.json", readManifest);
  if (found.manifest !== null && found.manifest.run_id !== row.run_id) {
    note("of another run, not used", "manifest.json");
    found.manifest = null;
  }
  if ((row.epochs ?? 0) > 0) found.history = await read("history.csv", readHistory) ?? [];
  if (row.status !== "ok") return found;
  const predictions = await read("predictions.csv", readPredictions);
  if (predictions === null) return found;
  const misfit = lengthMisfit(row, predictions);
  const evaluation = misfit === undefined ? evaluatePredictions(predictions) : null;
  const why = evaluation === null ? misfit : scoreMisfit(row, evaluation);
  if (why !== undefined) note(`${why}, not used`, "predictions.csv");
  else Object.assign(found, { predictions, evaluation });
  return found;
}

/** Why the predictions can't be those of the row, if their numbers don't fit. */
function lengthMisfit(row: ResultRow, { targets, predictions }: Predictions): string | undefined {
  if (row.test_images !== null && row.test_images !== targets.length) {
    return `${targets.length} predictions where the row says ${row.test_images} test images`;
  }
  const evaluated = Array.from(predictions).filter((prediction) => prediction >= 0).length;
  if (row.evaluated_images !== null && row.evaluated_images !== evaluated) {
    return `${evaluated} images with a prediction where the row says ${row.evaluated_images}`;
  }
}

/** Why the predictions can't be those of the row, if they give other scores. */
function scoreMisfit(row: ResultRow, { accuracy, f1 }: Evaluation): string | undefined {
  if (row.accuracy !== null && Math.abs(row.accuracy - accuracy) > 1e-4) {
    return `accuracy ${accuracy.toFixed(2)} % where the row says ${row.accuracy}`;
  }
  if (row.f1 !== null && Math.abs(row.f1 - f1) > 1e-6) {
    return `F1 ${f1.toFixed(4)} where the row says ${row.f1}`;
  }
}

/** Names of the files in a folder; `null` if there is no such folder that can be read. */
async function fileNames(folder: string): Promise<Set<string> | null> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return new Set(entries.filter(({ isDirectory }) => !isDirectory).map(({ name }) => name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return null;
    }
    if (error instanceof Deno.errors.PermissionDenied) return null;
    throw error;
  }
}
