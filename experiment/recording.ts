/**
 * The way of a finished run's row into `partN.csv`, on which it cannot get lost: until it is there,
 * the run's folder keeps it, and `--resume` adds it.
 *
 * @module
 */

import { join } from "node:path";
import { failureReason } from "../io/disk_error.ts";
import { InterruptedError, StudyError } from "../io/errors.ts";
import type { LockOptions } from "../io/lock.ts";
import type { Reporter } from "../io/reporter.ts";
import { readKeptRow, removeKeptRow, writeKeptRow } from "../report/record/kept_row.ts";
import { ProblemList } from "../report/record/problems.ts";
import {
  appendRow,
  formatRow,
  readResults,
  type ResultRow,
  resultsPath,
} from "../report/record/results.ts";
import { runFolder } from "../report/record/run_folder.ts";
import { listRunFolders } from "../report/record/run_folders.ts";
import { lockRun } from "../report/record/run_lock.ts";

/** Others hold the result files for milliseconds, as a rule. */
const QUIET_MS = 1000;

/** Waiting for the result files of a folder, which is told if it takes long. */
export function waitVisibly(out: string, reporter: Reporter, signal?: AbortSignal): LockOptions {
  return {
    onWait: () =>
      reporter.warn(
        `Waiting for another process that holds ${join(out, ".lock")}: Ctrl-C ends the waiting`,
      ),
    quietMs: QUIET_MS,
    // Of a run that has been interrupted the row is to be written all the same.
    ...(signal?.aborted === false && { signal }),
  };
}

/** Where a run's row is written from. */
export interface Recorder {
  out: string;
  reporter: Reporter;
  signal: AbortSignal;
}

/**
 * Adds the row of a finished run.
 *
 * @throws {StudyError} If it cannot be added: it is kept.
 * @throws {InterruptedError} If it was waited for, and that was ended: it is kept.
 */
export async function recordRow(
  row: ResultRow,
  { out, reporter, signal }: Recorder,
): Promise<void> {
  const folder = runFolder(out, row.run_id);
  const path = resultsPath(out, row.part);
  const notKept = await writeKeptRow(folder, row).catch(failureReason);
  try {
    await appendRow(out, row, waitVisibly(out, reporter, signal));
  } catch (error) {
    if (notKept) reporter.warn(`The row of run ${row.run_id} is: ${formatRow(row)}`);
    const kept = notKept
      ? `and ${folder} did not take it either (${notKept}): add the line above to it`
      : `${folder} keeps it: add --resume to the same command to add it`;
    const Kind = error instanceof InterruptedError ? InterruptedError : StudyError;
    throw new Kind(
      `Run ${row.run_id} is finished, but its row is not in ${path} (${failureReason(error)}); ` +
        kept,
      { cause: error },
    );
  }
  // One that stays is known to be in the file.
  await removeKeptRow(folder).catch(() => {});
}

/** Adds the rows that runs of a part have kept. Those of runs still going on are left to them. */
export async function addKeptRows(
  part: number,
  { out, reporter }: Pick<Recorder, "out" | "reporter">,
): Promise<void> {
  for (const runId of (await listRunFolders(out)).runIds) {
    const folder = runFolder(out, runId);
    if ((await readKeptRow(folder, runId).catch(() => undefined))?.part !== part) continue;
    using lock = await lockRun(folder);
    const row = lock && await readKeptRow(folder, runId);
    if (row === undefined) continue;
    if (!await isRecorded(row, out)) {
      await appendRow(out, row, waitVisibly(out, reporter));
      reporter.line(`Run ${runId} was finished: its row is now in ${resultsPath(out, part)}`);
    }
    await removeKeptRow(folder);
  }
}

async function isRecorded({ part, run_id, model }: ResultRow, out: string): Promise<boolean> {
  const rows = await readResults(resultsPath(out, part), new ProblemList());
  return rows.some(({ row }) =>
    row.run_id === run_id && row.model === model && row.status === "ok"
  );
}
