/**
 * The files of the runs in the report, as far as they can be read: what can't be is noted as a
 * problem and never ends the report.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { printable } from "../../io/printable.ts";
import { type FoundRow, placeName } from "./gather_rows.ts";
import {
  fileNames,
  namesFolder,
  type Note,
  type OpenFolder,
  openRunFolder,
  readNoted,
  readOwnManifest,
  readOwnPredictions,
} from "./own_files.ts";
import { otherRecipe } from "./other_recipe.ts";
import type { ProblemList } from "./problems.ts";
import { type ResultRow, settingKey } from "./result_row.ts";
import {
  type EvaluationRow,
  type HistoryRow,
  type Manifest,
  type Predictions,
  readEvaluations,
  readHistory,
  runFolder,
  type ThinOptions,
} from "./run_folder.ts";

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
const CURVES_SHOWN = 20;

/** Of a long history, about how many epochs are kept: a figure shows no more. */
const EPOCHS_KEPT = 1000;

/**
 * Reads the folder of a row's run. A history is expected where epochs were trained, predictions
 * where the run is ok.
 */
export async function readRunFiles(
  run: FoundRow,
  { folders, problems }: ProblemOptions,
): Promise<RunFiles> {
  const { row, folder } = run;
  const found: RunFiles = {
    manifest: null,
    history: [],
    evaluations: [],
    predictions: null,
  };
  const file = (name: string) => placeName(folders, folder, join("runs", row.run_id, name));
  const note: Note = (text, name = "") => problems.lack(text, { file: file(name) });
  const open = await openRunFolder(run, note);
  if (open === undefined) return found;
  const read = <T>(name: string, reader: (folder: string) => Promise<T>) =>
    readNoted(name, { ...open, reader });
  const thin = (name: string): ThinOptions => ({
    most: EPOCHS_KEPT,
    onThinned: () =>
      problems.add(`more than ${EPOCHS_KEPT} epochs, of which some are shown`, {
        file: file(name),
      }),
  });
  found.manifest = await readOwnManifest(row, open);
  if ((row.epochs ?? 0) > 0) {
    const name = "history.csv";
    found.history = await read(name, (path) => readHistory(path, thin(name))) ?? [];
  }
  if (open.names.has("evaluations.csv")) {
    const name = "evaluations.csv";
    found.evaluations = await read(name, (path) => readEvaluations(path, thin(name))) ?? [];
  }
  if (row.status === "ok") found.predictions = await readOwnPredictions(row, open);
  return found;
}

/** The curves of some runs. */
export interface SeedCurves {
  histories: HistoryRow[][];
  /** Of the runs that have one. */
  evaluations: EvaluationRow[][];
}

/**
 * Reads `history.csv`, and `evaluations.csv` where there is one, of the runs that differ from the one
 * shown in nothing but the seed: the newest ok run of each other seed, of many seeds the histories of the
 * newest ones. A file that cannot be read is noted and left out.
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
  const thin = { most: EPOCHS_KEPT };
  for (const [i, { row, folder }] of otherSeeds(shown, runs).entries()) {
    const lack = (name: string, text: string) =>
      problems.lack(text, { file: placeName(folders, folder, join("runs", row.run_id, name)) });
    const history = i >= CURVES_SHOWN ? undefined : await readOrElse(
      () => readHistory(runFolder(folder, row.run_id), thin),
      () => lack("history.csv", "missing or damaged: this seed is not in the learning curve"),
    );
    if (history !== undefined) curves.histories.push(history);
    const evaluations = await readOrElse(
      () => readOwnEvaluations(row, folder, thin),
      () => lack("evaluations.csv", "damaged: this seed is not in the test accuracy by epoch"),
    );
    if (evaluations !== undefined) curves.evaluations.push(evaluations);
  }
  return curves;
}

/** What can be read; where it can't, that is told. */
async function readOrElse<T>(read: () => Promise<T>, tell: () => void): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    tell();
  }
}

/** The evaluations of a run that has some; none where it has no folder, which is told of its manifest. */
async function readOwnEvaluations(
  { run_id }: ResultRow,
  folder: string,
  thin: ThinOptions,
): Promise<EvaluationRow[] | undefined> {
  if (!namesFolder(run_id)) return undefined;
  const path = runFolder(folder, run_id);
  const names = await fileNames(path);
  if (typeof names === "string" || !names.has("evaluations.csv")) return undefined;
  return await readEvaluations(path, thin);
}

/**
 * The predictions of the runs that differ from the one shown in nothing but the seed; `null` where they
 * are missing, damaged or not those of their rows, which is noted: the means are over the scores of them
 * all.
 *
 * @param runs The model's runs, oldest first.
 */
export async function readSeedPredictions(
  shown: FoundRow,
  runs: readonly FoundRow[],
  options: ProblemOptions,
): Promise<Map<ResultRow, Predictions | null>> {
  if (shown.row.status !== "ok") return new Map();
  return await inFolders(otherSeeds(shown, runs), readOwnPredictions, options);
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
 * newest; `null` where none is readable, which is noted. The rows of all runs learn whether they have
 * another recipe than their model.
 *
 * @param runs The model's runs, oldest first.
 */
export async function readManifests(
  runs: readonly FoundRow[],
  { folders, problems }: ProblemOptions,
): Promise<Map<ResultRow, Manifest | null>> {
  const found = await openFolders(runs, readOwnManifest);
  for (const { run: { row }, value } of found) {
    const recipe = value && otherRecipe(value);
    if (recipe) row.otherRecipe = recipe;
  }
  const counted = new Set(newestPerSeed(runs));
  return noted(found.filter(({ run }) => counted.has(run)).reverse(), { folders, problems });
}

/** What `reader` finds in the folders of some runs, `null` where there is none. */
async function inFolders<T>(
  runs: readonly FoundRow[],
  reader: (row: ResultRow, folder: OpenFolder) => Promise<T | null>,
  options: ProblemOptions,
): Promise<Map<ResultRow, T | null>> {
  return noted(await openFolders(runs, reader), options);
}

/** What was found in a run's folder, and what is to be noted of that. */
interface Opened<T> {
  run: FoundRow;
  notes: Parameters<Note>[];
  value: T | null;
}

async function openFolders<T>(
  runs: readonly FoundRow[],
  reader: (row: ResultRow, folder: OpenFolder) => Promise<T | null>,
): Promise<Opened<T>[]> {
  const found: Opened<T>[] = [];
  for (let from = 0; from < runs.length; from += OPEN_FILES) {
    const some = runs.slice(from, from + OPEN_FILES);
    found.push(
      ...await Promise.all(some.map(async (run) => {
        const notes: Parameters<Note>[] = [];
        const open = await openRunFolder(run, (...note) => notes.push(note));
        return { run, notes, value: open === undefined ? null : await reader(run.row, open) };
      })),
    );
  }
  return found;
}

/** The values by their rows; what is to be noted of them is. */
function noted<T>(
  found: readonly Opened<T>[],
  { folders, problems }: ProblemOptions,
): Map<ResultRow, T | null> {
  for (const { run: { row, folder }, notes } of found) {
    for (const [text, name = ""] of notes) {
      problems.lack(text, { file: placeName(folders, folder, join("runs", row.run_id, name)) });
    }
  }
  return new Map(found.map(({ run: { row }, value }) => [row, value]));
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

/**
 * Notes which ok runs do not count, as a newer one has their seed and setting.
 *
 * @param runs A model's runs, oldest first, each once.
 */
export function noteReplaced(
  runs: readonly FoundRow[],
  { problems }: Pick<ProblemOptions, "problems">,
): void {
  const newest = new Map(newestPerSeed(runs).map(({ row }) => [seedKey(row), row]));
  for (const { row, folder: _, ...where } of runs) {
    const counted = newest.get(seedKey(row));
    if (row.status !== "ok" || counted === undefined || counted === row) continue;
    const name = printable(counted.run_id) || "a newer run";
    problems.add(
      `an older run of a seed that ${name} has with the same settings, not counted`,
      where,
    );
  }
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
    const key = seedKey(row);
    if (row.status !== "ok" || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Equal for two runs of a model that differ in nothing but when and on what machine they were made. */
function seedKey(row: ResultRow): string {
  return `${settingKey(row)}\n${row.seed}`;
}
