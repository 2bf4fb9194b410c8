/**
 * One at a time across processes: an advisory lock on a file.
 *
 * @module
 */

import { dirname } from "node:path";
import { requireRegularFile } from "./regular_file.ts";

/** Options of {@linkcode withLock}. */
export interface LockOptions {
  /** Called once if another holder has to be waited for. */
  onWait?: () => void;
}

/**
 * Runs `action` while holding an exclusive lock on the file at `path`.
 *
 * The operating system frees the lock when its holder ends, however it ends. The lock file itself
 * stays: removing it could let two later callers hold two different files of one name.
 *
 * @param path Lock file; it and its folder are made if missing.
 * @param action What to do alone.
 * @returns What `action` returns.
 */
export async function withLock<T>(
  path: string,
  action: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  await Deno.mkdir(dirname(path), { recursive: true });
  // Opening a named pipe would wait for a reader.
  await requireRegularFile(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const file = await Deno.open(path, { write: true, create: true });
  try {
    if (!await file.tryLock(true)) {
      options.onWait?.();
      await file.lock(true);
    }
    return await action();
  } finally {
    file.close();
  }
}
