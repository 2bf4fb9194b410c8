/**
 * Work that is done again where it broke off.
 *
 * @module
 */

import { setTimeout as pause } from "node:timers/promises";
import { formatDuration, type Reporter } from "./reporter.ts";

/** Options of {@linkcode retried}. */
export interface RetryOptions<E extends Error> {
  /** Milliseconds before each further attempt, of which there are as many. */
  delaysMs: readonly number[];
  /** The kind of error after which another attempt may help; any other ends the work. */
  after: new (...args: never[]) => E;
  /** What the line on another attempt says of such an error. */
  describe: (error: E) => string;
  reporter: Pick<Reporter, "line">;
  /** Ends the wait before another attempt. */
  signal?: AbortSignal | undefined;
}

/** What an attempt gives, or another one after a pause and a line that says so; the last fails as it fails. */
export async function retried<T, E extends Error>(
  attempt: () => Promise<T>,
  { delaysMs, after, describe, reporter, signal }: RetryOptions<E>,
): Promise<T> {
  for (const delay of delaysMs) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof after)) throw error;
      reporter.line(`${describe(error)}; trying again in ${formatDuration(delay / 1000)}`);
      await pause(delay, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
    }
  }
  return await attempt();
}
