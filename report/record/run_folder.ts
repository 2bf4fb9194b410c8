/**
 * `results/runs/<run_id>/`: what a run was (`manifest.json`), how it went (`history.csv`) and what it
 * answered (`predictions.csv`). Every file is written whole or not at all.
 *
 * @module
 */

import { join } from "node:path";
import { writeFileAtomic } from "../../io/atomic.ts";
import { isRecord } from "../../io/is_record.ts";
import { printable } from "../../io/printable.ts";
import { readRegularText } from "../../io/regular_file.ts";
import { damaged, missing, readNumberTable } from "./number_table.ts";

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
  /** Part of the study: 1, 2 or 4. */
  part: number;
  /** The model's name in the results. */
  model: string;
  /** All that decides the run's arithmetic, and what it was given. */
  settings: { readonly [name: string]: Json };
  /** Versions: Deno, tfjs and the engine. */
  versions: { readonly [name: string]: string };
  /** Processor, cores in use, memory, operating system. */
  machine: { readonly [name: string]: Json };
  /**
   * Commit that the code was at, and whether its tree was clean; `null` outside a repository. Of a
   * run that was taken up again it is that of the last sitting.
   */
  git: { readonly commit: string; readonly clean: boolean } | null;
  /** The code of earlier sittings, and of the runs that it continues, as far as it was another. */
  earlier_git?: readonly Manifest["git"][];
  /** Where the run, or the one that it continues, went on in a different way, a line each time. */
  changes?: readonly string[];
  /** What the run has used so far, as of its last epoch or interruption; absent once it has ended. */
  used?: { readonly [name: string]: Json } | undefined;
  /** What was measured besides what the CSV says; absent until the run has ended. */
  measured?: { readonly [name: string]: Json };
}

/** The code of each sitting of a run, the last one's last. */
export function codeOf({ git, earlier_git: earlier = [] }: Manifest): Manifest["git"][] {
  return [...earlier, git];
}

/** `0123abc with local changes`; of no repository nothing. */
export function codeName(git: Manifest["git"] | undefined): string | undefined {
  return git?.commit
    ? `${git.commit.slice(0, 7)}${git.clean ? "" : " with local changes"}`
    : undefined;
}

/** What `changes` calls the parts of a machine that a run may go on with others of, and where they are. */
export const MACHINE_PARTS = {
  processor: "processor",
  "processor of": "processor_model",
  cores: "cores",
  threads: "threads",
  device: "device",
} as const;

const MACHINE_CHANGE = new RegExp(`(^|; )(${Object.keys(MACHINE_PARTS).join("|")}) `);

/** Whether a run went on on another machine than it began on, or with other cores of it. */
export function hasMoved({ changes = [] }: Manifest): boolean {
  return changes.some((change) => MACHINE_CHANGE.test(change));
}

/** Whether two values of manifests, which older ones may lack, are both there and not the same. */
export function isKnownToDiffer(a: unknown, b: unknown): boolean {
  return a !== undefined && a !== null && b !== undefined && b !== null && a !== b;
}

/** Name of the checkpoint in a run's folder. */
export const CHECKPOINT = "checkpoint.safetensors";

/** The setting with the folder that a run's images were in, where it is not the suite's own. */
export const DATA_FOLDER = "data_folder";

/** The setting with the path of the user's file that a run has its weights from. */
export const WEIGHTS_FILE = "weights_file";

/** A line of `history.csv`. */
export interface HistoryRow {
  /** From 1; 0 stands for features that were computed before, with no loss and accuracy. */
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

/** No set of test images has more. */
const MOST_IMAGES = 2e6;

/** A manifest of a thousand times the usual size. */
const MOST_MANIFEST_BYTES = 4e6;

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
        `current value is ${JSON.stringify(printable(runId))}`,
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
  let value: unknown;
  try {
    value = JSON.parse(await readRegularText(path, { maxBytes: MOST_MANIFEST_BYTES }));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw missing(path);
    throw error instanceof SyntaxError ? damaged(path) : error;
  }
  if (!isManifest(value)) throw damaged(path);
  return value;
}

/** Writes `history.csv` into a run's folder, which is made if missing. */
export async function writeHistory(folder: string, rows: readonly HistoryRow[]): Promise<void> {
  const lines = rows.map((row) => HISTORY.map((column) => row[column]));
  await writeTable(join(folder, "history.csv"), [HISTORY, ...lines]);
}

/** How much of a long table is kept. */
export interface ThinOptions {
  /**
   * At most about as many rows, evenly spaced, the first and the last among them.
   *
   * @default {Infinity}
   */
  most?: number;
  /** Called once if there were more. */
  onThinned?: () => void;
}

/**
 * Reads a run's `history.csv`; numbers come back as they were written, to the bit.
 *
 * @throws {StudyError} If it is missing or damaged.
 */
export async function readHistory(
  folder: string,
  options: ThinOptions = {},
): Promise<HistoryRow[]> {
  const rows = await readThinned(join(folder, "history.csv"), HISTORY, options);
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
export async function readEvaluations(
  folder: string,
  options: ThinOptions = {},
): Promise<EvaluationRow[]> {
  const rows = await readThinned(join(folder, "evaluations.csv"), EVALUATIONS, options);
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
  const targets: number[] = [];
  const predictions: number[] = [];
  const scores: number[] = [];
  const isLabel = (label: number) => Number.isInteger(label) && label < MOST_CLASSES;
  await readNumberTable(path, PREDICTIONS, ([index, target, prediction, score]) => {
    const isSound = index === targets.length && isLabel(target!) && target! >= 0 &&
      isLabel(prediction!) && prediction! >= -1 && targets.length < MOST_IMAGES;
    if (!isSound) throw damaged(path);
    targets.push(target!);
    predictions.push(prediction!);
    scores.push(score!);
  });
  return {
    targets: Int32Array.from(targets),
    predictions: Int32Array.from(predictions),
    scores: Float32Array.from(scores),
  };
}

/** The rows of a table, of a long one every second, fourth, eighth ... and the last. */
async function readThinned(
  path: string,
  columns: readonly string[],
  { most = Infinity, onThinned }: ThinOptions,
): Promise<number[][]> {
  let rows: number[][] = [];
  let step = 1;
  let count = 0;
  let last: number[] | undefined;
  await readNumberTable(path, columns, (row) => {
    last = row;
    if (count++ % step === 0) rows.push(row);
    if (rows.length <= most) return;
    rows = rows.filter((_, i) => i % 2 === 0);
    step *= 2;
  });
  if (step > 1) onThinned?.();
  return last === undefined || rows.at(-1) === last ? rows : [...rows, last];
}

/** Whether a value has all that a manifest must have; older ones may lack single entries. */
function isManifest(value: unknown): value is Manifest {
  if (!isRecord(value)) return false;
  const { run_id, settings, versions, machine, git, earlier_git = [] } = value as Partial<Manifest>;
  return typeof run_id === "string" && [settings, versions, machine].every(isRecord) &&
    isCodeState(git) && Array.isArray(earlier_git) && earlier_git.every(isCodeState);
}

function isCodeState(git: Manifest["git"] | undefined): boolean {
  return git === null || (typeof git?.commit === "string" && typeof git.clean === "boolean");
}

/** Numbers and names of columns, none of which needs quotes. */
async function writeTable(
  path: string,
  lines: readonly (readonly (string | number)[])[],
): Promise<void> {
  await writeFileAtomic(path, lines.map((line) => `${line.join(",")}\n`).join(""));
}
