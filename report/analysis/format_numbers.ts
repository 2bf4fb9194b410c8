/**
 * Numbers as the report prints them.
 *
 * @module
 */

import type { MeanAndSd } from "../../metrics/descriptive_statistics.ts";
import type { Interval } from "./comparison.ts";

/** Stands where there is no value. */
export const NONE = "–";

/** `0.0300`; `null` as {@linkcode NONE}, NaN and the infinities as they are. */
export function formatFixed(value: number | null, digits: number): string {
  if (value === null) return NONE;
  return Number.isFinite(value) ? value.toFixed(digits) : String(value);
}

/** A difference with its sign; {@linkcode NONE} unless it is a finite number. */
export function formatDifference(difference: number, digits: number): string {
  if (!Number.isFinite(difference)) return NONE;
  const size = Math.abs(difference).toFixed(digits);
  if (Number(size) === 0) return size;
  return `${difference < 0 ? "−" : "+"}${size}`;
}

/** An interval in words: `98.51 to 99.02`, or `−0.11 to 0.06`. */
export function formatInterval(interval: Interval | null, digits: number): string {
  if (interval === null) return NONE;
  const [low, high] = [interval.low, interval.high].map((end) =>
    formatFixed(end, digits).replace("-", "−")
  );
  return `${low} to ${high}`;
}

/** `99.20 ± 0.20`, without the second half for a single value. */
export function formatMeanAndSd({ n, mean, sd }: MeanAndSd, digits: number): string {
  if (n === 0) return NONE;
  return n === 1 ? formatFixed(mean, digits) : `${mean.toFixed(digits)} ± ${sd.toFixed(digits)}`;
}

/** The same of a number of seeds, and of how many it is if not of all: `99.20 ± 0.20 (4 of 5 seeds)`. */
export function formatOverSeeds(values: MeanAndSd, seeds: number, digits: number): string {
  return formatMeanAndSd(values, digits) + formatShare(values.n, seeds);
}

/** ` (4 of 5 seeds)`; nothing for all of them or none. */
export function formatShare(n: number, seeds: number): string {
  return n > 0 && n < seeds ? ` (${n} of ${seeds} seeds)` : "";
}

/** A p-value below this counts as more than chance. */
export const SIGNIFICANT = 0.05;

/** `p = 0.034`, or `p < 0.001`; with more digits where these would not say on which side of 0.05 it is. */
export function formatP(p: number): string {
  if (p < 0.001) return "p < 0.001";
  return `p = ${p.toFixed(tellingDigits(p, 3, (value) => value < SIGNIFICANT))}`;
}

/** Digits behind the point with which a rounded value passes or fails as it does itself, `least` at least. */
export function tellingDigits(
  value: number,
  least: number,
  passes: (value: number) => boolean,
): number {
  const most = 15;
  let digits = least;
  while (digits < most && passes(Number(value.toFixed(digits))) !== passes(value)) digits++;
  return digits;
}

/** A part in percent, with more digits where these would make it none or all: `99.97` of 9,997 in 10,000. */
export function formatPart(percent: number, digits: number): string {
  const isPart = (value: number) => value > 0 && value < 100;
  return formatFixed(percent, tellingDigits(percent, digits, isPart));
}

/** `3,199,106`; numbers that are not whole as they are. */
export function formatCount(value: number | null): string {
  if (value === null) return NONE;
  return Number.isInteger(value) ? value.toLocaleString("en-US") : String(value);
}

/** A positive number to three significant digits, never in exponents: `0.0808`, `3347`. */
export function formatThreeDigits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(value))));
}
