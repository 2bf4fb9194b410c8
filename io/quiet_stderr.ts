/**
 * Hides a library's start-up messages from the user.
 *
 * TensorFlow writes some lines straight to file descriptor 2 while it is being loaded, before any
 * of its log settings count, and graphics drivers do where there is no desktop; so the descriptor
 * itself is pointed elsewhere meanwhile.
 *
 * @module
 */

import { OpenFlags, withLibc } from "./libc.ts";

const STDERR = 2;

/**
 * Runs `action` with the process's standard error discarded.
 *
 * Where that is impossible (no such C library on this system) the action runs anyway.
 */
export function withQuietStderr<T>(action: () => T): T {
  const saved = withLibc(({ dup, dup2, open, close }) => {
    const nowhere = open(new TextEncoder().encode("/dev/null\0"), OpenFlags.WRONLY);
    if (nowhere < 0) return -1;
    const saved = dup(STDERR);
    if (saved >= 0) dup2(nowhere, STDERR);
    close(nowhere);
    return saved;
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
