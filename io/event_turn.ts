/**
 * Turns for the event loop between calls that block it.
 *
 * @module
 */

import { InterruptedError } from "./errors.ts";
import { setImmediate, setTimeout } from "node:timers/promises";

/** Milliseconds between two looks at what the system has to say. */
const INTERVAL_MS = 250;

let last = 0;

/**
 * Gives promises, timers and signals their turn, and stops where the work was aborted meanwhile.
 *
 * Deno asks the system for signals only where the event loop has to wait: one that always has
 * something to do notices Ctrl-C dozens of turns late. So every now and then, and after each call that
 * took long, this waits for timers.
 *
 * @throws {InterruptedError} If `signal` is aborted.
 */
export async function eventTurn(signal?: AbortSignal): Promise<void> {
  if (performance.now() - last < INTERVAL_MS) await setImmediate();
  else {
    // A signal that comes with the first timer is handed on while the second is waited for.
    await setTimeout(1);
    await setTimeout(1);
    last = performance.now();
  }
  if (signal?.aborted) throw new InterruptedError("Interrupted");
}
