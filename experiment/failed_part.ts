/**
 * Rows of parts that could not leave one themselves: that did not get as far as a run, or were killed.
 *
 * @module
 */

import type { LockOptions } from "../io/lock.ts";
import { ProblemList } from "../report/record/problems.ts";
import { EMPTY_ROW } from "../report/record/result_row.ts";
import { appendRow, readResults, type ResultRow, resultsPath } from "../report/record/results.ts";
import { newRunId } from "../report/record/run_folder.ts";
import type { StudyModel } from "../study.ts";
import { stopRow } from "./unfinished_run.ts";

/**
 * Adds the error row of a part that failed before its first run, for want of engine or data. Where no
 * row can be written either, the first error says why.
 */
export async function noteFailedStart(
  { out, batchSize }: { out: string; batchSize: number },
  { model, seed, error }: {
    model: Pick<StudyModel, "part" | "name">;
    seed: number;
    error: unknown;
  },
): Promise<void> {
  const row = { ...newErrorRow(model.part, model.name, seed), batch_size: batchSize };
  await appendRow(out, stopRow(row, error)).catch(() => {});
}

/** A part that failed. */
export interface FailedPart {
  out: string;
  part: number;
  /** The models that it was to run. */
  models: readonly string[];
  seed: number;
  failure: string;
  /** {@linkcode knownRows} before it was started. */
  before: ReadonlySet<string>;
  /** How a process that is writing the results is waited for. */
  waiting?: LockOptions;
}

/** The rows that a part has, each by its run and how that ended. */
export async function knownRows(out: string, part: number): Promise<Set<string>> {
  return new Set((await rowsOf(out, part)).map(keyOf));
}

/** Adds an error row for each model without a new row, if the part has left no row that says so. */
export async function noteFailure(failed: FailedPart): Promise<void> {
  const { out, part, models, seed, failure, before, waiting } = failed;
  const added = (await rowsOf(out, part)).filter((row) => !before.has(keyOf(row)));
  if (added.some(({ status }) => status !== "ok")) return;
  for (const model of models) {
    if (added.some((row) => row.model === model)) continue;
    await appendRow(out, stopRow(newErrorRow(part, model, seed), failure), waiting);
  }
}

function keyOf({ run_id, model, status }: ResultRow): string {
  return [run_id, model, status].join("\n");
}

async function rowsOf(out: string, part: number): Promise<ResultRow[]> {
  return (await readResults(resultsPath(out, part), new ProblemList())).map(({ row }) => row);
}

function newErrorRow(part: number, model: string, seed: number): ResultRow {
  const now = new Date();
  const run_id = newRunId(part, model, seed, now);
  return { ...EMPTY_ROW, run_id, started_at: now.toISOString(), part, model, seed };
}
