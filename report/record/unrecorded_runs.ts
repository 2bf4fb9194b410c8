/**
 * Runs that have a folder and no row, which no table of the report shows.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { isNotPermitted, systemReason } from "../../io/system_reason.ts";
import { type FoundRow, placeName } from "./gather_rows.ts";
import { readKeptRow } from "./kept_row.ts";
import { listRunFolders, ownManifest } from "./run_folders.ts";
import { runFolder } from "./run_folder.ts";
import { isRunning } from "./run_lock.ts";
import type { ProblemOptions } from "./run_files.ts";

/** Notes the runs of the results folders that have no row, and folders that are no run's. */
export async function noteUnrecordedRuns(
  rows: readonly FoundRow[],
  { folders, problems }: ProblemOptions,
): Promise<void> {
  // Of a run in several folders one row is left.
  const recorded = new Set(rows.map(({ row }) => row.run_id));
  for (const folder of folders) {
    const { runIds, foreign } = await listRunFolders(folder);
    const note = (name: string, text: string) =>
      problems.add(text, { file: placeName(folders, folder, join("runs", name)) });
    for (const name of foreign) note(name, "not the folder of a run, passed over");
    for (const runId of runIds) {
      if (!recorded.has(runId)) note(runId, await describe(runFolder(folder, runId), runId));
    }
  }
}

/** Why a run has no row, and what to do. */
async function describe(folder: string, runId: string): Promise<string> {
  try {
    if (await isRunning(folder)) return "no row yet: the run is still going on";
    if (await ownManifest(folder, runId) === undefined) {
      return "no row, and no manifest of this run: passed over";
    }
    if (await readKeptRow(folder, runId) !== undefined) {
      return "the run is finished, but its row is only in its folder: the same command with " +
        "--resume adds it";
    }
    return "no row: the run was killed; the same command with --resume goes on with it, or " +
      "remove the folder";
  } catch (error) {
    const expected = [Deno.errors.PermissionDenied, StudyError];
    if (!expected.some((kind) => error instanceof kind)) throw error;
    const cause = error instanceof StudyError ? error.cause : error;
    return isNotPermitted(cause)
      ? `not readable: ${systemReason(cause)}, passed over`
      : "not readable, passed over";
  }
}
