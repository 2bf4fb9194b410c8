/**
 * How many threads an engine may be asked to compute with.
 *
 * @module
 */

/** More than any machine has cores. */
export const MOST_THREADS = 1024;

/** @throws {RangeError} If a number of threads is none of 1..{@linkcode MOST_THREADS}. */
export function checkThreads(threads: number | undefined): void {
  if (threads === undefined) return;
  if (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return;
  throw new RangeError(
    `Cannot start an engine as threads must be a whole number from 1 to ${MOST_THREADS}: ` +
      `current value is ${threads}`,
  );
}
