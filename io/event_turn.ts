/**
 * Turns for the event loop between calls that block it.
 *
 * @module
 */

import { setImmediate, setTimeout } from "node:timers/promises";

/** Milliseconds between two looks at what the system has to say. */
const INTERVAL_MS = 250;

let last = 0;

/**
 * Gives promises, timers and signals their turn.
 *
 * Deno asks the system for signals only where the event loop has to wait: one that always has
 * something to do notices Ctrl-C dozens of turns late. So every now and then, and after each call that
 * took long, this waits for a timer.
 */
export async function eventTurn(): Promise<void> {
  if (performance.now() - last < INTERVAL_MS) return await setImmediate();
  await setTimeout(1);
  last = performance.now();
}
