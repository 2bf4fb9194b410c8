/**
 * The columns of `results/partN.csv`: one {@linkcode ResultRow} per model and run.
 *
 * @module
 */

import { printable } from "../../io/printable.ts";

/** How a run ended. */
export type Status = "ok" | "error" | "interrupted";

/** One line of `results/partN.csv`. `null` and `""` mean that a column does not apply. */
export interface ResultRow {
  /** Names the run's folder under `results/runs/`. */
  run_id: string;
  /** ISO 8601, UTC. */
  started_at: string;
  /** Part of the study: 1, 2 or 4. */
  part: number;
  /** The model's name in the study, `SimpleCNN` for one. */
  model: string;
  /** How the run ended. */
  status: Status;
  /** Mean of the test batches' mean losses; NaN after a failure. */
  test_loss: number | null;
  /** Percent of the evaluated images, 0..100; NaN after a failure. */
  accuracy: number | null;
  /** Support-weighted F1, 0..1; NaN after a failure. */
  f1: number | null;
  /** Seconds, or the study's words where there is no time, `N/A (Error)` for one. */
  training_time_s: number | string | null;
  /** In part 2 of the detector's call alone, else of all that makes scores of the test images. */
  inference_ms_per_image: number | null;
  /** Test images with a valid prediction. */
  evaluated_images: number | null;
  /** Test images given to the model. */
  test_images: number | null;
  /** Images that it was trained on. */
  train_images: number | null;
  /** Epochs that were finished. */
  epochs: number | null;
  /**
   * Images of a training step; boxes, where a detector's head is trained. Of an untrained detector,
   * images of a call.
   */
  batch_size: number | null;
  /** Adam's, the highest of a schedule. */
  learning_rate: number | null;
  /** Adam's L2 factor, as PyTorch's. */
  weight_decay: number | null;
  /** Seed of initialisation, shuffling and dropout. */
  seed: number | null;
  /** Name of the data, `mnist` for one. */
  dataset: string;
  /** Checksum of the data, hexadecimal. */
  dataset_sha256: string;
  /** Weights that the model started from. */
  weights: string;
  /** Checksum of those weights, hexadecimal. */
  weights_sha256: string;
  /** Engine that did the arithmetic. */
  backend: string;
  /** Device that it ran on. */
  device: string;
  /** Number format of the arithmetic, `float32` for one. */
  precision: string;
  /** What went wrong, one line; empty when nothing did. */
  error: string;
  /** No column: how its manifest says that it was trained, if that is not its model's own recipe. */
  otherRecipe?: string;
}

type Kind = "text" | "number" | "either";

const KINDS = {
  run_id: "text",
  started_at: "text",
  part: "number",
  model: "text",
  status: "text",
  test_loss: "number",
  accuracy: "number",
  f1: "number",
  training_time_s: "either",
  inference_ms_per_image: "number",
  evaluated_images: "number",
  test_images: "number",
  train_images: "number",
  epochs: "number",
  batch_size: "number",
  learning_rate: "number",
  weight_decay: "number",
  seed: "number",
  dataset: "text",
  dataset_sha256: "text",
  weights: "text",
  weights_sha256: "text",
  backend: "text",
  device: "text",
  precision: "text",
  error: "text",
} as const satisfies Record<Exclude<keyof ResultRow, "otherRecipe">, Kind>;

/** The columns, in the order of the file. */
export const COLUMNS = Object.keys(KINDS) as readonly (keyof typeof KINDS)[];

const COLUMN_KINDS = Object.entries(KINDS) as readonly [keyof typeof KINDS, Kind][];

/** The columns that hold a number, or may. */
export const NUMBER_COLUMNS = COLUMNS.filter((column) => KINDS[column] !== "text");

const EMPTY = Object.fromEntries(COLUMNS.map((column) => [column, null]));

/** A row of which nothing is known yet: an error, until a run says otherwise. */
export const EMPTY_ROW = {
  ...Object.fromEntries(COLUMNS.map((column) => [column, KINDS[column] === "text" ? "" : null])),
  status: "error",
} as ResultRow;

/** The first line of every `results/partN.csv`. */
export const HEADER = COLUMNS.join(",");

/** Whether these are the names of a result file's columns, in this version or another. */
export function isHeader(cells: readonly string[]): boolean {
  return ["run_id", "model", "status"].every((name) => cells.some((cell) => cell.trim() === name));
}

/** Where each column of a header is. */
export function positions(header: readonly string[]): Map<string, number> {
  return new Map(header.map((name, i) => [name.trim(), i]));
}

/** No model, data set or file has a longer name. */
const LONGEST_TEXT = 200;

/** Errors are a sentence or a few. */
const LONGEST_ERROR = 2000;

/** A row read back, and what was odd about it. */
export interface ParsedRow {
  /** The row; `null` if it has no usable model or status. */
  row: ResultRow | null;
  /** One phrase per oddity. */
  problems: string[];
  /** The same of what an ok row says and nobody can read; all of it if there is no row. */
  unread: string[];
}

/** What stands for a time where there is none, as the study writes it: `N/A (Error)` for one. */
const NO_TIME = /^N\/A( \(.*\))?$/;

/**
 * Reads a row whose columns are matched by name. A number that cannot be read is NaN.
 *
 * @param cells The line's cells.
 * @param position Where each known column is in `cells`; a column that is not there reads as empty.
 * @param hasDecimalCommas Whether numbers are written as `99,27`.
 */
export function parseRow(
  cells: readonly string[],
  position: ReadonlyMap<string, number>,
  hasDecimalCommas = false,
): ParsedRow {
  const problems: string[] = [];
  const unread: string[] = [];
  // Filled in place, all rows share one layout: files of 100,000 rows are read in a second.
  const values: Record<string, string | number | null> = { ...EMPTY };
  for (const [column, kind] of COLUMN_KINDS) {
    const text = cells[position.get(column) ?? -1]?.trim() ?? "";
    if (kind === "text") {
      const limit = column === "error" ? LONGEST_ERROR : LONGEST_TEXT;
      if (text.length > limit) problems.push(`${column} has more than ${limit} characters, cut`);
      values[column] = text.length > limit ? printable(text, limit) : text;
      continue;
    }
    if (kind === "either" && NO_TIME.test(text)) {
      values[column] = text;
      continue;
    }
    const number = parseNumber(hasDecimalCommas ? text.replace(",", ".") : text);
    if (number === undefined) unread.push(`${column} is not a number`);
    values[column] = number === undefined ? NaN : number;
  }
  const row = values as unknown as ResultRow;
  const skipped = (reason: string) => ({ row: null, problems: [], unread: [reason] });
  if (row.model === "") return skipped("no model is named, row skipped");
  if (!["ok", "error", "interrupted"].includes(row.status)) {
    return skipped("status is not ok, error or interrupted, row skipped");
  }
  return row.status === "ok"
    ? { row, problems, unread }
    : { row, problems: [...problems, ...unread], unread: [] };
}

/** Columns that, with the engine and the recipe, make runs comparable with each other; the machine is not among them. */
const SETTINGS = [
  "dataset",
  "dataset_sha256",
  "train_images",
  "test_images",
  "epochs",
  "batch_size",
  "learning_rate",
  "weight_decay",
  "weights",
  "weights_sha256",
  "precision",
] as const satisfies readonly (keyof ResultRow)[];

/** Equal for two runs of one model that differ in nothing but the seed. */
export function settingKey(row: ResultRow): string {
  return [
    ...SETTINGS.map((column) => settingOf(row, column)),
    engineOf(row),
    row.otherRecipe,
  ].join("\n");
}

/** What a row's column says of its setting: an untrained detector finds the same in any batch. */
function settingOf(row: ResultRow, column: (typeof SETTINGS)[number]): string | number | null {
  return column === "batch_size" && row.part === 2 && row.epochs === null ? null : row[column];
}

/**
 * Whether a run that did not end well was to be one of an ok run's setting, as far as its row says: it
 * may have failed before data or weights were there, and its epochs are those that it came to.
 */
export function mayBeOf(stopped: ResultRow, ok: ResultRow): boolean {
  return SETTINGS.every((column) =>
    column === "epochs" || isEmpty(stopped[column]) ||
    Object.is(settingOf(stopped, column), settingOf(ok, column))
  ) &&
    (stopped.epochs ?? 0) <= (ok.epochs ?? 0) &&
    stopped.otherRecipe === ok.otherRecipe &&
    (stopped.backend === "" || engineOf(stopped) === engineOf(ok));
}

/** Why a run did not end well: `interrupted`, or its error, on one line and cut where it is long. */
export function describeStop({ status, error }: ResultRow): string {
  return status === "interrupted" ? "interrupted" : printable(error);
}

/** Whether a row lacks something of its setting that an ok row of the model has. */
export function saysLess(stopped: ResultRow, ok: ResultRow | undefined): boolean {
  return ok !== undefined &&
    [...SETTINGS, "backend" as const].some((column) =>
      column !== "epochs" && isEmpty(stopped[column]) && !isEmpty(ok[column])
    );
}

function isEmpty(value: string | number | null): boolean {
  return value === null || value === "";
}

/** The engine that did the arithmetic; rows that do not say it are of the first that there was. */
export function engineOf({ backend }: ResultRow): string {
  return backend || "tensorflow";
}

/**
 * Whether a row's accuracy and F1 are of all its test images, one without a prediction being wrong: so
 * they are of a detector whose head was trained. The study's own way leaves such images out.
 */
export function countsMisses({ part, epochs }: Pick<ResultRow, "part" | "epochs">): boolean {
  return part === 2 && epochs !== null;
}

/** How many images a row's accuracy and F1 are of; `null` if it does not say. */
export function scoredImages(row: ResultRow): number | null {
  return countsMisses(row) ? row.test_images : row.evaluated_images ?? row.test_images;
}

/** What is odd about a row's values, one phrase each. */
export interface ImplausibleValues {
  /** Values that can't be right, or are not there; the row's scores stand. */
  notes: string[];
  /** Scores of an ok row that can't be right: it is no result. */
  scores: string[];
}

/** Which of a row's values can't be right. */
export function implausibleValues(row: ResultRow): ImplausibleValues {
  const notes: string[] = [];
  const scores: string[] = [];
  const isOk = row.status === "ok";
  const check = (holds: boolean, phrase: string, list = notes) => {
    if (!holds) list.push(phrase);
  };
  const { training_time_s: time } = row;
  check(!Number.isNaN(Date.parse(row.started_at)), "started_at is not a time, counted as oldest");
  check(!(typeof time === "number" && time < 0), "training_time_s is negative");
  check(!((row.inference_ms_per_image ?? 0) < 0), "inference_ms_per_image is negative");
  check(
    !((row.evaluated_images ?? 0) > (row.test_images ?? Infinity)),
    "more evaluated_images than test_images",
  );
  for (const [column, { most, range }] of Object.entries(SCORES)) {
    const value = row[column as keyof typeof SCORES];
    const isInRange = !((value ?? 0) < 0 || (value ?? 0) > most);
    check(isInRange, `${column} ${range}`, isOk ? scores : notes);
    if (!isOk) continue;
    const isFinite = value === null || Number.isFinite(value);
    check(isFinite || !isInRange, `status is ok but ${column} is not finite`, scores);
    // A detector has no cross-entropy: the study prints 0, our trained head leaves it empty.
    const mayBeEmpty = column === "test_loss" && row.part === 2;
    check(value !== null || mayBeEmpty, `status is ok but ${column} is empty`);
  }
  return { notes, scores };
}

/** What a run is judged by: the most that it can be, at least 0, and what to say if it is not. */
const SCORES = {
  test_loss: { most: Infinity, range: "is negative" },
  accuracy: { most: 100, range: "is not in 0..100 %" },
  f1: { most: 1, range: "is not in 0..1" },
} as const satisfies Partial<Record<keyof ResultRow, { most: number; range: string }>>;

/** A decimal number, `null` for nothing, or `undefined` for text that is no such number. */
function parseNumber(text: string): number | null | undefined {
  if (text === "") return null;
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  if (/^[+-]?nan$/i.test(text)) return NaN;
  const infinity = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinity) return infinity[1] === "-" ? -Infinity : Infinity;
  return undefined;
}
