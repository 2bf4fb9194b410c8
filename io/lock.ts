/**
 * One at a time across processes: an advisory lock on a file.
 *
 * The operating system frees the lock when its holder ends, however it ends. The lock file itself
 * stays: removing it could let two later callers hold two different files of one name.
 *
 * @module
 */

import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { requireRegularFile } from "./regular_file.ts";

/** Options of {@linkcode withLock}. */
export interface LockOptions {
  /** Called once if another holder has to be waited for. */
  onWait?: () => void;
  /**
   * Milliseconds of waiting before `onWait` is called.
   *
   * @default {0}
   */
  quietMs?: number;
  /** Ends the waiting, with the signal's reason; what runs under the lock is not ended. */
  signal?: AbortSignal;
}

/** Longest pause between two tries. */
const LONGEST_PAUSE_MS = 200;

/**
 * Runs `action` while holding an exclusive lock on the file at `path`.
 *
 * @param path Lock file; it and its folder are made if missing.
 * @param action What to do alone.
 * @returns What `action` returns.
 */
export async function withLock<T>(
  path: string,
  action: () => Promise<T>,
  { onWait, quietMs = 0, signal }: LockOptions = {},
): Promise<T> {
  using file = await openLock(path);
  const started = performance.now();
  let told = false;
  // Waiting in the system for the lock could not be ended.
  for (let pause = 5; !await file.tryLock(true); pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    if (!told && performance.now() - started >= quietMs) {
      told = true;
      onWait?.();
    }
    await setTimeout(pause);
    signal?.throwIfAborted();
  }
  return await action();
}

/**
 * Takes the exclusive lock on the file at `path`, which is held until the result is disposed.
 *
 * @param path Lock file; it and its folder are made if missing.
 * @returns `undefined` if another holds it.
 */
export async function tryLock(path: string): Promise<Disposable | undefined> {
  const file = await openLock(path);
  try {
    if (await file.tryLock(true)) return file;
  } catch (error) {
    file.close();
    throw error;
  }
  file.close();
  return undefined;
}

/** Whether somebody holds the lock on the file at `path`; nothing is made. */
export async function isLocked(path: string): Promise<boolean> {
  try {
    await requireRegularFile(path);
    using file = await Deno.open(path);
    return !await file.tryLock(false);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function openLock(path: string): Promise<Deno.FsFile> {
  await Deno.mkdir(dirname(path), { recursive: true });
  // Opening a named pipe would wait for a reader.
  await requireRegularFile(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  return await Deno.open(path, { write: true, create: true });
}
