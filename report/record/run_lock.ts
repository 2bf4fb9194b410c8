/**
 * `.lock` in a run's folder: held by the process that runs it for as long as the run lives, so that no
 * other joins it. The lock of one that was killed is void at once.
 *
 * @module
 */

import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { isLocked, tryLock } from "../../io/lock.ts";

/** Tries to take a lock, and milliseconds between two: others hold it for a moment to look. */
const TRIES = 10;
const PAUSE_MS = 50;

/**
 * Takes a run for this process until the result is disposed.
 *
 * @param folder Of the run; it is made if missing.
 * @returns `undefined` if another process has it.
 */
export async function lockRun(folder: string): Promise<Disposable | undefined> {
  for (let left = TRIES;;) {
    const lock = await tryLock(join(folder, ".lock"));
    if (lock !== undefined || --left === 0) return lock;
    await setTimeout(PAUSE_MS);
  }
}

/** Whether some process runs it at this moment. */
export function isRunning(folder: string): Promise<boolean> {
  return isLocked(join(folder, ".lock"));
}
