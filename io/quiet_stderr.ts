/**
 * Hides a library's start-up messages from the user.
 *
 * TensorFlow writes some lines straight to file descriptor 2 while it is being loaded, before any
 * of its log settings count, and graphics drivers do where there is no desktop; so the descriptor
 * itself is pointed elsewhere meanwhile.
 *
 * @module
 */

import { isSameFile, OpenFlags, withLibc } from "./libc.ts";

const STDERR = 2;

/**
 * Runs `action` with the process's standard error discarded.
 *
 * Where that is impossible (no such C library on this system) the action runs anyway. Where another
 * Worker has it discarded already that one restores it, whoever of the two ends first.
 */
export function withQuietStderr<T>(action: () => T): T {
  const saved = withLibc((libc) => {
    const nowhere = libc.open(new TextEncoder().encode("/dev/null\0"), OpenFlags.WRONLY);
    if (nowhere < 0) return -1;
    const saved = libc.dup(STDERR);
    // Asked of the copy, which no other Worker changes.
    const isDiscarded = saved >= 0 && isSameFile(libc, saved, nowhere);
    if (isDiscarded) libc.close(saved);
    else if (saved >= 0) libc.dup2(nowhere, STDERR);
    libc.close(nowhere);
    return isDiscarded ? -1 : saved;
  }) ?? -1;
  try {
    return action();
  } finally {
    if (saved >= 0) {
      withLibc(({ dup2, close }) => {
        dup2(saved, STDERR);
        close(saved);
      });
    }
  }
}
