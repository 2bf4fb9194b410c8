/**
 * How many threads TensorFlow computes with.
 *
 * It makes them once in a process, with its first context, and believes any number: a negative one
 * ends the process, a hundred thousand keep it starting.
 *
 * @module
 */

import type { ReadVariable } from "../../io/environment.ts";
import { schedulableCpus } from "../../io/machine_limits.ts";
import { shortened } from "../../io/printable.ts";
import { WrongSettingError } from "../backend.ts";
import { checkThreads, MOST_THREADS } from "../threads.ts";

/** Threads that one operation is spread over. */
const INTRA = "TF_NUM_INTRAOP_THREADS";
/** Operations that run at the same time. */
const INTER = "TF_NUM_INTEROP_THREADS";

/** What this process's first context was made with. */
let inUse: number | undefined;

/**
 * The number of threads that a context will have: the one asked for, that of
 * `TF_NUM_INTRAOP_THREADS`, or one for each processor that this process may use.
 *
 * @param asked 1..{@linkcode MOST_THREADS}.
 * @throws {RangeError} If `asked` is none of these.
 * @throws {WrongSettingError} If a variable of TensorFlow's is no number of threads, or if this process
 *   computes with another number already.
 */
export function threadCount(
  asked: number | undefined,
  variable: ReadVariable = (name) => Deno.env.get(name),
): number {
  checkThreads(asked);
  const [intra] = [INTRA, INTER].map((name) => fromVariable(name, variable(name)));
  if (asked !== undefined && inUse !== undefined && asked !== inUse) {
    throw new WrongSettingError(
      `Cannot compute with ${asked} threads, as this process does with ${inUse} already: ` +
        "TensorFlow makes its threads once; start another process",
    );
  }
  return asked ?? inUse ?? (intra || schedulableCpus());
}

/** Remembers what the first context of this process was made with. */
export function keepThreadCount(threads: number): void {
  inUse ??= threads;
}

/** The number that a variable has; 0, as TensorFlow reads it, where it decides nothing. */
function fromVariable(name: string, text: string | undefined): number {
  if (text === undefined || text.trim() === "") return 0;
  const value = /^\s*\d+\s*$/.test(text) ? Number(text) : NaN;
  if (value >= 0 && value <= MOST_THREADS) return value;
  throw new WrongSettingError(
    `${name} is ${JSON.stringify(shortened(text))}: expected a whole number from 1 to ` +
      `${MOST_THREADS}, or 0 for one thread a processor. Set it so, or unset it`,
  );
}
