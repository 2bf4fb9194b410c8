/**
 * Temporary files of processes that were killed: a checkpoint half written can be as large as a whole
 * one.
 *
 * @module
 */

import { join } from "node:path";
import { isTemporary } from "../../io/atomic.ts";
import { isLocked, tryLock } from "../../io/lock.ts";
import { runFolder } from "./run_folder.ts";
import { listRunFolders } from "./run_folders.ts";

/**
 * The paths of those in a results folder and the folders of its runs. Files that a process may still
 * be writing are not among them.
 */
export async function findLeftovers(out: string): Promise<string[]> {
  const found: string[] = [];
  for (const { folder, names } of await temporariesBelow(out)) {
    // What may not be read is not ours to remove either.
    if (await isLocked(join(folder, ".lock")).catch(() => true)) continue;
    found.push(...names.map((name) => join(folder, name)));
  }
  return found;
}

/**
 * Removes them; runs still going on keep theirs. What may not be read or removed stays.
 *
 * @returns The paths that are gone.
 */
export async function removeLeftovers(out: string): Promise<string[]> {
  const removed: string[] = [];
  for (const { folder } of await temporariesBelow(out)) {
    try {
      using lock = await tryLock(join(folder, ".lock"));
      if (lock === undefined) continue;
      for (const name of await temporariesIn(folder, out)) {
        await Deno.remove(join(folder, name));
        removed.push(join(folder, name));
      }
    } catch {
      // They take room and do no other harm.
    }
  }
  return removed;
}

/** The folders that have temporary files, and their names. */
async function temporariesBelow(out: string): Promise<{ folder: string; names: string[] }[]> {
  const { runIds } = await listRunFolders(out);
  const folders = [out, ...runIds.map((runId) => runFolder(out, runId))];
  const found = await Promise.all(
    folders.map(async (folder) => ({ folder, names: await temporariesIn(folder, out) })),
  );
  return found.filter(({ names }) => names.length > 0);
}

/** Those of a folder that is used under its `.lock`. */
async function temporariesIn(folder: string, out: string): Promise<string[]> {
  let names: string[];
  try {
    names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch {
    return [];
  }
  // Versions without locks may be at work where there is none.
  if (!names.includes(".lock")) return [];
  const isOurs = (name: string) => folder !== out || /^part\d+\.csv\./.test(name);
  return names.filter((name) => isTemporary(name) && isOurs(name)).sort();
}
