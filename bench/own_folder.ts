/**
 * Folders that a run of the bench works in: gigabytes, which a killed run leaves and the next one removes.
 *
 * @module
 */

import { join } from "node:path";
import { tryLock } from "../io/lock.ts";
import { exists } from "../io/path_kind.ts";

/** Where such folders are, and what their names begin with. */
export interface FolderPlace {
  dir: string;
  prefix: string;
}

/**
 * Runs something with an empty folder of its own, which is removed afterwards. What killed runs have left
 * in the same place goes first.
 *
 * @param place Where the folder is made; `dir` is there.
 */
export async function inOwnFolder<T>(
  { dir, prefix }: FolderPlace,
  action: (folder: string) => Promise<T>,
): Promise<T> {
  await removeLeftFolders({ dir, prefix });
  const folder = join(dir, prefix + crypto.randomUUID());
  const lockPath = lockOf(folder);
  // Held before there is a folder, so that nobody takes that for left.
  using lock = await tryLock(lockPath);
  await Deno.mkdir(folder, { mode: 0o700 });
  try {
    return await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
    // Windows removes no open file.
    lock?.[Symbol.dispose]();
    await Deno.remove(lockPath);
  }
}

/** Removes the folders of {@linkcode inOwnFolder} in whose run nobody works any more. */
export async function removeLeftFolders({ dir, prefix }: FolderPlace): Promise<void> {
  if (!await exists(dir)) return;
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    if (!isDirectory || !name.startsWith(prefix)) continue;
    // What cannot be removed is another user's, or goes already.
    await removeIfLeft(join(dir, name)).catch(() => {});
  }
}

async function removeIfLeft(folder: string): Promise<void> {
  const lockPath = lockOf(folder);
  // Versions without locks may be at work where there is none.
  if (!await exists(lockPath)) return;
  using lock = await tryLock(lockPath);
  if (lock === undefined) return;
  await Deno.remove(folder, { recursive: true });
  lock[Symbol.dispose]();
  await Deno.remove(lockPath);
}

function lockOf(folder: string): string {
  return `${folder}.lock`;
}
