/**
 * Rows of parts that could not leave one themselves: that did not get as far as a run, or were killed.
 *
 * @module
 */

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
import { newRunId } from "../report/record/run_folder.ts";
import type { StudyModel } from "../study.ts";
import { stopRow } from "./unfinished_run.ts";

/**
 * Adds an error row for each run of a part that failed before its first one, for want of engine or data.
 * Where no row can be written either, the first error says why.
 *
 * @param start What was to start; `columns` are those of the runs' rows, of whose epochs none is trained.
 */
export async function noteFailedStart(
  out: string,
  { model, seeds, columns, error }: {
    model: Pick<StudyModel, "part" | "name">;
    seeds: readonly number[];
    columns: Partial<ResultRow>;
    error: unknown;
  },
): Promise<void> {
  const trained = columns.epochs === undefined ? columns : { ...columns, epochs: 0 };
  for (const seed of seeds) {
    const row = { ...newErrorRow(model.part, model.name, seed), ...trained };
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
  /** {@linkcode knownRows} before it was started. */
  before: ReadonlySet<string>;
  /** How a process that is writing the results is waited for. */
  waiting?: LockOptions;
}

/** The rows that a part has, as they are written. */
export async function knownRows(out: string, part: number): Promise<Set<string>> {
  return new Set((await rowsOf(out, part)).map((row) => formatRow(row)));
}

/**
 * Adds an error row for each model without a new row, if the part has left no row that says so. Runs that
 * are resumed may have left the rows that were there: one that fails as before has the same row again,
 * and of one that was finished none is written.
 */
export async function noteFailure(failed: FailedPart): Promise<void> {
  const { out, part, models, seed, failure, resume, before, waiting } = failed;
  const rows = await rowsOf(out, part);
  const added = rows.filter((row) => !before.has(formatRow(row)));
  if (added.some(({ status }) => status !== "ok")) return;
  const isLast = (model: string, status: Status) =>
    resume && rows.findLast((row) => row.model === model && row.seed === seed)?.status === status;
  if (models.some((model) => isLast(model, "error"))) return;
  const without = models.filter((model) => added.every((row) => row.model !== model));
  const unfinished = without.filter((model) => !isLast(model, "ok"));
  // Where all are finished, it was with other settings.
  for (const model of unfinished.length > 0 ? unfinished : without) {
    await appendRow(out, stopRow(newErrorRow(part, model, seed), failure), waiting);
  }
}

async function rowsOf(out: string, part: number): Promise<ResultRow[]> {
  return (await readResults(resultsPath(out, part), new ProblemList())).map(({ row }) => row);
}

function newErrorRow(part: number, model: string, seed: number): ResultRow {
  const now = new Date();
  const run_id = newRunId(part, model, seed, now);
  return { ...EMPTY_ROW, run_id, started_at: now.toISOString(), part, model, seed };
}
