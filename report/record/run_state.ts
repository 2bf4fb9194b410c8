/**
 * What has become of a run that has a folder and no row.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { exists } from "../../io/path_kind.ts";
import { isNotPermitted } from "../../io/system_reason.ts";
import { readKeptRow } from "./kept_row.ts";
import { CHECKPOINT, type Manifest, readManifest } from "./run_folder.ts";
import { isRunning } from "./run_lock.ts";

/** Name of the file in a run's folder with what a detector has found so far. */
export const READINGS = "readings.json";

/** Whether an unfinished run has left anything in its folder to go on from. */
export async function isResumable(folder: string): Promise<boolean> {
  const files = [CHECKPOINT, READINGS].map((name) => exists(join(folder, name)).catch(() => false));
  return (await Promise.all(files)).includes(true);
}

/** What a folder without a row is of. */
export type FolderState =
  /** A run that some process is at. */
  | "running"
  /** A finished run whose row only its folder has. */
  | "unrecorded"
  /** A finished run whose row nothing has any more. */
  | "rowless"
  /** A run that was killed. */
  | "killed"
  /** No run: there is no manifest, or it is another run's. */
  | "broken"
  /** It may not be read. */
  | "forbidden"
  /** It cannot be read. */
  | "unreadable";

/** Looks at the folder of a run that has no row. */
export async function folderState(folder: string, runId: string): Promise<FolderState> {
  return await readable(async () =>
    await isRunning(folder) ? "running" : await stateAtRest(folder, runId)
  );
}

/** The same of a run that no other process is at. */
export async function stateAtRest(
  folder: string,
  runId: string,
): Promise<Exclude<FolderState, "running">> {
  return await readable(async () => {
    const manifest = await readManifest(folder).catch((error) => {
      if (error instanceof StudyError && isNotPermitted(error.cause)) throw error;
    });
    if (manifest?.run_id !== runId) return "broken";
    if (await readKeptRow(folder, runId) !== undefined) return "unrecorded";
    return await hasEnded(folder, manifest) ? "rowless" : "killed";
  });
}

/** Whether a run came to its end, whatever has become of its row since. */
async function hasEnded(folder: string, { measured }: Manifest): Promise<boolean> {
  return measured !== undefined || await exists(join(folder, "predictions.csv"));
}

/** What a look found, or that there was nothing to be seen. */
async function readable<State>(
  look: () => Promise<State>,
): Promise<State | "forbidden" | "unreadable"> {
  try {
    return await look();
  } catch (error) {
    const expected = [Deno.errors.PermissionDenied, StudyError];
    if (!expected.some((kind) => error instanceof kind)) throw error;
    const cause = error instanceof StudyError ? error.cause : error;
    return isNotPermitted(cause) ? "forbidden" : "unreadable";
  }
}
