/**
 * Cases that were measured before: a run of the bench measures some, and what is known of the others on
 * the same machine stays beside them, each with the run that it is of. That it is to measure a case
 * changes nothing before it has done so and found as much: it may be interrupted, or lack PyTorch, or
 * have been given fewer pairs, seconds, epochs or steps.
 *
 * @module
 */

import { FASHION_MNIST, MNIST } from "../data/sources.ts";
import {
  type BenchResults,
  type BenchRun,
  type CaseName,
  CASES,
  isOnCpu,
  type MeasuredData,
  type Measurement,
  type PairedTiming,
} from "../report/record/bench_results.ts";
import { SIMPLE_CNN } from "../study.ts";
import { GROWTH_SPANS, lastStep } from "./growth.ts";
import { isSteady } from "./steady_cases.ts";
import { PART4_CASES } from "./whole_part4.ts";

/** Sets whose files are checked, so that the name says which they are. */
const PUBLISHED = [MNIST, FASHION_MNIST] as const;

/** Of what both were measured on and with, what their findings may differ by to stand in one table. */
const SAME_MACHINE = ["os", "arch", "processor", "processor_model", "cores"] as const;

/**
 * Whether two runs' findings may stand in one table: what is known to be the same processor, data and
 * kind of backend. Older results do not say the processor's model, so that only each other's may be.
 */
export function isComparable(one: BenchResults, other: BenchResults): boolean {
  return SAME_MACHINE.every((name) => one.machine[name] === other.machine[name]) &&
    one.threads === other.threads && isSameData(dataOf(one), dataOf(other)) &&
    backendOf(one) === backendOf(other) &&
    (one.ours?.device === other.ours?.device || (isOnCpu(one) && isOnCpu(other)));
}

/** What results are of; older ones say no more than `--data` did, whose words stand for published sets. */
export function dataOf({ dataset, settings }: BenchResults): MeasuredData {
  if (dataset !== undefined) return dataset;
  const words = new Map([
    ...["auto", "mnist"].map((word) => [word, MNIST.name] as const),
    ["fashion", FASHION_MNIST.name],
  ]);
  return { name: words.get(settings.data) ?? settings.data };
}

/** Of a folder whose files nobody has noted it is not known what was in them. */
function isSameData(one: MeasuredData, other: MeasuredData): boolean {
  if (one.sha256 !== undefined && one.sha256 === other.sha256) return true;
  return one.name === other.name && PUBLISHED.some(({ name }) => name === one.name);
}

/** What results are of, as a page says it. */
export function describeData({ name, sha256 }: MeasuredData): string {
  const title = PUBLISHED.find((set) => set.name === name)?.title;
  return title ?? name + (sha256 === undefined ? "" : ` (SHA-256 ${sha256.slice(0, 12)})`);
}

/** The kind of backend of ours: what does not say it is of before there were others than this. */
function backendOf({ ours }: BenchResults): string {
  return ours?.backend ?? "tensorflow";
}

/** What is found of a case. */
type Finding = PairedTiming | Measurement;

/** Findings of a run, by their cases, of which there are more to come. */
export type UnfinishedCases = Map<CaseName, Finding[]>;

/**
 * The results of a run, with the findings of others: of earlier ones, where it has just started, or of one
 * that goes on beside it and has taken up what this one had found.
 */
export function withEarlier(started: BenchResults, before: BenchResults): BenchResults {
  const keep = <T extends Finding>(findings: readonly T[]): T[] =>
    findings.map((finding) => {
      const { of = before.started_at, ...found } = finding;
      return of === started.started_at ? found as T : { of, ...finding };
    });
  const found = { comparisons: keep(before.comparisons), measures: keep(before.measures) };
  const earlier = [...before.earlier ?? [], runOf(before)];
  // A run of ours alone has none, and what was measured beside one stays.
  const peer = started.peer ?? before.peer;
  return { ...started, ...(peer && { peer }), ...found, earlier: runsLeft(earlier, found) };
}

/** Options of {@linkcode recordFinding}. */
export interface RecordOptions {
  /**
   * Whether the run has done with the case.
   *
   * @default {true}
   */
  isLast?: boolean;
  /** Where findings wait for the last of their case. */
  unfinished?: UnfinishedCases;
}

/**
 * Adds a finding of the run that the results are of. Of a case that earlier runs have measured it is to
 * be seen when the last finding of the case is there; these then replace the earlier ones, but where
 * those have more.
 *
 * @returns What is not to be seen then, as an earlier finding stays in its place.
 */
export function recordFinding(
  results: BenchResults,
  finding: Finding,
  { isLast = true, unfinished = new Map() }: RecordOptions = {},
): Finding[] {
  const own = unfinished.get(finding.case) ?? [];
  insertFinding(own, finding);
  unfinished.set(finding.case, own);
  const isEarlier = (one: Finding) => one.of !== undefined && one.case === finding.case;
  const earlier = [...results.comparisons, ...results.measures].filter(isEarlier);
  if (earlier.length > 0 && !isLast) return [];
  results.comparisons = results.comparisons.filter((one) => !isEarlier(one));
  results.measures = results.measures.filter((one) => !isEarlier(one));
  const kept = withMore(earlier, own, (one) => amountOf(one, settingsOf(results, one)));
  for (const one of kept) {
    if ("ours" in one) insertFinding(results.comparisons, one);
    else insertFinding(results.measures, one);
  }
  if (isLast) unfinished.delete(finding.case);
  if (results.earlier !== undefined) results.earlier = runsLeft(results.earlier, results);
  return own.filter((one) => !kept.includes(one));
}

/**
 * Of a case that was measured again what stands: what was found now, but each earlier finding where that
 * of the same sides has more, and all of them where there is more in any of them than in any of now.
 */
function withMore(
  earlier: readonly Finding[],
  own: readonly Finding[],
  amount: (finding: Finding) => Amount,
): readonly Finding[] {
  const hasMore = (one: Finding, other: Finding) => isMore(amount(one), amount(other));
  if (earlier.some((one) => own.every((other) => hasMore(one, other)))) return earlier;
  return own.map((finding) =>
    earlier.find((one) => isOfSameSides(one, finding) && hasMore(one, finding)) ?? finding
  );
}

/** How much a finding has; what counts most comes first. */
interface Amount {
  /** 2 both sides, or a value; 1 ours alone; 0 nothing but why. */
  sides: number;
  /** Epochs or steps, of a case that can be shortened. */
  length: number;
  /** How many timings of ours there are. */
  pairs: number;
  /** Of a timing at least, of a case that is repeated as long. */
  seconds: number;
  /** Whether these are all that there were to be. */
  isWhole: boolean;
}

/** Fewer pairs of more seconds are not more, nor are more of fewer. */
function isMore(one: Amount, other: Amount): boolean {
  if (one.sides !== other.sides) return one.sides > other.sides;
  if (one.length !== other.length) return one.length > other.length;
  if (one.pairs !== other.pairs || one.seconds !== other.seconds) {
    return one.pairs > other.pairs || one.seconds > other.seconds;
  }
  return one.isWhole && !other.isWhole;
}

function amountOf(finding: Finding, { epochs, seconds }: BenchRun["settings"]): Amount {
  if (!("ours" in finding)) {
    const { case: name, samples } = finding;
    // The first findings of growth had no samples, and its full length.
    const length = name !== "growth" ? 0 : samples ? lastStep(samples) : GROWTH_SPANS.full[1];
    return { sides: finding.value === null ? 0 : 2, length, pairs: 0, seconds: 0, isWhole: true };
  }
  const { ours, theirs, isCut } = finding;
  const [pairs, others] = [ours.timings.length, theirs.timings.length];
  // What is longer than the study's is no more of it.
  const length = finding.case === "part1" ? Math.min(epochs, SIMPLE_CNN.training.epochs) : 0;
  return {
    ...{ length, pairs, seconds: isSteady(finding.case) ? seconds : 0, isWhole: isCut !== true },
    sides: others > 0 ? 2 : pairs > 0 ? 1 : 0,
  };
}

/** The settings of the run that a finding is of. */
export function settingsOf(results: BenchResults, { of }: Finding): BenchRun["settings"] {
  const run = results.earlier?.find(({ started_at }) => started_at === of);
  return (run ?? results).settings;
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
export function insertFinding<T extends Finding>(
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

/** Whether two findings are of the same work by the same sides; a measurement has ours alone. */
function isOfSameSides(one: Finding, other: Finding): boolean {
  const sides = (finding: Finding) => {
    const labels = "ours" in finding ? [finding.ours.label, finding.theirs.label] : [];
    return JSON.stringify([finding.case, finding.title, ...labels]);
  };
  return sides(one) === sides(other);
}

/** The cases of which there are findings of the run that was started then. */
export function casesOf(results: BenchResults, startedAt: string): CaseName[] {
  const own = [...results.comparisons, ...results.measures]
    .filter(({ of = results.started_at }) => of === startedAt);
  return CASES.filter((name) => own.some((finding) => finding.case === name));
}

const PROGRAMS: readonly CaseName[] = ["launch", "part1"];
const PART4: readonly CaseName[] = PART4_CASES;

/** How often a run timed each side of what it found, in the page's words; empty where there are no sides. */
export function pairsOf(results: BenchResults, { started_at, settings }: BenchRun): string {
  const cases = casesOf(results, started_at);
  const [pairs, seconds] = [settings.pairs, settings.seconds];
  return [
    ...(cases.some(isSteady) ? [`${pairs} of ${seconds} s`] : []),
    ...(cases.some((name) => PROGRAMS.includes(name)) ? [`${pairs} of programs`] : []),
    ...(cases.some((name) => PART4.includes(name)) ? ["1 of part 4"] : []),
  ].join("; ");
}

function runOf(
  { started_at, finished_at, settings, load_average, versions, git }: BenchResults,
): BenchRun {
  return { started_at, finished_at, settings, load_average, versions, git };
}
