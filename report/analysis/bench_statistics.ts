/**
 * Medians, spreads and ratios of timings.
 *
 * @module
 */

import type { Comparison, Timing } from "./bench_results.ts";

/** Middle and ends of some values. */
export interface Spread {
  median: number;
  min: number;
  max: number;
  /** How many values. */
  count: number;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Cannot take the median of no values");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median and spread; `undefined` for no values. */
export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return {
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    count: values.length,
  };
}

/** Units per second. */
export function rate({ units, seconds }: Timing): number {
  return units / seconds;
}

/** How many times as fast ours is as the peer, pair by pair. */
export function ratios({ ours, theirs }: Comparison): number[] {
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

/** `1.62 (1.55 to 1.70)`. */
export function formatSpread({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
}
