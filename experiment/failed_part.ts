/**
 * Rows of parts that could not leave one themselves: that did not get as far as a run, or were killed.
 *
 * @module
 */

import { join } from "node:path";
import { InterruptedError } from "../io/errors.ts";
import type { LockOptions } from "../io/lock.ts";
import { ProblemList } from "../report/record/problems.ts";
import { EMPTY_ROW } from "../report/record/result_row.ts";
import {
  appendRow,
  formatRow,
  readResults,
  type ResultRow,
  resultsPath,
  type Status,
} from "../report/record/results.ts";
import { type Manifest, newRunId, runFolder } from "../report/record/run_folder.ts";
import { listRunFolders, ownManifest } from "../report/record/run_folders.ts";
import { folderState } from "../report/record/run_state.ts";
import { DATA, type StudyModel } from "../study.ts";
import { lastValue, stopRow } from "./unfinished_run.ts";

/**
 * Adds an error row for each run of a part that failed before its first one, for want of engine or data.
 * Where no row can be written either, the first error says why. A run that is resumed has its row: it is
 * that which changes, and of one that is finished none is written. The row of a run with other settings,
 * which could not have gone on, stays as it is.
 *
 * @param start What was to start; `columns` are those of new runs' rows, of whose epochs none is trained.
 */
export async function noteFailedStart(
  out: string,
  { model, seeds, columns, resume, command, error }: {
    model: Pick<StudyModel, "part" | "name">;
    seeds: readonly number[];
    columns: Partial<ResultRow>;
    resume: boolean;
    command: readonly string[];
    error: unknown;
  },
): Promise<void> {
  const trained = columns.epochs === undefined ? columns : { ...columns, epochs: 0 };
  const rows = resume ? await rowsOf(out, model.part).catch(() => []) : [];
  for (const seed of seeds) {
    const last = await lastRow(rows, { out, command, model: model.name, seed });
    if (last?.status === "ok" || (last && error instanceof InterruptedError)) continue;
    const row = { ...newErrorRow(model.part, model.name, seed), ...trained, ...last };
    await appendRow(out, stopRow(row, error)).catch(() => {});
  }
}

/** A part that failed. */
export interface FailedPart {
  out: string;
  part: number;
  /** The models that it was to run. */
  models: readonly string[];
  seed: number;
  failure: string;
  /** Whether it was to go on with runs, each of which has a row of its own already. */
  resume: boolean;
  /** The command line that it was started with. */
  command: readonly string[];
  /** {@linkcode knownRows} before it was started. */
  before: KnownRows;
  /** How a process that is writing the results is waited for. */
  waiting?: LockOptions;
}

/** What a part has left so far. */
export interface KnownRows {
  /** Its rows, as they are written. */
  rows: ReadonlySet<string>;
  /** When the manifests of the runs in the folder were written, by the runs' ids. */
  manifests: ReadonlyMap<string, number>;
}

/** The rows that a part has, and the state of all runs, some of which may be its and without a row. */
export async function knownRows(out: string, part: number): Promise<KnownRows> {
  const rows = new Set((await rowsOf(out, part)).map((row) => formatRow(row)));
  return { rows, manifests: await manifestTimes(out) };
}

/**
 * Adds an error row for each model without a new row, if the part has left no row that says so. Runs that
 * are resumed may have left the rows that were there: one that fails as before has the same row again,
 * and of one that was finished none is written.
 *
 * The row of a run that was killed is its own, which gives way to that of its end. So is that of an
 * interrupted one that was to go on and did not come as far, unless that has other settings.
 */
export async function noteFailure(failed: FailedPart): Promise<void> {
  const { out, part, models, seed, failure, resume, command, before, waiting } = failed;
  const rows = await rowsOf(out, part);
  const added = rows.filter((row) => !before.rows.has(formatRow(row)));
  if (added.some(({ status }) => status !== "ok")) return;
  const last = new Map<string, ResultRow | undefined>();
  for (const model of resume ? models : []) {
    last.set(model, await lastRow(rows, { out, command, model, seed }));
  }
  const isLast = (model: string, status: Status) => last.get(model)?.status === status;
  if (models.some((model) => isLast(model, "error"))) return;
  const without = models.filter((model) => added.every((row) => row.model !== model));
  const unfinished = without.filter((model) => !isLast(model, "ok"));
  // Where all are finished, it was with other settings.
  for (const model of unfinished.length > 0 ? unfinished : without) {
    const killed = await killedRun(failed, model);
    const own = killed
      ? rows.findLast(({ run_id }) => run_id === killed.run_id)
      : isLast(model, "interrupted") && last.get(model);
    const row = { ...newErrorRow(part, model, seed), ...own, ...killed };
    await appendRow(out, stopRow(row, failure), waiting);
  }
}

/** The newest run of a model that this part was at: some process has begun or resumed it since. */
async function killedRun(
  { out, part, seed, before }: FailedPart,
  model: string,
): Promise<Pick<ResultRow, "run_id" | "started_at"> | undefined> {
  const killed: Manifest[] = [];
  for (const [runId, written] of await manifestTimes(out)) {
    if (before.manifests.get(runId) === written) continue;
    const folder = runFolder(out, runId);
    const manifest = await ownManifest(folder, runId);
    if (manifest?.part !== part || manifest.model !== model) continue;
    if (manifest.settings.seed !== seed) continue;
    if (["killed", "rowless"].includes(await folderState(folder, runId))) killed.push(manifest);
  }
  const newest = killed.sort((a, b) => (a.started_at < b.started_at ? 1 : -1))[0];
  return newest && { run_id: newest.run_id, started_at: newest.started_at };
}

async function manifestTimes(out: string): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  for (const runId of (await listRunFolders(out)).runIds) {
    const path = join(runFolder(out, runId), "manifest.json");
    const { mtime } = await Deno.stat(path).catch(() => ({ mtime: null }));
    if (mtime !== null) times.set(runId, mtime.getTime());
  }
  return times;
}

async function rowsOf(out: string, part: number): Promise<ResultRow[]> {
  return (await readResults(resultsPath(out, part), new ProblemList())).map(({ row }) => row);
}

/** Flags with another value of which a run cannot go on. */
const DECIDING = ["limit", "batch-size", "head-batch-size", "lr", "data", "weights", "precision"]
  .map((name) => `--${name}`);

/** What a flag that is not there stands for. */
const DEFAULTS: Readonly<Record<string, string>> = {
  "--backend": "auto",
  "--data": "auto",
  "--weights": "pretrained",
};

/** What is known last of a model and seed, if anything; nothing if that run was asked for otherwise. */
async function lastRow(
  rows: readonly ResultRow[],
  { out, command, model, seed }: Pick<FailedPart, "out" | "command" | "seed"> & { model: string },
): Promise<ResultRow | undefined> {
  const last = rows.findLast((row) => row.model === model && row.seed === seed);
  const manifest = last && await ownManifest(runFolder(out, last.run_id), last.run_id);
  return manifest && isAskedOtherwise(manifest.settings, command) ? undefined : last;
}

/** Whether a run of these settings cannot go on by a command line. */
function isAskedOtherwise(
  { command: words, backend = "tensorflow" }: Manifest["settings"],
  command: readonly string[],
): boolean {
  if (!Array.isArray(words)) return false;
  const before = words.map(String);
  const wanted = asked(command, "--backend");
  return wanted !== "auto" && wanted !== backend ||
    before.includes("--no-feature-cache") !== command.includes("--no-feature-cache") ||
    DECIDING.some((flag) => asked(before, flag) !== asked(command, flag));
}

/** The value of a flag; what is the same in other words is the same. */
function asked(words: readonly string[], flag: string): string | number {
  const value = String(lastValue(words, flag) ?? DEFAULTS[flag] ?? "");
  if (flag === "--data" && value === DATA.name) return DEFAULTS[flag]!;
  return value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value;
}

function newErrorRow(part: number, model: string, seed: number): ResultRow {
  const now = new Date();
  const run_id = newRunId(part, model, seed, now);
  return { ...EMPTY_ROW, run_id, started_at: now.toISOString(), part, model, seed };
}
