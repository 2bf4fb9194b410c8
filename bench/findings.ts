/**
 * What a run of the bench found of one quantity, for `targets.ts` to judge.
 *
 * @module
 */

import { median } from "../metrics/descriptive_statistics.ts";
import {
  formatMedianAndRange,
  medianAndRange,
  rate,
  ratios,
} from "../report/analysis/paired_timings.ts";
import type {
  BenchResults,
  CaseName,
  Measurement,
  PairedTiming,
  Precision,
  SideResult,
} from "../report/record/bench_results.ts";
import { joinNotes } from "./pairs.ts";
import { PLANS } from "./plans.ts";

/** A quantity that was measured, or computed from measurements. */
export interface Found {
  value: number;
  /** The value, rounded, and what belongs to it. */
  text: string;
  note?: string | undefined;
  /** Of a speed-up: what it would be if ours worked at the machine's measured limit. */
  atLimit?: number | undefined;
}

/** What the suite is to reach. */
export interface Target {
  /** The cases it takes. */
  cases: readonly CaseName[];
  what: string;
  target: string;
  find(results: BenchResults): Found | undefined;
  met(value: number): boolean;
  /** What keeps a quantity from its target, where other findings show it. */
  heldBack?(results: BenchResults): string | undefined;
  /** Which of the timings that it is taken from are missing, if the others are there. */
  missing?(results: BenchResults): string | undefined;
}

/** Pairs that a median should rest on. */
const ENOUGH_PAIRS = 5;

/**
 * How many times as fast ours is: the case's timing beside that peer; without a peer named its first,
 * which is PyTorch with its defaults. It is in our number format, but in float32 beside features and a
 * backbone in bfloat16.
 */
export function speedUp(
  results: BenchResults,
  name: CaseName,
  peer?: string,
): Found | undefined {
  const timing = pairedTimingOf(results, name, peer);
  if (timing === undefined) return undefined;
  const found = medianAndRange(ratios(timing));
  if (found === undefined) return undefined;
  return {
    value: found.median,
    text: formatMedianAndRange(found),
    note: joinNotes(pairsNote(found.count), timing.note),
    atLimit: speedUpAtLimit(results, timing),
  };
}

/** How many times as fast as the peer ours would be at the machine's limit. */
function speedUpAtLimit(results: BenchResults, timing: PairedTiming): number | undefined {
  const { timings } = timing.theirs;
  const seconds = secondsAtLimit(results, timing);
  if (seconds === undefined || timings.length === 0) return undefined;
  return 1 / (seconds * median(timings.map(rate)));
}

/**
 * Seconds of a unit of ours at the machine's limit: the processor's in our number format, or the
 * memory's where that is what a unit waits for.
 */
export function secondsAtLimit(
  results: BenchResults,
  { gflopPerUnit, gbytePerUnit, ours }: PairedTiming,
): number | undefined {
  const [amount, limit] = gflopPerUnit === undefined
    ? [gbytePerUnit, limitOf(results, "memory")]
    : [gflopPerUnit, limitOf(results, ours.precision)];
  return amount !== undefined && limit ? amount / limit : undefined;
}

/** The timing that {@linkcode speedUp} takes. */
export function pairedTimingOf(
  results: BenchResults,
  name: CaseName,
  peer?: string,
): PairedTiming | undefined {
  return results.comparisons.find((timing) =>
    timing.case === name && (peer === undefined || timing.theirs.label === peer)
  );
}

/**
 * How many times as fast ours is at least, whatever the settings of its peer: the lowest median over
 * pairs among a case's peers in its own number format. As ratios are of pairs, that need not be beside
 * the one that is fastest by its own median. Where one of them has no timings, nobody knows.
 *
 * @param planned Labels of those peers, for one of which there is nothing to be missed.
 */
export function leastSpeedUp(
  results: BenchResults,
  name: CaseName,
  planned: readonly string[] = [],
): Found | undefined {
  if (missingPeers(results, name, planned).length > 0) return undefined;
  const found = inOwnFormat(results, name)
    .flatMap((timing) => {
      const ratio = medianAndRange(ratios(timing));
      return ratio === undefined ? [] : [{ ratio, timing }];
    })
    .sort((a, b) => a.ratio.median - b.ratio.median)[0];
  if (found === undefined) return undefined;
  const { ratio, timing } = found;
  return {
    value: ratio.median,
    text: formatMedianAndRange(ratio),
    note: joinNotes(timing.theirs.label, pairsNote(ratio.count), timing.note),
    atLimit: speedUpAtLimit(results, timing),
  };
}

/** The peers of {@linkcode leastSpeedUp} that have no timings, by their labels; none if nobody has any. */
export function missingPeers(
  results: BenchResults,
  name: CaseName,
  planned: readonly string[] = [],
): string[] {
  const peers = inOwnFormat(results, name).map(({ theirs }) => theirs);
  const timed = peers.filter(({ timings }) => timings.length > 0).map(({ label }) => label);
  if (timed.length === 0) return [];
  const labels = new Set([...planned, ...peers.map(({ label }) => label)]);
  return [...labels].filter((label) => !timed.includes(label));
}

/** What was timed of a case beside peers in the number format of ours. */
function inOwnFormat({ comparisons }: BenchResults, name: CaseName): PairedTiming[] {
  return comparisons.filter(({ case: one, ours, theirs }) =>
    one === name && theirs.precision === ours.precision
  );
}

/** Median speed of ours in percent of the machine's limit in its number format, see `page.ts`. */
export function shareOfLimit(results: BenchResults, name: CaseName): Found | undefined {
  const timing = pairedTimingOf(results, name);
  const limit = timing && limitOf(results, timing.ours.precision);
  const speed = timing && gflops(timing, timing.ours);
  if (speed === undefined || !limit) return undefined;
  return {
    value: 100 * speed / limit,
    text: percentOf(speed, limit),
    note: joinNotes(`of ${limit.toFixed(0)} GFLOP/s`, pairsNote(timing.ours.timings.length)),
  };
}

/** What there is a limit of: what the processor computes in a number format, or what memory moves. */
export type Limited = Precision | "memory";

/**
 * The machine's limit: the fastest single product or convolution on either side, in GFLOP/s, or update of
 * many parameters, in GB/s. Where one of those has no timings, nobody knows.
 */
export function limitOf(results: BenchResults, what: Limited): number | undefined {
  if (missingLimits(results, what).length > 0) return undefined;
  const speeds = limitSides(results, what).flatMap(({ side, perUnit }) =>
    side.timings.map((timing) => rate(timing) * perUnit)
  );
  return speeds.length === 0 ? undefined : Math.max(...speeds);
}

/** What was to show a limit, and has no timings of one of the sides; none if nothing was to. */
export function missingLimits(results: BenchResults, what: Limited): string[] {
  const sides = limitSides(results, what);
  if (sides.length === 0) return [];
  const notReached = PLANS.filter((plan) =>
    plan.case === "limit" && !sides.some(({ title }) => title === plan.title) &&
    what === (plan.bytes === undefined ? plan.precision : "memory")
  );
  const untimed = sides.filter(({ side }) => side.timings.length === 0);
  return [
    ...untimed.map(({ title, side }) => `${title}, ${side.label}`),
    ...notReached.map(({ title }) => title),
  ];
}

/** What was done to find a limit, and how much of it a unit is. */
function limitSides(
  { comparisons }: BenchResults,
  what: Limited,
): { title: string; side: SideResult; perUnit: number }[] {
  return comparisons.flatMap(({ case: name, title, ours, theirs, gflopPerUnit, gbytePerUnit }) => {
    const perUnit = what === "memory" ? gbytePerUnit : gflopPerUnit;
    if (name !== "limit" || perUnit === undefined) return [];
    return [ours, theirs].filter(({ precision }) => what === "memory" || precision === what)
      .map((side) => ({ title, side, perUnit }));
  });
}

/** Median GFLOP/s of a side; `undefined` if there is none. */
export function gflops({ gflopPerUnit }: PairedTiming, side: SideResult): number | undefined {
  return medianSpeed(gflopPerUnit, side);
}

/** Median GB/s of a side; `undefined` if there is none. */
export function gigabytes({ gbytePerUnit }: PairedTiming, side: SideResult): number | undefined {
  return medianSpeed(gbytePerUnit, side);
}

function medianSpeed(perUnit: number | undefined, { timings }: SideResult): number | undefined {
  return perUnit === undefined || timings.length === 0
    ? undefined
    : perUnit * median(timings.map(rate));
}

/** Median seconds of our unit. */
export function ourSeconds(results: BenchResults, name: CaseName): Found | undefined {
  const timings = pairedTimingOf(results, name)?.ours.timings ?? [];
  if (timings.length === 0) return undefined;
  const value = median(timings.map((timing) => 1 / rate(timing)));
  return { value, text: `${value.toFixed(2)} s`, note: pairsNote(timings.length) };
}

/** Median units of ours a second. */
export function ourRate(results: BenchResults, name: CaseName): Found | undefined {
  const timings = pairedTimingOf(results, name)?.ours.timings ?? [];
  if (timings.length === 0) return undefined;
  const value = median(timings.map(rate));
  return { value, text: `${value.toFixed(2)}/s`, note: pairsNote(timings.length) };
}

/** What was measured of a case in a unit, or why it was not. */
export function measurementOf(
  { measures }: BenchResults,
  name: CaseName,
  unit: string,
): Measurement | undefined {
  return measures.find((one) => one.case === name && one.unit === unit);
}

export function measuredValue(
  results: BenchResults,
  name: CaseName,
  unit: string,
): Found | undefined {
  const found = measurementOf(results, name, unit);
  if (found === undefined || found.value === null) return undefined;
  return { value: found.value, text: `${found.value.toFixed(2)} ${unit}`, note: found.note };
}

/** Says so where there are few pairs. */
export function pairsNote(count: number): string {
  return count < ENOUGH_PAIRS ? `n = ${count}, fewer than ${ENOUGH_PAIRS} pairs` : "";
}

/** A share in whole percents. */
export function percentOf(part: number, whole: number): string {
  return `${(100 * part / whole).toFixed(0)} %`;
}
