/**
 * Cases that were measured before: a run of the bench measures some, and what is known of the others on
 * the same machine stays beside them, each with the run that it is of.
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
    (one.ours?.device === other.ours?.device || (isOnCpu(one) && isOnCpu(other)));
}

/** The results of a run that has just started, with the findings of earlier ones that it leaves alone. */
export function withEarlier(started: BenchResults, before: BenchResults): BenchResults {
  const isKept = ({ case: name }: PairedTiming | Measurement) =>
    !started.settings.cases.includes(name);
  const keep = <T extends PairedTiming | Measurement>(findings: readonly T[]): T[] =>
    findings.filter(isKept).map((finding) => ({ of: before.started_at, ...finding }));
  const comparisons = keep(before.comparisons);
  const measures = keep(before.measures);
  const left = new Set([...comparisons, ...measures].map(({ of }) => of));
  const earlier = [...before.earlier ?? [], runOf(before)]
    .filter(({ started_at }) => left.has(started_at));
  return { ...started, comparisons, measures, earlier };
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
