/**
 * What a run of the bench found of one quantity, for `targets.ts` to judge.
 *
 * @module
 */

import type { BenchResults, CaseName, Comparison } from "../report/analysis/bench_results.ts";
import { formatSpread, median, rate, ratios, spread } from "../report/analysis/bench_statistics.ts";

/** A quantity that was measured, or computed from measurements. */
export interface Found {
  value: number;
  text: string;
  note?: string | undefined;
}

/** What the suite is to reach. */
export interface Target {
  /** The cases it takes. */
  cases: readonly CaseName[];
  what: string;
  target: string;
  find(results: BenchResults): Found | undefined;
  met(value: number): boolean;
}

/** Pairs that a median should rest on. */
const ENOUGH_PAIRS = 5;

/**
 * How many times as fast ours is: the comparison of a case with that peer; without one the case's
 * first, which is PyTorch with its defaults in the same number format.
 */
export function speedUp(
  results: BenchResults,
  name: CaseName,
  peer?: string,
): Found | undefined {
  const comparison = comparisonOf(results, name, peer);
  const found = comparison && spread(ratios(comparison));
  if (found === undefined) return undefined;
  return { value: found.median, text: formatSpread(found), note: pairsNote(found.count) };
}

/** See {@linkcode speedUp}. */
export function comparisonOf(
  results: BenchResults,
  name: CaseName,
  peer?: string,
): Comparison | undefined {
  return results.comparisons.find((comparison) =>
    comparison.case === name && (peer === undefined || comparison.theirs.label === peer)
  );
}

/** Median seconds of our unit. */
export function ourSeconds(results: BenchResults, name: CaseName): Found | undefined {
  const timings = comparisonOf(results, name)?.ours.timings ?? [];
  if (timings.length === 0) return undefined;
  const value = median(timings.map((timing) => 1 / rate(timing)));
  return { value, text: `${value.toFixed(2)} s`, note: pairsNote(timings.length) };
}

/** A single quantity of ours. */
export function measure(
  results: BenchResults,
  name: CaseName,
  unit: string,
): Found | undefined {
  const found = results.measures.find((one) => one.case === name && one.unit === unit);
  if (found === undefined || found.value === null) return undefined;
  const text = unit === "handles" ? String(found.value) : `${found.value.toFixed(2)} ${unit}`;
  return { value: found.value, text, note: found.note };
}

/** Says so where there are few pairs. */
export function pairsNote(count: number): string {
  return count < ENOUGH_PAIRS ? `n = ${count}, fewer than ${ENOUGH_PAIRS}` : "";
}
