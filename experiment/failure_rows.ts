/**
 * Rows of runs that were stopped, and of parts that could not leave one themselves: that did not get
 * as far as a run, or were killed.
 *
 * @module
 */

import { InterruptedError } from "../io/errors.ts";
import { ProblemList } from "../report/record/problems.ts";
import { EMPTY_ROW } from "../report/record/result_row.ts";
import { appendRow, readResults, type ResultRow, resultsPath } from "../report/record/results.ts";
import { newRunId } from "../report/record/run_folder.ts";

/** Makes a row that of a run stopped by `error`: an interruption, or anything that went wrong. */
export function stopRow(row: ResultRow, error: unknown): ResultRow {
  if (error instanceof InterruptedError) {
    row.status = "interrupted";
    return row;
  }
  row.status = "error";
  row.error = error instanceof Error ? error.message : String(error);
  row.training_time_s = "N/A (Error)";
  row.test_loss = row.accuracy = row.f1 = NaN;
  return row;
}

/** A part that failed. */
export interface FailedPart {
  /** Results folder. */
  out: string;
  part: number;
  /** The models that it was to run. */
  models: readonly string[];
  seed: number;
  /** What went wrong. */
  failure: string;
  /** {@linkcode knownRows} before it was started. */
  before: ReadonlySet<string>;
}

/** The rows that a part has, each by its run and how that ended. */
export async function knownRows(out: string, part: number): Promise<Set<string>> {
  return new Set((await rowsOf(out, part)).map(keyOf));
}

/** Adds an error row for each model without a new row, if the part has left no row that says so. */
export async function noteFailure(failed: FailedPart): Promise<void> {
  const { out, part, models, before } = failed;
  const added = (await rowsOf(out, part)).filter((row) => !before.has(keyOf(row)));
  if (added.some(({ status }) => status !== "ok")) return;
  for (const model of models) {
    if (!added.some((row) => row.model === model)) await appendRow(out, errorRow(model, failed));
  }
}

function keyOf({ run_id, model, status }: ResultRow): string {
  return [run_id, model, status].join("\n");
}

async function rowsOf(out: string, part: number): Promise<ResultRow[]> {
  return (await readResults(resultsPath(out, part), new ProblemList())).map(({ row }) => row);
}

function errorRow(model: string, { part, seed, failure }: FailedPart): ResultRow {
  const now = new Date();
  const run_id = newRunId(part, model, seed, now);
  const row = { ...EMPTY_ROW, run_id, started_at: now.toISOString(), part, model, seed };
  return stopRow(row, failure);
}
