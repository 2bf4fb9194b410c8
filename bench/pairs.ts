/**
 * Two sides timed in turn, so that whatever else the machine does weighs on both alike.
 *
 * @module
 */

import { interruptedBy, StudyError } from "../io/errors.ts";
import type { Reporter } from "../io/reporter.ts";
import {
  formatMedianAndRange,
  formatPace,
  medianAndRange,
  ratios,
} from "../report/analysis/paired_timings.ts";
import type {
  ComputedOn,
  PairedTiming,
  Precision,
  SideResult,
  Timing,
} from "../report/record/bench_results.ts";

/** One of the two sides. */
export interface Side {
  /** Who it is and with which settings. */
  label: string;
  /** Number format it works in. */
  precision: Precision;
  /** What it computes with. */
  on?: ComputedOn | undefined;
  /** Does some units of work. */
  run(): Promise<Timing>;
}

/** A side that is not available, and why. */
export interface MissingSide {
  label: string;
  precision: Precision;
  on?: undefined;
  missing: string;
}

/** What is to be timed; see {@linkcode PairedTiming}. */
export type PairPlan =
  & Pick<
    PairedTiming,
    "case" | "title" | "unit" | "gflopPerUnit" | "gbytePerUnit" | "imagesPerUnit" | "note"
  >
  & {
    ours: Side;
    theirs: Side | MissingSide;
    /**
     * Whether each side works once before it is timed.
     *
     * @default {true}
     */
    warmUp?: boolean;
  };

/** How it is timed. */
export interface PairOptions {
  pairs: number;
  reporter: Reporter;
  /** Stops between two timings. */
  signal: AbortSignal;
  /**
   * Takes what there is so far, where timings are so long that they should outlast an interruption: ours
   * of the first pair, then all whole pairs after each but the last.
   */
  keep?: (soFar: PairedTiming) => Promise<void>;
  /**
   * Milliseconds of rest between the sides, in which threads of the one before go to sleep.
   *
   * @default {200}
   */
  restMs?: number;
}

/**
 * Warms both sides up and times them: ours, theirs, ours, theirs...
 *
 * Without a peer ours is timed alone. If a side fails, the result has the whole pairs before that, or
 * ours of the first pair alone, and a note that says why.
 *
 * @throws {InterruptedError} If aborted.
 */
export async function timeInTurn(
  plan: PairPlan,
  { pairs, reporter, signal, keep, restMs = 200 }: PairOptions,
): Promise<PairedTiming> {
  const { ours, theirs, warmUp = true, ...what } = plan;
  const result: PairedTiming = { ...what, ours: sideResult(ours), theirs: sideResult(theirs) };
  const peer = "run" in theirs ? theirs : undefined;
  if ("missing" in theirs) result.note = joinNotes(theirs.missing, plan.note);
  const name = `${plan.title}, ${theirs.label}`;
  const rest = () => new Promise<void>((done) => setTimeout(done, restMs));
  const time = async (side: Side): Promise<Timing> => {
    if (signal.aborted) throw interruptedBy(signal);
    await rest();
    return await side.run();
  };
  try {
    if (warmUp) {
      reporter.live(`${name}: warming up`);
      await time(ours);
      if (peer !== undefined) await time(peer);
    }
    for (let pair = 1; pair <= pairs; pair++) {
      reporter.live(`${name}: pair ${pair} of ${pairs}`);
      result.ours.timings.push(await time(ours));
      if (peer !== undefined && pair === 1) {
        const note = joinNotes(`${theirs.label}: not reached`, plan.note);
        await keep?.(structuredClone({ ...result, note }));
      }
      if (peer !== undefined) result.theirs.timings.push(await time(peer));
      if (pair < pairs) await keep?.(structuredClone(result));
    }
  } catch (error) {
    await rest(); // Ctrl-C ends the sides too, maybe before we hear of it.
    if (signal.aborted) throw interruptedBy(signal);
    if (!(error instanceof StudyError)) throw error;
    const whole = result.theirs.timings.length;
    // Ours of the first pair stands alone where the peer has failed.
    if (whole > 0) {
      result.ours.timings.length = whole;
      result.isCut = true;
    }
    const cut = whole > 0 ? `${whole} of ${pairs} pairs: ${error.message}` : error.message;
    result.note = joinNotes(cut, result.note);
    if (whole > 0) reporter.warn(`${name}: ${cut}`);
  }
  reporter.line(summary(result));
  return result;
}

/** One line on a paired timing. */
export function summary(timing: PairedTiming): string {
  const { title, unit, ours, theirs, note } = timing;
  const what = `${title}, ${ours.label} / ${theirs.label}`;
  if (ours.timings.length === 0) return `${what}: not measured: ${note}`;
  const ratio = medianAndRange(ratios(timing));
  const ourPace = formatPace(ours.timings, unit);
  if (ratio === undefined) return `${title}, ${ours.label}: ${ourPace}; no peer: ${note}`;
  return `${what}: ${
    formatMedianAndRange(ratio)
  } times as fast (n = ${ratio.count}; ${ourPace} / ` +
    `${formatPace(theirs.timings, unit)})`;
}

/** Several remarks as one; those that are missing or empty are left out. */
export function joinNotes(...notes: (string | undefined)[]): string {
  return notes.filter((note) => note).join("; ");
}

function sideResult(
  { label, precision, on }: Pick<Side, "label" | "precision" | "on">,
): SideResult {
  return { label, precision, ...(on && { on }), timings: [] };
}
