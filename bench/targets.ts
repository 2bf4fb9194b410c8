/**
 * What the suite is to reach, and whether a run of the bench shows it.
 *
 * @module
 */

import { formatSpread } from "./pairs.ts";
import type { BenchResults, CaseName, Comparison } from "./results.ts";
import { median, rate, ratios, spread } from "./statistics.ts";

/** A target beside what was measured. */
export interface Verdict {
  what: string;
  target: string;
  measured: string;
  verdict: "met" | "not met" | "not measured";
  /** What limits the finding, or why there is none. */
  note: string;
}

/** Pairs that a median should rest on. */
const ENOUGH_PAIRS = 5;
const STUDY_EPOCHS = 10;

interface Found {
  value: number;
  text: string;
  note?: string | undefined;
}

interface Target {
  case: CaseName;
  what: string;
  target: string;
  find(results: BenchResults): Found | undefined;
  met(value: number): boolean;
}

const TARGETS: readonly Target[] = [
  {
    case: "step",
    what: "SimpleCNN training step, batch 128, fp32: ours / PyTorch default",
    target: "≥ 1.6, aim 2",
    find: (results) => speedUp(results, "step"),
    met: (value) => value >= 1.6,
  },
  {
    case: "step-bf16",
    what: "the same, ours in bf16 / PyTorch default",
    target: "≥ 2.2",
    find: (results) => speedUp(results, "step-bf16", "PyTorch default"),
    met: (value) => value >= 2.2,
  },
  {
    case: "step-bf16",
    what: "the same, both in bf16: ours / PyTorch default with bf16 autocast",
    target: "≥ 2.2",
    find: (results) => speedUp(results, "step-bf16"),
    met: (value) => value >= 2.2,
  },
  {
    case: "inference",
    what: "inference of 10,000 images: ours / PyTorch default",
    target: "≥ 2.5",
    find: (results) => speedUp(results, "inference"),
    met: (value) => value >= 2.5,
  },
  {
    case: "part1",
    what: "part 1 whole, from launch to CSV: ours / the study's script",
    target: "≥ 2.5",
    find: (results) => speedUp(results, "part1"),
    met: (value) => value >= 2.5,
  },
  {
    case: "launch",
    what: "launch to first training step, warm caches",
    target: "≤ 1.5 s",
    find: launchSeconds,
    met: (value) => value <= 1.5,
  },
  {
    case: "memory",
    what: "resident memory, part 1 at 60,000 images",
    target: "≤ 1 GB",
    find: (results) => measure(results, "memory", "GB"),
    met: (value) => value <= 1,
  },
  {
    case: "growth",
    what: "live handles from step 1,000 to 10,000",
    target: "no growth",
    find: (results) => measure(results, "growth", "handles"),
    met: (value) => value <= 0,
  },
  {
    case: "growth",
    what: "resident memory from step 1,000 to 10,000",
    target: "< 1 %",
    find: (results) => measure(results, "growth", "%"),
    met: (value) => value < 1,
  },
];

/** Every target with what the results say of it. */
export function verdicts(results: BenchResults): Verdict[] {
  return TARGETS.map(({ case: name, what, target, find, met }) => {
    const found = find(results);
    if (found === undefined) {
      const note = reasonFor(results, name);
      return { what, target, measured: "", verdict: "not measured", note };
    }
    const verdict = met(found.value) ? "met" : "not met";
    return { what, target, measured: found.text, verdict, note: found.note ?? "" };
  });
}

/**
 * The comparison of a case with that peer; without one the case's first, which is PyTorch with its
 * defaults in the same number format.
 */
function comparisonOf(
  results: BenchResults,
  name: CaseName,
  peer?: string,
): Comparison | undefined {
  return results.comparisons.find((comparison) =>
    comparison.case === name && (peer === undefined || comparison.theirs.label === peer)
  );
}

function speedUp(results: BenchResults, name: CaseName, peer?: string): Found | undefined {
  const comparison = comparisonOf(results, name, peer);
  const found = comparison && spread(ratios(comparison));
  if (found === undefined) return undefined;
  const notes = [
    pairsNote(found.count),
    name === "part1" && results.settings.epochs !== STUDY_EPOCHS
      ? `--epochs ${results.settings.epochs} instead of ${STUDY_EPOCHS}`
      : "",
  ];
  return {
    value: found.median,
    text: formatSpread(found),
    note: notes.filter((note) => note !== "").join("; "),
  };
}

function launchSeconds(results: BenchResults): Found | undefined {
  const timings = comparisonOf(results, "launch")?.ours.timings ?? [];
  if (timings.length === 0) return undefined;
  const value = median(timings.map((timing) => 1 / rate(timing)));
  return { value, text: `${value.toFixed(2)} s`, note: pairsNote(timings.length) };
}

function measure(results: BenchResults, name: CaseName, unit: string): Found | undefined {
  const found = results.measures.find((one) => one.case === name && one.unit === unit);
  if (found === undefined || found.value === null) return undefined;
  const text = unit === "handles" ? String(found.value) : `${found.value.toFixed(2)} ${unit}`;
  return { value: found.value, text, note: found.note };
}

function pairsNote(count: number): string {
  return count < ENOUGH_PAIRS ? `n = ${count}, fewer than ${ENOUGH_PAIRS}` : "";
}

function reasonFor(results: BenchResults, name: CaseName): string {
  if (!results.settings.cases.includes(name)) return `not asked for: --cases ${name}, or --full`;
  const findings = [...results.comparisons, ...results.measures];
  return findings.find((one) => one.case === name)?.note ?? "not reached";
}
