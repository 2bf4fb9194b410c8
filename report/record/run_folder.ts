/**
 * `results/runs/<run_id>/`: what a run was (`manifest.json`), how it went (`history.csv`) and what it
 * answered (`predictions.csv`). Every file is written whole or not at all.
 *
 * @module
 */

import { parse, stringify } from "@std/csv";
import { join } from "node:path";
import { writeFileAtomic } from "../../io/atomic.ts";
import { StudyError } from "../../io/errors.ts";

/** A value that JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | {
  readonly [k: string]: Json;
};

/** `manifest.json`: all that is needed to say what a run was, and to repeat it. */
export interface Manifest {
  /** As in the CSV. */
  run_id: string;
  /** ISO 8601, UTC. */
  started_at: string;
  part: number;
  model: string;
  settings: { readonly [name: string]: Json };
  /** Versions: Deno, tfjs and the engine. */
  versions: { readonly [name: string]: string };
  /** Processor, memory, operating system. */
  machine: { readonly [name: string]: Json };
  /** Commit that the code was at, and whether its tree was clean; `null` outside a repository. */
  git: { readonly commit: string; readonly clean: boolean } | null;
  /** What was measured besides what the CSV says; absent until the run has ended. */
  measured?: { readonly [name: string]: Json };
}

/** The setting with the folder that a run's images were in, where it is not the suite's own. */
export const DATA_FOLDER = "data_folder";

/** A line of `history.csv`. */
export interface HistoryRow {
  /** From 1. */
  epoch: number;
  /** Mean of the batches' mean losses. */
  train_loss: number;
  /** Percent correct, counted during the epoch, 0..100. */
  train_accuracy: number;
  /** Seconds that the epoch took. */
  time_s: number;
}

/** A line of `evaluations.csv`: the test images after an epoch, where that is asked for. */
export interface EvaluationRow {
  /** Number of the epoch, from 1. */
  epoch: number;
  /** Mean of the batches' mean losses. */
  test_loss: number;
  /** Percent correct, 0..100. */
  test_accuracy: number;
}

/** `predictions.csv`, column by column; the index of a line is its place, from 0. */
export interface Predictions {
  /** [n] true classes. */
  targets: ArrayLike<number>;
  /** [n] predicted classes; −1 where there is none. */
  predictions: ArrayLike<number>;
  /** [n] score of the prediction; NaN where there is none. */
  scores: ArrayLike<number>;
}

const HISTORY = ["epoch", "train_loss", "train_accuracy", "time_s"] as const;
const EVALUATIONS = ["epoch", "test_loss", "test_accuracy"] as const;
const PREDICTIONS = ["index", "target", "prediction", "score"] as const;

/** Far more than any data set here has; a label beyond is damage. */
const MOST_CLASSES = 1000;

/**
 * A new run's name: sorts by time, is a file name everywhere, and is unique even for runs started in
 * the same instant. `20260131T235959123Z-part1-SimpleCNN-seed1-3f9a2c41`, for one.
 */
export function newRunId(part: number, model: string, seed: number, startedAt: Date): string {
  const time = startedAt.toISOString().replace(/[-:.]/g, "");
  const name = model.replace(/[^A-Za-z0-9_]+/g, "-");
  return `${time}-part${part}-${name}-seed${seed}-${crypto.randomUUID().slice(0, 8)}`;
}

export function runFolder(outDir: string, runId: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(runId)) {
    throw new RangeError(
      "Cannot name a folder after a run as its id must consist of letters, digits, _ and -: " +
        `current value is ${JSON.stringify(runId)}`,
    );
  }
  return join(outDir, "runs", runId);
}

/** Writes `manifest.json` into a run's folder, which is made if missing. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeFileAtomic(join(folder, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
}

/**
 * Reads a run's `manifest.json`.
 *
 * @throws {StudyError} If it is missing or is not a manifest.
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, "manifest.json");
  const text = await readText(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(path);
  }
  if (!isManifest(value)) throw damaged(path);
  return value;
}

/** Writes `history.csv` into a run's folder, which is made if missing. */
export async function writeHistory(folder: string, rows: readonly HistoryRow[]): Promise<void> {
  const lines = rows.map((row) => HISTORY.map((column) => row[column]));
  await writeTable(join(folder, "history.csv"), [HISTORY, ...lines]);
}

/**
 * Reads a run's `history.csv`; numbers come back as they were written, to the bit.
 *
 * @throws {StudyError} If it is missing or damaged.
 */
export async function readHistory(folder: string): Promise<HistoryRow[]> {
  const rows = await readTable(join(folder, "history.csv"), HISTORY);
  return rows.map(([epoch, train_loss, train_accuracy, time_s]) => ({
    epoch: epoch!,
    train_loss: train_loss!,
    train_accuracy: train_accuracy!,
    time_s: time_s!,
  }));
}

/** Writes `evaluations.csv` into a run's folder, which is made if missing. */
export async function writeEvaluations(
  folder: string,
  rows: readonly EvaluationRow[],
): Promise<void> {
  const lines = rows.map((row) => EVALUATIONS.map((column) => row[column]));
  await writeTable(join(folder, "evaluations.csv"), [EVALUATIONS, ...lines]);
}

/**
 * Reads a run's `evaluations.csv`.
 *
 * @throws {StudyError} If it is missing or damaged.
 */
export async function readEvaluations(folder: string): Promise<EvaluationRow[]> {
  const rows = await readTable(join(folder, "evaluations.csv"), EVALUATIONS);
  return rows.map(([epoch, test_loss, test_accuracy]) => ({
    epoch: epoch!,
    test_loss: test_loss!,
    test_accuracy: test_accuracy!,
  }));
}

/**
 * Writes `predictions.csv` into a run's folder, which is made if missing. Scores keep six decimals;
 * the score of no prediction is left empty.
 *
 * @throws {RangeError} If the columns differ in length.
 */
export async function writePredictions(folder: string, columns: Predictions): Promise<void> {
  const { targets, predictions, scores } = columns;
  if (targets.length !== predictions.length || targets.length !== scores.length) {
    throw new RangeError(
      "Cannot write predictions as targets, predictions and scores must have the same length: " +
        `current lengths are ${targets.length}, ${predictions.length} and ${scores.length}`,
    );
  }
  const lines = Array.from({ length: targets.length }, (_, i) => {
    const score = scores[i]!;
    return [i, targets[i]!, predictions[i]!, Number.isNaN(score) ? "" : score.toFixed(6)];
  });
  await writeTable(join(folder, "predictions.csv"), [PREDICTIONS, ...lines]);
}

/**
 * Reads a run's `predictions.csv`.
 *
 * @throws {StudyError} If it is missing or damaged.
 */
export async function readPredictions(
  folder: string,
): Promise<{ targets: Int32Array; predictions: Int32Array; scores: Float32Array }> {
  const path = join(folder, "predictions.csv");
  const rows = await readTable(path, PREDICTIONS);
  const isLabel = (label: number) => Number.isInteger(label) && label < MOST_CLASSES;
  for (const [place, [index, target, prediction]] of rows.entries()) {
    const sound = index === place && isLabel(target!) && target! >= 0 && isLabel(prediction!) &&
      prediction! >= -1;
    if (!sound) throw damaged(path);
  }
  return {
    targets: Int32Array.from(rows, (row) => row[1]!),
    predictions: Int32Array.from(rows, (row) => row[2]!),
    scores: Float32Array.from(rows, (row) => row[3]!),
  };
}

/** Whether a value has all that a manifest must have; older ones may lack single entries. */
function isManifest(value: unknown): value is Manifest {
  const isObject = (part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part);
  if (!isObject(value)) return false;
  const { run_id, settings, versions, machine, git } = value as Partial<Manifest>;
  const gitIsSound = git === null ||
    (typeof git?.commit === "string" && typeof git.clean === "boolean");
  return typeof run_id === "string" && [settings, versions, machine].every(isObject) && gitIsSound;
}

async function writeTable(
  path: string,
  lines: readonly (readonly (string | number)[])[],
): Promise<void> {
  const text = stringify(lines, { headers: false }).replaceAll("\r\n", "\n");
  await writeFileAtomic(path, text);
}

/** The numbers of a CSV file with exactly these columns; an empty cell is NaN. */
async function readTable(path: string, columns: readonly string[]): Promise<number[][]> {
  let lines: string[][];
  try {
    lines = parse(await readText(path));
  } catch (error) {
    if (error instanceof SyntaxError) throw damaged(path);
    throw error;
  }
  if (lines[0]?.join() !== columns.join()) throw damaged(path);
  return lines.slice(1).map((cells) => {
    const numbers = cells.map((cell) => cell === "" || cell === "NaN" ? NaN : Number(cell));
    const bad = numbers.some((number, i) => Number.isNaN(number) && !/^(NaN)?$/.test(cells[i]!));
    if (bad || cells.length !== columns.length) throw damaged(path);
    return numbers;
  });
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new StudyError(`${path} does not exist: run the part again, or check the run's id`);
  }
}

function damaged(path: string): StudyError {
  return new StudyError(`${path} is damaged: run the part again, or restore the file from a copy`);
}
