/**
 * Paces and ratios of paired timings.
 *
 * @module
 */

import { median } from "../../metrics/descriptive_statistics.ts";
import type { PairedTiming, Timing } from "../record/bench_results.ts";

export interface MedianAndRange {
  median: number;
  min: number;
  max: number;
  count: number;
}

/** `undefined` for no values. */
export function medianAndRange(values: readonly number[]): MedianAndRange | undefined {
  if (values.length === 0) return undefined;
  return {
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    count: values.length,
  };
}

/** Units done in a second. */
export function rate({ units, seconds }: Timing): number {
  return units / seconds;
}

/** How many times as fast ours is as the peer, pair by pair. */
export function ratios({ ours, theirs }: PairedTiming): number[] {
  if (theirs.timings.length === 0) return [];
  if (theirs.timings.length !== ours.timings.length) {
    throw new RangeError(
      `Cannot pair ${ours.timings.length} timings with ${theirs.timings.length}`,
    );
  }
  return ours.timings.map((timing, i) => rate(timing) / rate(theirs.timings[i]!));
}

/** The median pace: `16.1 steps/s`, or `4.35 s a run` for units that take over half a second. */
export function formatPace(timings: readonly Timing[], unit: string): string {
  const pace = median(timings.map(rate));
  return pace >= 2
    ? `${pace.toPrecision(3)} ${unit}${unit.endsWith("ch") ? "es" : "s"}/s`
    : `${(1 / pace).toPrecision(3)} s a ${unit}`;
}

/** `1.62 (1.55 to 1.70)`; of a single pair `1.62`. */
export function formatMedianAndRange({ median, min, max, count }: MedianAndRange): string {
  if (count === 1) return median.toFixed(2);
  return `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
}
