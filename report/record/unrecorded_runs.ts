/**
 * Runs that have a folder and no row, which no table of the report shows.
 *
 * @module
 */

import { join } from "node:path";
import { placeName } from "./gather_rows.ts";
import type { ProblemOptions } from "./run_files.ts";
import { runFolder } from "./run_folder.ts";
import { listRunFolders } from "./run_folders.ts";
import { type FolderState, folderState } from "./run_state.ts";

/**
 * Notes the runs of the results folders that have no row, and folders that are no run's.
 *
 * @param recorded The runs that have a row in one of the folders, whatever it says.
 */
export async function noteUnrecordedRuns(
  recorded: ReadonlySet<string>,
  { folders, problems }: ProblemOptions,
): Promise<void> {
  for (const folder of folders) {
    const { runIds, foreign } = await listRunFolders(folder);
    const note = (name: string, text: string) =>
      problems.add(text, { file: placeName(folders, folder, join("runs", name)) });
    for (const name of foreign) note(name, "not the folder of a run, passed over");
    for (const runId of runIds) {
      if (recorded.has(runId)) continue;
      note(runId, TEXTS[await folderState(runFolder(folder, runId), runId)]);
    }
  }
}

/** Why a run has no row, and what to do. */
const TEXTS: Readonly<Record<FolderState, string>> = {
  running: "no row yet: the run is still going on",
  broken: "no row, and no manifest of this run: passed over",
  unrecorded: "the run is finished, but its row is only in its folder: the same command with " +
    "--resume adds it",
  rowless: "the run is finished, but its row is missing: put its part's CSV right, or the same " +
    "command with --resume tests it again and adds the row",
  killed: "no row: the run was killed; the same command with --resume goes on with it, or " +
    "remove the folder",
  forbidden: "not readable: permission denied, passed over",
  unreadable: "not readable, passed over",
};
