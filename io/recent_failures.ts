/**
 * Failures that would most likely be the same in a moment.
 *
 * @module
 */

import type { StudyError } from "./errors.ts";

/** Milliseconds after which a failure is forgotten: then it is worth while to try again. */
const REMEMBERED_MS = 60_000;

/**
 * What has just failed, by what it was: a program with many runs does not wait for a dead server at
 * every one, and one that goes on for hours asks again.
 */
export class RecentFailures {
  readonly #failures = new Map<string, { error: StudyError; at: number }>();

  /** Why it failed; `undefined` if it has not, or not lately. */
  get(what: string): StudyError | undefined {
    const failure = this.#failures.get(what);
    if (failure === undefined) return undefined;
    if (performance.now() - failure.at < REMEMBERED_MS) return failure.error;
    this.#failures.delete(what);
    return undefined;
  }

  /** Keeps why it failed; of one that is known, being thrown again is no news. */
  add(what: string, error: StudyError): void {
    if (this.get(what) === error) return;
    this.#failures.set(what, { error, at: performance.now() });
  }
}
