/**
 * Whether the `deno task` that started a process is still there.
 *
 * `deno task` passes signals on, except SIGKILL, which nobody can: killed that way, or by a system
 * that is out of memory, it would leave behind a process that nobody sees.
 *
 * @module
 */

import { variableIfAllowed } from "./environment.ts";

const INTERVAL_MS = 1000;

/** The process that started this one: much is done before it is watched. */
const PARENT = Deno.ppid;

/**
 * Calls `onEnd` once the process that started this one has ended, at once if it has by now, where this
 * one belongs to a task. A process started from a shell may outlive it, and so is not watched; nor is any
 * on Windows.
 */
export function watchParent(onEnd: () => void): Disposable {
  if (!isOfTask()) return { [Symbol.dispose]() {} };
  if (Deno.ppid !== PARENT) {
    onEnd();
    return { [Symbol.dispose]() {} };
  }
  const timer = setInterval(() => {
    if (Deno.ppid === PARENT) return;
    clearInterval(timer);
    onEnd();
  }, INTERVAL_MS);
  Deno.unrefTimer(timer);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** `deno task` and what it starts have this variable. */
function isOfTask(): boolean {
  return variableIfAllowed("INIT_CWD") !== undefined;
}
