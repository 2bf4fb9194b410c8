/**
 * Temporary files of processes that were killed: a checkpoint half written can be as large as a whole
 * one.
 *
 * @module
 */

import { join } from "node:path";
import { isTemporary } from "../../io/atomic.ts";
import { isLocked, tryLock } from "../../io/lock.ts";
import { exists } from "../../io/path_kind.ts";
import { runFolder } from "./run_folder.ts";
import { listRunFolders } from "./run_folders.ts";

/**
 * The paths of those in a results folder and the folders of its runs. Files that a process may still
 * be writing are not among them.
 */
export async function findLeftovers(out: string): Promise<string[]> {
  const found: string[] = [];
  for (const place of await placesOf(out)) {
    const names = await temporariesIn(place);
    // What may not be read is not ours to remove either.
    if (names.length === 0 || await isLocked(place.lock).catch(() => true)) continue;
    found.push(...names.map((name) => join(place.folder, name)));
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
  for (const place of await placesOf(out)) {
    if ((await temporariesIn(place)).length === 0) continue;
    try {
      using lock = await tryLock(place.lock);
      if (lock === undefined) continue;
      for (const name of await temporariesIn(place)) {
        await Deno.remove(join(place.folder, name));
        removed.push(join(place.folder, name));
      }
    } catch {
      // They take room and do no other harm.
    }
  }
  return removed;
}

/** A folder where the suite writes, and what it writes under. */
interface Place {
  folder: string;
  lock: string;
  /** Which temporary files there are the suite's. */
  ours: RegExp;
}

async function placesOf(out: string): Promise<Place[]> {
  const { runIds } = await listRunFolders(out);
  const lock = join(out, ".lock");
  return [
    { folder: out, lock, ours: /^(part\d+\.csv|\.write-test)\./ },
    { folder: join(out, "runs"), lock, ours: /^\.write-test\./ },
    ...runIds.map((runId) => {
      const folder = runFolder(out, runId);
      return { folder, lock: join(folder, ".lock"), ours: /^/ };
    }),
  ];
}

async function temporariesIn({ folder, lock, ours }: Place): Promise<string[]> {
  try {
    // Versions without locks may be at work where there is none.
    if (!await exists(lock)) return [];
    const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
    return names.filter((name) => isTemporary(name) && ours.test(name)).sort();
  } catch {
    return [];
  }
}
