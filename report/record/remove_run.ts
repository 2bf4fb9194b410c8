/**
 * Removes runs, folder and row together.
 *
 * At no moment is a folder without its row or a row without its folder: first the folder gets a copy
 * of the row, then the row goes from `partN.csv`, then the folder is renamed to what
 * is no run's. If the process is killed in between, the run is still there, its row in its folder, or
 * it is gone but for what {@linkcode findRemains} finds.
 *
 * @module
 */

import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { StudyError } from "../../io/errors.ts";
import { folderEntries, totalBytes } from "../../io/folder_size.ts";
import type { LockOptions } from "../../io/lock.ts";
import { writeKeptRow } from "./kept_row.ts";
import { REFERENCE_RESULTS } from "./reference_results.ts";
import { removeRows, type ResultRow } from "./results.ts";
import { runFolder } from "./run_folder.ts";
import { isRemoved, removedName } from "./run_folders.ts";
import { isRunning, lockRun } from "./run_lock.ts";

/** A run to be removed. */
export interface RemovableRun {
  runId: string;
  /** The results folder that it is in. */
  results: string;
  row: ResultRow;
  /** Name of the `partN.csv` that has the row; `null` if none has. */
  file: string | null;
}

/** Options of {@linkcode removeRun}. */
export interface RemoveOptions {
  /** How a process that is writing the results is waited for. */
  waiting?: LockOptions;
  /** Called once no other process can take the run; false leaves it as it is. */
  isStillWanted?: () => Promise<boolean>;
}

/**
 * Removes a run's folder and row, whichever there are.
 *
 * @returns Whether it is gone: not if `isStillWanted` said no.
 * @throws {StudyError} If some process is at the run, if it is one of the committed ones, or if its row
 *   cannot be taken out of the file.
 */
export async function removeRun(
  { runId, results, row, file }: RemovableRun,
  { waiting = {}, isStillWanted }: RemoveOptions = {},
): Promise<boolean> {
  await refuseReference(results);
  const folder = await findFolder(results, runId);
  if (folder !== undefined) await refuseReference(folder);
  using lock = folder === undefined ? undefined : await lockRun(folder);
  if (folder !== undefined && lock === undefined) throw goingOn(runId);
  if (isStillWanted !== undefined && !await isStillWanted()) return false;
  if (file !== null) {
    if (folder !== undefined) await writeKeptRow(folder, row);
    await removeRows(join(results, file), runId, waiting);
  }
  if (folder === undefined) return true;
  // Windows renames no folder in which a file is open.
  if (Deno.build.os === "windows") lock?.[Symbol.dispose]();
  const remains = join(results, "runs", removedName(runId));
  // An earlier run of this name, copied back, may have been removed by a process that was killed.
  await Deno.remove(remains, { recursive: true }).catch(passOverMissing);
  await Deno.rename(folder, remains);
  // NFS keeps a file that is open, and so its folder; nobody takes up a run of this name.
  lock?.[Symbol.dispose]();
  await Deno.remove(remains, { recursive: true });
  return true;
}

/**
 * Makes sure that a run may be removed, before anybody is asked.
 *
 * @throws {StudyError} If some process is at it, or if it is one of the committed ones.
 */
export async function checkRemovable(
  { runId, results }: Pick<RemovableRun, "runId" | "results">,
): Promise<void> {
  await refuseReference(results);
  const folder = await findFolder(results, runId);
  if (folder === undefined) return;
  await refuseReference(folder);
  if (await isRunning(folder)) throw goingOn(runId);
}

function goingOn(runId: string): StudyError {
  return new StudyError(
    `Run ${runId} is going on in another process: end it with Ctrl-C first, or wait for it`,
  );
}

/** What is left of removed runs where their removal was cut short: paths and bytes. */
export async function findRemains(results: string): Promise<{ path: string; bytes: number }[]> {
  const runs = join(results, "runs");
  const names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(runs)) {
      if (isDirectory && isRemoved(name)) names.push(name);
    }
  } catch (error) {
    const { NotADirectory, NotFound } = Deno.errors;
    if (!(error instanceof NotADirectory || error instanceof NotFound)) throw error;
  }
  return await Promise.all(
    names.sort().map(async (name) => {
      const path = join(runs, name);
      return { path, bytes: totalBytes(await folderEntries(path)) };
    }),
  );
}

/**
 * Makes sure that a folder is not among the committed results.
 *
 * @throws {StudyError} If it is, by whatever links.
 */
export async function refuseReference(folder: string): Promise<void> {
  const reference = join(repositoryRoot(), REFERENCE_RESULTS);
  const [path, committed] = await Promise.all(
    [folder, reference].map((each) => Deno.realPath(each).catch(() => undefined)),
  );
  if (path === undefined || committed === undefined) return;
  if (path !== committed && !path.startsWith(join(committed, "/"))) return;
  throw new StudyError(
    `${folder} holds committed results, which are not removed: name another folder with --results`,
  );
}

async function findFolder(results: string, runId: string): Promise<string | undefined> {
  if (!/^[A-Za-z0-9_-]+$/.test(runId)) return undefined;
  const folder = runFolder(results, runId);
  try {
    return (await Deno.lstat(folder)).isDirectory ? folder : undefined;
  } catch (error) {
    passOverMissing(error);
  }
}

function passOverMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
