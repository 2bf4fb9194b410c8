/**
 * Turns for the event loop between calls that block it.
 *
 * @module
 */

import { interruptedBy } from "./errors.ts";
import { stopIsAsked } from "./stop_notice.ts";
import { setImmediate, setTimeout } from "node:timers/promises";

/** Milliseconds between two looks at what the system has to say. */
const INTERVAL_MS = 1000;

/** Milliseconds of a call after which to miss a signal would cost another long one. */
const LONG_CALL_MS = 100;

/** Milliseconds that a signal is waited for once a worker has heard of it. */
const LATEST_MS = 200;

let lastTurn = 0;
let lastLook = 0;

/**
 * Gives promises, timers and signals their turn, and stops where the work was aborted meanwhile.
 *
 * Deno asks the system for signals only where the event loop has to wait: one that always has
 * something to do notices Ctrl-C dozens of turns late. So every now and then, and after each call that
 * took long, this waits for a timer; after a long call for another one, as a signal that comes with the
 * first is handed on while the second is waited for.
 *
 * @throws {InterruptedError} If `signal` is aborted.
 */
export async function eventTurn(signal?: AbortSignal): Promise<void> {
  const now = performance.now();
  if (now - lastLook < INTERVAL_MS && now - lastTurn < LONG_CALL_MS) await setImmediate();
  else {
    await setTimeout(1);
    if (now - lastTurn >= LONG_CALL_MS) await setTimeout(1);
    lastLook = performance.now();
  }
  // On its way from the system it may still be later than a worker heard of it.
  for (let wait = 0; wait < LATEST_MS && stopIsAsked() && signal?.aborted === false; wait++) {
    await setTimeout(1);
  }
  lastTurn = performance.now();
  if (signal?.aborted) throw interruptedBy(signal);
}
