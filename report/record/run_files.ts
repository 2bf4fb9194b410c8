/**
 * The files of the runs in the report, as far as they can be read: what can't be is noted as a
 * problem and never ends the report.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { UnusableFileError } from "../../io/regular_file.ts";
import { systemReason } from "../../io/system_reason.ts";
import { accuracy, weightedF1 } from "../../metrics/classification.ts";
import { type FoundRow, placeName } from "./gather_rows.ts";
import type { ProblemList } from "./problems.ts";
import { type ResultRow, settingKey } from "./result_row.ts";
import {
  type EvaluationRow,
  type HistoryRow,
  type Manifest,
  type Predictions,
  readEvaluations,
  readHistory,
  readManifest,
  readPredictions,
  runFolder,
  type ThinOptions,
} from "./run_folder.ts";
import { ownManifest } from "./run_folders.ts";

/** What was found of a run. */
export interface RunFiles {
  manifest: Manifest | null;
  /** Empty if there is none; of a long one some epochs. */
  history: HistoryRow[];
  /** Empty unless the test images were evaluated on the way. */
  evaluations: EvaluationRow[];
  /** Only of an ok run, and only if they fit its row. */
  predictions: Predictions | null;
}

/** Where problems are noted, and how they name their files. */
export interface ProblemOptions {
  /** All results folders of the comparison. */
  folders: readonly string[];
  problems: ProblemList;
}

/** Of many seeds, how many have a curve of their own in the figure. */
const SEEDS_READ = 20;

/** Of a long history, about how many epochs are kept: a figure shows no more. */
const EPOCHS_KEPT = 1000;

/**
 * Reads the folder of a row's run. A history is expected where epochs were trained, predictions
 * where the run is ok.
 */
export async function readRunFiles(
  { row, folder }: FoundRow,
  { folders, problems }: ProblemOptions,
): Promise<RunFiles> {
  const found: RunFiles = {
    manifest: null,
    history: [],
    evaluations: [],
    predictions: null,
  };
  const note = (text: string, file = "") =>
    problems.add(text, { file: placeName(folders, folder, join("runs", row.run_id, file)) });
  if (!namesFolder(row, note)) return found;
  const path = runFolder(folder, row.run_id);
  const names = await fileNames(path);
  if (typeof names === "string") {
    // A run that failed early has left nothing but its row.
    if (row.status === "ok" || names !== MISSING) {
      note(`the run folder of ${row.model} ${names}, and with it manifest and predictions`);
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
      note(`${reasonOf(error)}, not used`, file);
      return null;
    }
  };
  const thin = (file: string): ThinOptions => ({
    most: EPOCHS_KEPT,
    onThinned: () => note(`more than ${EPOCHS_KEPT} epochs, of which some are shown`, file),
  });
  found.manifest = await read("manifest.json", readManifest);
  if (found.manifest !== null && found.manifest.run_id !== row.run_id) {
    note("of another run, not used", "manifest.json");
    found.manifest = null;
  }
  if ((row.epochs ?? 0) > 0) {
    const file = "history.csv";
    found.history = await read(file, (path) => readHistory(path, thin(file))) ?? [];
  }
  if (names.has("evaluations.csv")) {
    const file = "evaluations.csv";
    found.evaluations = await read(file, (path) => readEvaluations(path, thin(file))) ?? [];
  }
  if (row.status !== "ok") return found;
  const predictions = await read("predictions.csv", readPredictions);
  if (predictions === null) return found;
  const mismatch = findMismatch(row, predictions);
  if (mismatch === undefined) found.predictions = predictions;
  else note(`${mismatch}, not used`, "predictions.csv");
  return found;
}

/** Whether a row's run can have a folder; if not, that is noted. */
function namesFolder({ run_id, model }: ResultRow, note: (text: string) => void): boolean {
  if (/^[A-Za-z0-9_-]+$/.test(run_id)) return true;
  note(`${model} has a run_id that names no folder: its manifest and predictions are missing`);
  return false;
}

/** The curves of some runs. */
export interface SeedCurves {
  histories: HistoryRow[][];
  /** Of the runs that have one. */
  evaluations: EvaluationRow[][];
}

/**
 * Reads `history.csv`, and `evaluations.csv` where there is one, of the runs that differ from the one
 * shown in nothing but the seed: the newest ok run of each other seed, of many seeds the newest ones. A
 * run without a readable history is noted and left out.
 *
 * @param runs The model's runs, oldest first.
 */
export async function readSeedCurves(
  shown: FoundRow,
  runs: readonly FoundRow[],
  { folders, problems }: ProblemOptions,
): Promise<SeedCurves> {
  const curves: SeedCurves = { histories: [], evaluations: [] };
  if (shown.row.status !== "ok" || !((shown.row.epochs ?? 0) > 0)) return curves;
  for (const { row, folder } of otherSeeds(shown, runs).slice(0, SEEDS_READ)) {
    try {
      const path = runFolder(folder, row.run_id);
      const thin = { most: EPOCHS_KEPT };
      curves.histories.push(await readHistory(path, thin));
      const names = await fileNames(path);
      if (typeof names === "string" || !names.has("evaluations.csv")) continue;
      curves.evaluations.push(await readEvaluations(path, thin));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      problems.add("missing or damaged: this seed is not in the learning curve", {
        file: placeName(folders, folder, join("runs", row.run_id, "history.csv")),
      });
    }
  }
  return curves;
}

/** A run and its manifest, if it has a readable one. */
export interface SeedRun {
  row: ResultRow;
  manifest: Manifest | null;
}

/** Files that are open at once. */
const OPEN_FILES = 32;

/**
 * The manifests of a model's ok runs that differ from each other in seed or setting, of each seed the
 * newest; `null` where none is readable. A run_id that names no folder is noted.
 *
 * @param runs The model's runs, oldest first.
 */
export async function readManifests(
  runs: readonly FoundRow[],
  options: ProblemOptions,
): Promise<Map<ResultRow, Manifest | null>> {
  const counted = newestPerSeed(runs);
  const manifests = new Map<ResultRow, Manifest | null>();
  for (let from = 0; from < counted.length; from += OPEN_FILES) {
    const some = counted.slice(from, from + OPEN_FILES);
    const read = await Promise.all(some.map((run) => manifestOf(run, options)));
    for (const [i, { row }] of some.entries()) manifests.set(row, read[i]!);
  }
  return manifests;
}

/** The runs that differ from an ok one in nothing but the seed, all of them, the newest run first. */
export function seedRunsOf(
  shown: FoundRow,
  runs: readonly FoundRow[],
  manifests: ReadonlyMap<ResultRow, Manifest | null>,
): SeedRun[] {
  if (shown.row.status !== "ok") return [];
  return otherSeeds(shown, runs)
    .map(({ row }) => ({ row, manifest: manifests.get(row) ?? null }));
}

/** The manifest of a row's run; `null` unless there is a readable one that is of this run. */
async function manifestOf(
  { row, folder }: FoundRow,
  { folders, problems }: ProblemOptions,
): Promise<Manifest | null> {
  const { run_id: runId } = row;
  const file = placeName(folders, folder, join("runs", runId));
  if (!namesFolder(row, (text) => problems.add(text, { file }))) return null;
  return await ownManifest(runFolder(folder, runId), runId) ?? null;
}

/** A file that is damaged or missing; a run_id that names no folder is a RangeError. */
function isUnreadable(error: unknown): boolean {
  return error instanceof StudyError || error instanceof RangeError;
}

/** The newest ok run of each other seed with the same setting, newest first. */
function otherSeeds(shown: FoundRow, runs: readonly FoundRow[]): FoundRow[] {
  const setting = settingKey(shown.row);
  return newestPerSeed(runs)
    .filter(({ row }) => settingKey(row) === setting && !Object.is(row.seed, shown.row.seed));
}

/** Of each setting the newest ok run of each seed, newest first. */
function newestPerSeed(runs: readonly FoundRow[]): FoundRow[] {
  const seen = new Set<string>();
  return runs.toReversed().filter(({ row }) => {
    const key = `${settingKey(row)}\n${row.seed}`;
    if (row.status !== "ok" || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** What images are of, and what was predicted of them. */
export type Labels = Pick<Predictions, "targets" | "predictions">;

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
  const evaluated = withPrediction({ targets, predictions });
  const images = evaluated.targets.length;
  if (row.evaluated_images !== null && row.evaluated_images !== images) {
    return `${images} images with a prediction where the row says ${row.evaluated_images}`;
  }
  const percent = 100 * accuracy(evaluated.targets, evaluated.predictions);
  if (row.accuracy !== null && Math.abs(row.accuracy - percent) > 1e-4) {
    return `accuracy ${percent.toFixed(2)} % where the row says ${row.accuracy}`;
  }
  const f1 = weightedF1(evaluated.targets, evaluated.predictions);
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
async function fileNames(folder: string): Promise<Set<string> | string> {
  try {
    return new Set((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return MISSING;
    return `cannot be read (${systemReason(error)})`;
  }
}
