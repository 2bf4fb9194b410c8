/**
 * `recipes.csv`: what `tune_fast.ts` has found of each candidate and seed, and the tables of it.
 *
 * @module
 */

import { stringify } from "@std/csv";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "../io/atomic.ts";
import { StudyError } from "../io/errors.ts";
import { withLock } from "../io/lock.ts";
import { exists } from "../io/path_kind.ts";
import { readRegularText } from "../io/regular_file.ts";
import { type MeanAndSd, meanAndSd } from "../metrics/descriptive_statistics.ts";
import {
  formatDifference,
  formatInterval,
  formatMeanAndSd,
} from "../report/analysis/format_numbers.ts";
import { differenceInterval, meanDifference } from "../report/analysis/statistics.ts";
import { escapeMarkdown, table } from "../report/page/markdown.ts";
import { type CsvRecord, csvRecords } from "../report/record/csv_records.ts";

/** One training run, judged on validation digits. */
export interface RecipeTrial {
  /** The recipe as `--recipe` names it. */
  recipe: string;
  /** What is other than in the recipe; {@linkcode WHOLE} where nothing is. */
  candidate: string;
  seed: number;
  /** Percent of the validation digits, 0..100. */
  accuracy: number;
  /** Seconds of the epochs. */
  seconds: number;
  /** Number format, as the engine names it. */
  precision: string;
  /** All settings of the candidate, as JSON: a trial counts only for the same. */
  settings: string;
}

/** Larger than any search. */
const MOST_BYTES = 1e7;

/** Its name, beside `bench.json`. */
export const TRIALS_FILE = "recipes.csv";

/** The candidate that is the recipe itself. */
export const WHOLE = "the recipe";

const COLUMNS = [
  "recipe",
  "candidate",
  "seed",
  "accuracy",
  "seconds",
  "precision",
  "settings",
] as const satisfies readonly (keyof RecipeTrial)[];

/** A file's text, header and all. */
export function formatTrials(trials: readonly RecipeTrial[]): string {
  const rows = trials.map((trial) => COLUMNS.map((column) => String(trial[column])));
  return stringify([[...COLUMNS], ...rows], { headers: false });
}

/** The trials of a file, none where there is no such file. */
export async function readTrials(path: string): Promise<RecipeTrial[]> {
  return parseTrials(await readText(path));
}

/**
 * Adds a trial to a file, under a lock as another search may do so too; the file is made if missing.
 * What is there stays as it is, byte for byte, a line that is no trial as well.
 *
 * @returns All trials that are then there.
 * @throws {StudyError} If the file has another header. See {@linkcode checkTrials}.
 */
export function addTrial(path: string, trial: RecipeTrial): Promise<RecipeTrial[]> {
  return withLock(join(dirname(path), ".lock"), async () => {
    const old = await readText(path);
    requireHeader(path, old);
    const there = parseTrials(old);
    if (there.some((one) => isSameTrial(one, trial))) return there;
    const [header, row] = formatTrials([trial]).split(/(?<=\n)/);
    const start = old === "" ? header : old.endsWith("\n") ? "" : "\n";
    const added = `${old}${start}${row}`;
    await writeFileAtomic(path, added);
    return parseTrials(added);
  });
}

/**
 * Reads a file's trials before a search, and makes sure that {@linkcode addTrial} will take more.
 *
 * @throws {StudyError} If the file has another header.
 */
export async function checkTrials(path: string): Promise<RecipeTrial[]> {
  const text = await readText(path);
  requireHeader(path, text);
  return parseTrials(text);
}

/** Whether two trials are of the same candidate, seed and settings. */
export function isSameTrial(
  one: Omit<RecipeTrial, "accuracy" | "seconds">,
  other: typeof one,
): boolean {
  return one.recipe === other.recipe && one.candidate === other.candidate &&
    one.seed === other.seed && one.precision === other.precision && one.settings === other.settings;
}

/** Empty where there is no such file. */
async function readText(path: string): Promise<string> {
  return await exists(path) ? await readRegularText(path, { maxBytes: MOST_BYTES }) : "";
}

function requireHeader(path: string, text: string): void {
  if (text === "" || hasHeader([...csvRecords(text)][0])) return;
  throw new StudyError(
    `${path} has another header than ${COLUMNS.join()}: move it away, or choose another folder with ` +
      "--out",
  );
}

function hasHeader(record: CsvRecord | undefined): boolean {
  return record?.cells?.join() === COLUMNS.join();
}

/** The trials of a text; lines that are none are passed over. */
export function parseTrials(text: string): RecipeTrial[] {
  const [header, ...records] = csvRecords(text);
  if (!hasHeader(header)) return [];
  return records.flatMap(({ cells }) => {
    if (cells?.length !== COLUMNS.length) return [];
    const [recipe, candidate, seed, accuracy, seconds, precision, settings] = cells as string[];
    const numbers = [seed, accuracy, seconds].map(Number);
    if (!numbers.every(Number.isFinite)) return [];
    return [{
      ...{ recipe: recipe!, candidate: candidate!, precision: precision!, settings: settings! },
      ...{ seed: numbers[0]!, accuracy: numbers[1]!, seconds: numbers[2]! },
    }];
  });
}

/** What the tables of trials show. */
export function trialsTitle(trials: readonly RecipeTrial[]): string {
  const recipes = recipesOf(trials);
  const noun = recipes.length === 1 ? "recipe" : "recipes";
  return `What each ingredient of part 1's ${recipes.join(" and ")} ${noun} contributes`;
}

function recipesOf(trials: readonly RecipeTrial[]): string[] {
  return [...new Set(trials.map(({ recipe }) => recipe))];
}

/**
 * A table for each recipe: every candidate beside the whole. Trials in another number format or with
 * other settings are not of the same candidate, whatever its name: each has a row of its own.
 */
export function renderTrials(trials: readonly RecipeTrial[]): string {
  return recipesOf(trials).map((recipe) =>
    `\`--recipe ${recipe}\`:\n\n${renderRecipe(trials.filter((one) => one.recipe === recipe))}`
  ).join("\n");
}

function renderRecipe(trials: readonly RecipeTrial[]): string {
  const groups = Map.groupBy(trials, keyOf);
  const rows = [...groups.values()].map((own) => {
    const whole = groups.get(wholeBefore(own[0]!, trials) ?? "");
    const [accuracy, seconds] = [accuracyOf(own), meanAndSd(own.map(({ seconds }) => seconds))];
    const means = whole === undefined || own[0]!.candidate === WHOLE
      ? null
      : meanDifference(accuracy, accuracyOf(whole));
    return [
      escapeMarkdown(nameOf(own[0]!, trials)),
      formatMeanAndSd(accuracy, 2),
      means === null ? "" : formatDifference(means.difference, 2),
      means === null ? "" : formatInterval(differenceInterval(means), 2),
      seconds.mean.toFixed(1),
      String(accuracy.n),
    ];
  });
  return table([
    { title: "what" },
    { title: "validation accuracy (%)", align: "right" },
    { title: "difference from the recipe", align: "right" },
    { title: "95 % interval", align: "right" },
    { title: "seconds", align: "right" },
    { title: "seeds", align: "right" },
  ], rows);
}

/** The same for trials that differ by their seeds alone. */
function keyOf({ candidate, precision, settings }: RecipeTrial): string {
  return JSON.stringify([candidate, precision, settings]);
}

/** Of the recipe's own trials in the same number format those of the time, as a search begins with them. */
function wholeBefore(trial: RecipeTrial, trials: readonly RecipeTrial[]): string | undefined {
  const whole = trials.slice(0, trials.indexOf(trial))
    .findLast(({ candidate, precision }) => candidate === WHOLE && precision === trial.precision);
  return whole && keyOf(whole);
}

/** A candidate, with what tells it from others of its name: a number format, or which settings of how many. */
function nameOf(
  { candidate, precision, settings }: RecipeTrial,
  trials: readonly RecipeTrial[],
): string {
  const namesakes = trials.filter((one) => one.candidate === candidate);
  const precisions = new Set(namesakes.map((one) => one.precision));
  const all = [...new Set(namesakes.map((one) => one.settings))];
  return [
    candidate,
    ...(precisions.size > 1 ? [precision] : []),
    ...(all.length > 1 ? [`settings ${all.indexOf(settings) + 1} of ${all.length}`] : []),
  ].join(", ");
}

function accuracyOf(trials: readonly RecipeTrial[]): MeanAndSd {
  return meanAndSd(trials.map(({ accuracy }) => accuracy));
}
