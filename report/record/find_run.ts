/**
 * Finds a run by what a person calls it: its folder, its id or a part of it, or `best`.
 *
 * @module
 */

import { basename, dirname, join, resolve } from "node:path";
import { isPathWord, userPath } from "../../io/cache.ts";
import { StudyError, UsageError } from "../../io/errors.ts";
import { exists } from "../../io/path_kind.ts";
import { printable } from "../../io/printable.ts";
import { UnusableFileError } from "../../io/regular_file.ts";
import {
  DATA,
  FASTER_RCNN_ADAPTED,
  FASTER_RCNN_HEAD_TUNED,
  FASTER_RCNN_NORMALISE_ONCE,
  FINE_TUNED,
  MODELS,
  RECIPES,
  SIMPLE_CNN_FAST,
} from "../../study.ts";
import { describeAmbiguity, runsMeantBy } from "./match_run_id.ts";
import { ProblemList } from "./problems.ts";
import { readResults, resultsPath } from "./read_results.ts";
import type { ResultRow } from "./result_row.ts";
import { type Manifest, readManifest, runFolder } from "./run_folder.ts";
import { listRunFolders, ownManifest } from "./run_folders.ts";

/** The word for the run that {@linkcode byRank} puts first. */
export const BEST = "best";

/** What comes first for {@linkcode byRank}, for people. */
export const BEST_ORDER =
  "MNIST before other data, then the most test images, then the highest accuracy";

/** Below the results folder: the runs that come with the suite, as far as they are committed. */
const REFERENCE = "reference";

const COMMANDS: ReadonlyMap<string, string> = new Map([
  ...Object.entries(RECIPES).map(([recipe, { name }]) =>
    [
      name,
      recipe === "published" ? "deno task part1" : `deno task part1 --recipe ${recipe}`,
    ] as const
  ),
  [FASTER_RCNN_ADAPTED.name, "deno task part2"],
  [FASTER_RCNN_NORMALISE_ONCE.name, "deno task part2 --normalise once"],
  [FASTER_RCNN_HEAD_TUNED.name, "deno task part2 --train-head"],
  ...Object.entries(FINE_TUNED).flatMap(([word, { 3: colour, 1: grey }]) =>
    [
      [colour.name, `deno task part4 --models ${word}`],
      [grey.name, `deno task part4 --models ${word} --in-channels 1`],
    ] as const
  ),
]);

/** A run that was found. */
export interface LocatedRun {
  /** Its id, as in the CSV. */
  runId: string;
  /** Path of its folder. */
  folder: string;
  /** Its latest row in `partN.csv` two folders up; `undefined` where there is none. */
  row: ResultRow | undefined;
  /** What its folder says of it. */
  manifest: Manifest;
}

/** Options of {@linkcode bestRuns}. */
export interface BestRunsOptions {
  /** The only model that counts, by its name in the results. */
  model?: string | undefined;
  /**
   * Whether a run can be used.
   *
   * @default {every run can}
   */
  usable?: (run: LocatedRun) => Promise<boolean>;
}

/** Options of {@linkcode locateRun}. */
export interface LocateRunOptions extends BestRunsOptions {
  /** Folder of the results. */
  results: string;
}

/**
 * The best finished run of each model, the best of all first.
 *
 * They are ranked by {@linkcode byRank}. Files that cannot be read count as empty.
 */
export async function bestRuns(
  results: string,
  { model, usable = () => Promise.resolve(true) }: BestRunsOptions = {},
): Promise<LocatedRun[]> {
  const parts = [...new Set(MODELS.map(({ part }) => part))];
  const rows = (await Promise.all(parts.map((part) => rowsOf(results, part)))).flat();
  const ranked = rows.filter(({ status, accuracy, run_id, model: name }) =>
    status === "ok" && accuracy !== null && Number.isFinite(accuracy) &&
    /^[A-Za-z0-9_-]+$/.test(run_id) && (model === undefined || name === model)
  ).sort(byRank);
  const found = new Map<string, LocatedRun>();
  for (const row of ranked) {
    if (found.has(row.model)) continue;
    const folder = runFolder(results, row.run_id);
    const manifest = await ownManifest(folder, row.run_id);
    if (manifest === undefined) continue;
    const run = { runId: row.run_id, folder, row, manifest };
    if (await usable(run)) found.set(row.model, run);
  }
  return [...found.values()];
}

/**
 * Finds one run. What is no folder is looked for in `results/runs/` and then among the suite's own in
 * `results/reference/runs/`.
 *
 * @param run `best` for the first of {@linkcode bestRuns}, a run's id, a part of one and of no other,
 *   or its folder.
 * @throws {StudyError} If there is none, or more than one that it may mean.
 */
export async function locateRun(run: string, options: LocateRunOptions): Promise<LocatedRun> {
  const { results, model } = options;
  if (run === BEST) {
    const [best] = await bestRuns(results, options);
    if (best !== undefined) return best;
    throw new StudyError(
      `There is no finished run${model === undefined ? "" : ` of ${printable(model)}`} in ` +
        `${results} that can answer: make one with ${trainingCommand(model)}`,
    );
  }
  const isName = /^[A-Za-z0-9_-]+$/.test(run);
  for (const place of isName ? [results, join(results, REFERENCE)] : []) {
    const { runIds } = await listRunFolders(place);
    const matching = runsMeantBy(run, runIds, (id) => id);
    if (matching.length > 1) throw new StudyError(describeAmbiguity(run, matching));
    if (matching.length === 1) return await inFolder(runFolder(place, matching[0]!));
  }
  if (await exists(join(run, "manifest.json"))) return await inFolder(run);
  throw new StudyError(
    `There is no run ${
      JSON.stringify(printable(run))
    } in ${results}, and no run's folder of that ` +
      `name: give an id from ${join(results, "runs")} or a part of it, a folder, or ${BEST}`,
  );
}

/**
 * Makes sure that there is something at the path by which a command line means a run or file; any other
 * word is for {@linkcode locateRun}.
 *
 * @param flag The flag that the word was given with, where there is one.
 * @throws {UsageError} If there is nothing.
 */
export async function requireRunWord(word: string, flag?: `--${string}`): Promise<void> {
  if (!isPathWord(word) || await exists(userPath(word))) return;
  const named = `${flag === undefined ? "" : `${flag} `}${printable(word)}`;
  throw new UsageError(`${named}: there is no such file or folder; give one or a run's id`);
}

/** The command that makes a run of a model, the quickest one where any will do. */
export function trainingCommand(model: string = SIMPLE_CNN_FAST.name): string {
  return COMMANDS.get(model) ?? "deno task part1";
}

/**
 * The name in the results of the model that a person means: the name itself or the beginning of one, in
 * whatever case, if that is no other's or all others begin with that name.
 *
 * @throws {StudyError} If there is none, with the choices.
 */
export function modelNamed(word: string): string {
  const names = MODELS.map(({ name }) => name);
  const lower = word.toLowerCase();
  const exact = names.find((name) => name.toLowerCase() === lower);
  const matching = names.filter((name) => name.toLowerCase().startsWith(lower));
  const name = exact ?? matching.find((name) => matching.every((other) => other.startsWith(name)));
  if (name !== undefined && word !== "") return name;
  throw new StudyError(
    `There is no model ${JSON.stringify(printable(word))}: choose ${names.join(", ")}`,
  );
}

async function inFolder(path: string): Promise<LocatedRun> {
  const folder = resolve(path);
  const manifest = await readManifest(folder);
  const { run_id: runId, part, model } = manifest;
  const isKept = basename(dirname(folder)) === "runs" && Number.isInteger(part) && part > 0;
  const rows = isKept ? await rowsOf(dirname(dirname(folder)), part) : [];
  return {
    runId,
    folder,
    row: rows.findLast((row) => row.run_id === runId && row.model === model),
    manifest,
  };
}

async function rowsOf(results: string, part: number): Promise<ResultRow[]> {
  try {
    const found = await readResults(resultsPath(results, part), new ProblemList());
    return found.map(({ row }) => row);
  } catch (error) {
    if (error instanceof UnusableFileError) return [];
    throw error;
  }
}

/**
 * The order of {@linkcode bestRuns}, by the runs' rows: MNIST before a folder of the user's and that
 * before other data, then the most test images, then the highest accuracy, then the newest. A run
 * without a row comes last.
 */
export function byRank(a: ResultRow | undefined, b: ResultRow | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return datasetRank(a) - datasetRank(b) ||
    (b.test_images ?? 0) - (a.test_images ?? 0) ||
    (b.accuracy ?? 0) - (a.accuracy ?? 0) ||
    (a.started_at < b.started_at ? 1 : -1);
}

/** The study's digits first, then a folder of the user's, then what is known to be none. */
function datasetRank({ dataset }: ResultRow): number {
  if (dataset === DATA.name) return 0;
  return dataset.startsWith("dir:") ? 1 : 2;
}
