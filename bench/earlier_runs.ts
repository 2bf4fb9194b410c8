/**
 * Cases that were measured before: a run of the bench measures some, and what is known of the others on
 * the same machine stays beside them, each with the run that it is of. That it is to measure a case
 * changes nothing before it has: it may be interrupted.
 *
 * @module
 */

import {
  type BenchResults,
  type BenchRun,
  CASES,
  isOnCpu,
  type Measurement,
  type PairedTiming,
} from "../report/record/bench_results.ts";

/** Of what both were measured on and with, what their findings may differ by to stand in one table. */
const SAME_MACHINE = ["os", "arch", "processor", "processor_model", "cores"] as const;

/**
 * Whether two runs' findings may stand in one table: what is known to be the same processor, data and
 * kind of backend. Older results do not say the processor's model, so that only each other's may be.
 */
export function isComparable(one: BenchResults, other: BenchResults): boolean {
  return SAME_MACHINE.every((name) => one.machine[name] === other.machine[name]) &&
    one.threads === other.threads && one.settings.data === other.settings.data &&
    backendOf(one) === backendOf(other) &&
    (one.ours?.device === other.ours?.device || (isOnCpu(one) && isOnCpu(other)));
}

/** The kind of backend of ours: what does not say it is of before there were others than this. */
function backendOf({ ours }: BenchResults): string {
  return ours?.backend ?? "tensorflow";
}

/** The results of a run that has just started, with the findings of earlier ones. */
export function withEarlier(started: BenchResults, before: BenchResults): BenchResults {
  const keep = <T extends PairedTiming | Measurement>(findings: readonly T[]): T[] =>
    findings.map((finding) => ({ of: before.started_at, ...finding }));
  const found = { comparisons: keep(before.comparisons), measures: keep(before.measures) };
  const earlier = [...before.earlier ?? [], runOf(before)];
  // A run of ours alone has none, and what was measured beside one stays.
  const peer = started.peer ?? before.peer;
  return { ...started, ...(peer && { peer }), ...found, earlier: runsLeft(earlier, found) };
}

/** Adds a finding of the run that the results are of; the first of a case replaces all earlier ones of it. */
export function recordFinding(results: BenchResults, finding: PairedTiming | Measurement): void {
  const isLeft = (one: PairedTiming | Measurement) =>
    one.of === undefined || one.case !== finding.case;
  results.comparisons = results.comparisons.filter(isLeft);
  results.measures = results.measures.filter(isLeft);
  if ("ours" in finding) insertFinding(results.comparisons, finding);
  else insertFinding(results.measures, finding);
  if (results.earlier !== undefined) results.earlier = runsLeft(results.earlier, results);
}

/** Those of earlier runs that findings are of. */
function runsLeft(
  earlier: readonly BenchRun[],
  { comparisons, measures }: Pick<BenchResults, "comparisons" | "measures">,
): BenchRun[] {
  const left = new Set([...comparisons, ...measures].map(({ of }) => of));
  return earlier.filter(({ started_at }) => left.has(started_at));
}

/**
 * Puts a finding in the place that its case has among the others, or in that of what was known of the same
 * timings before.
 */
export function insertFinding<T extends PairedTiming | Measurement>(
  findings: T[],
  finding: T,
): void {
  const before = findings.findIndex((one) => isOfSameSides(one, finding));
  if (before >= 0) {
    findings[before] = finding;
    return;
  }
  const place = (one: T) => CASES.indexOf(one.case);
  const at = findings.findIndex((one) => place(one) > place(finding));
  findings.splice(at < 0 ? findings.length : at, 0, finding);
}

function isOfSameSides(one: PairedTiming | Measurement, other: typeof one): boolean {
  if (!("ours" in one && "ours" in other)) return false;
  const sides = ({ case: name, title, ours, theirs }: PairedTiming) =>
    JSON.stringify([name, title, ours.label, theirs.label]);
  return sides(one) === sides(other);
}

/** The cases of which there are findings of the run that was started then. */
export function casesOf(results: BenchResults, startedAt: string): string[] {
  const own = [...results.comparisons, ...results.measures]
    .filter(({ of = results.started_at }) => of === startedAt);
  return CASES.filter((name) => own.some((finding) => finding.case === name));
}

function runOf(
  { started_at, finished_at, settings, load_average, versions, git }: BenchResults,
): BenchRun {
  return { started_at, finished_at, settings, load_average, versions, git };
}
