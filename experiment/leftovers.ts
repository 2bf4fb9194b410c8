/**
 * Temporary files of processes that were killed: a checkpoint half written can be as large as a whole
 * one.
 *
 * @module
 */

import { join } from "node:path";
import { isTemporary } from "../io/atomic.ts";
import { tryLock } from "../io/lock.ts";
import { runFolder } from "../report/record/run_folder.ts";
import { listRunFolders } from "../report/record/run_folders.ts";

/**
 * Removes them from a results folder and the folders of its runs; runs still going on keep theirs.
 * What may not be read or removed stays.
 */
export async function removeLeftovers(out: string): Promise<void> {
  await removeFrom(out, (name) => /^part\d+\.csv\./.test(name));
  for (const runId of (await listRunFolders(out)).runIds) {
    await removeFrom(runFolder(out, runId), () => true);
  }
}

/** Removes those of a folder that is used under its `.lock`, where nobody holds it. */
async function removeFrom(folder: string, isOurs: (name: string) => boolean): Promise<void> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    const left = entries.filter(({ name }) => isTemporary(name) && isOurs(name));
    // Versions without locks may be at work where there is none.
    if (left.length === 0 || !entries.some(({ name }) => name === ".lock")) return;
    using lock = await tryLock(join(folder, ".lock"));
    if (lock === undefined) return;
    for (const { name } of left) await Deno.remove(join(folder, name));
  } catch {
    // They take room and do no other harm.
  }
}
