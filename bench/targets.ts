/**
 * What the suite is to reach, and whether a run of the bench shows it.
 *
 * @module
 */

import { formatCount, tellingDigits } from "../report/analysis/format_numbers.ts";
import {
  type BenchResults,
  type CaseName,
  isOnCpu,
  type Precision,
} from "../report/record/bench_results.ts";
import { SIMPLE_CNN } from "../study.ts";
import { settingsOf } from "./earlier_runs.ts";
import {
  type Found,
  leastSpeedUp,
  limitOf,
  measuredValue,
  measurementOf,
  missingLimits,
  missingPeers,
  ourRate,
  ourSeconds,
  pairedTimingOf,
  percentOf,
  shareOfLimit,
  speedUp,
  type Target,
} from "./findings.ts";
import { GROWTH_SPANS, type GrowthSample, lastStep, stillFrom } from "./growth.ts";
import { handleGrowth } from "./handle_trend.ts";
import { MEMORY_CASES, MEMORY_PLANS, type MemoryCase } from "./memory.ts";
import { joinNotes } from "./pairs.ts";
import { PLANS } from "./plans.ts";
import { RECIPE_TARGETS } from "./recipe_targets.ts";
import { TRANSFER_TARGETS } from "./transfer_targets.ts";

/** A target beside what was measured. */
export interface JudgedTarget {
  what: string;
  target: string;
  measured: string;
  verdict: "met" | "not met" | "not measured";
  /** What limits the finding, or why there is none. */
  note: string;
  /** Whether the run was to measure it. */
  asked: boolean;
}

const { batchSize: BATCH_SIZE } = SIMPLE_CNN.training;

const TARGETS: readonly Target[] = [
  {
    cases: ["step"],
    what: `${SIMPLE_CNN.name} training step, batch ${BATCH_SIZE}, fp32: ours / PyTorch default`,
    target: "≥ 1.6, aim 2",
    find: (results) => speedUp(results, "step"),
    met: (value) => value >= 1.6,
    heldBack: (results) => kernelsNote(results, "float32"),
  },
  {
    cases: ["step-bf16"],
    what: "the same, ours in bf16 / PyTorch default",
    target: "≥ 2.2",
    find: (results) => speedUp(results, "step-bf16", "PyTorch default"),
    met: (value) => value >= 2.2,
  },
  {
    cases: ["step-bf16"],
    what: "the same, both in bf16: ours / PyTorch default with bf16 autocast",
    target: "≥ 2.2",
    find: (results) => speedUp(results, "step-bf16"),
    met: (value) => value >= 2.2,
    heldBack: (results) => kernelsNote(results, "bfloat16"),
  },
  {
    cases: ["step-bf16"],
    what: "the same, both in bf16: ours / PyTorch in the settings where ours leads least",
    target: "≥ 1.4",
    find: (results) => leastSpeedUp(results, "step-bf16", ownPeers("step-bf16")),
    met: (value) => value >= 1.4,
    heldBack: (results) => kernelsNote(results, "bfloat16"),
    missing: (results) => withoutNote(missingPeers(results, "step-bf16", ownPeers("step-bf16"))),
  },
  {
    cases: ["step", "limit"],
    what: "the fp32 step, as a share of the processor's measured limit",
    target: "≥ 80 %",
    find: (results) => shareOfLimit(results, "step"),
    met: (value) => value >= 80,
    heldBack: (results) => kernelsNote(results, "float32"),
    missing: (results) => withoutNote(missingLimits(results, "float32")),
  },
  {
    cases: ["inference"],
    what: "inference of 10,000 images: ours / PyTorch default",
    target: "≥ 2.5",
    find: (results) => speedUp(results, "inference"),
    met: (value) => value >= 2.5,
  },
  {
    cases: ["part1"],
    what: "part 1 whole, from launch to CSV: ours / the study's script",
    target: "≥ 2.5",
    find: (results) => shortPart1(results) === undefined ? speedUp(results, "part1") : undefined,
    met: (value) => value >= 2.5,
    missing: shortPart1,
    heldBack: (results) => {
      const step = speedUp(results, "step");
      return step && `most of it is training, whose step is ${step.value.toFixed(2)} times as fast`;
    },
  },
  {
    cases: ["launch"],
    what: "launch to first training step, warm caches",
    target: "≤ 1.5 s",
    find: (results) => ourSeconds(results, "launch"),
    met: (value) => value <= 1.5,
  },
  ...MEMORY_CASES.map(memoryTarget),
  {
    cases: ["growth"],
    what: "growth of live handles from step 1,000 to 10,000, 95 % interval of their trend",
    target: "not above 0",
    find: handleTrend,
    met: (least) => least <= 0,
    missing: (results) => shortGrowth(results, "handles"),
  },
  {
    cases: ["growth"],
    what: "growth of resident memory from step 1,000 to 10,000",
    target: "< 1 %",
    find: memoryGrowth,
    met: (value) => value < 1,
    missing: (results) => shortGrowth(results, "%"),
  },
  {
    cases: ["scaling"],
    what: "training time per image, with 60,000 images / with 6,000",
    target: "≤ 1.1",
    find: (results) => measuredValue(results, "scaling", "times"),
    met: (value) => value <= 1.1,
  },
];

/** The peers of a case of part 1 in the number format of ours, as they are planned. */
function ownPeers(name: CaseName): string[] {
  return PLANS.filter((plan) => plan.case === name).flatMap(({ peers, precision }) =>
    peers.filter((peer) => peer.precision === precision).map(({ label }) => label)
  );
}

function withoutNote(missing: readonly string[]): string | undefined {
  return missing.length === 0 ? undefined : `no timings of ${missing.join("; ")}`;
}

/** Share of memory within which it stands still. */
const STILL = 0.001;

/** What was sampled of growth in full length. */
function fullGrowth(results: BenchResults, unit: string): readonly GrowthSample[] | undefined {
  if (shortGrowth(results, unit) !== undefined) return undefined;
  return measurementOf(results, "growth", unit)?.samples as readonly GrowthSample[] | undefined;
}

/** Why a growth that was found says nothing of that in full length. */
function shortGrowth(results: BenchResults, unit: string): string | undefined {
  const { value = null, samples } = measurementOf(results, "growth", unit) ?? {};
  const [last, end] = [lastStep(samples), GROWTH_SPANS.full[1]];
  if (value === null || samples === undefined || last >= end) return undefined;
  return `shortened to step ${formatCount(last)}; --cases growth goes to step ${formatCount(end)}`;
}

/** Why part 1 was not the whole of it, if so. */
function shortPart1(results: BenchResults): string | undefined {
  const timing = pairedTimingOf(results, "part1");
  if (!timing?.ours.timings.length) return undefined;
  const [{ epochs }, whole] = [settingsOf(results, timing), SIMPLE_CNN.training.epochs];
  if (!(epochs < whole)) return undefined;
  return `shortened to --epochs ${epochs}; --cases part1 has the study's ${whole}`;
}

/** Samples at the end, of handles that are compared with all before. */
const LAST = 5;

/**
 * The least growth of handles that their trend is compatible with; or how many more there are all the
 * time in the end than there ever were.
 */
function handleTrend(results: BenchResults): Found | undefined {
  const samples = fullGrowth(results, "handles");
  if (samples === undefined) return undefined;
  const { low, high } = handleGrowth(samples, GROWTH_SPANS.full);
  const counts = samples.map(({ handles }) => handles);
  const [before, last] = [counts.slice(0, -LAST), counts.slice(-LAST)];
  const more = Math.min(...last) - Math.max(...before);
  // What starts late makes a line so uncertain that it could be level.
  if (low <= 0 && more > 0) {
    return { value: more, text: `${more} more in the end than ever before` };
  }
  return {
    value: low,
    text: `${low.toFixed(1)} to ${high.toFixed(1)}`,
    note: `${Math.min(...counts)} to ${Math.max(...counts)} at a time`,
  };
}

/** With the step from which on it did not grow any more. */
function memoryGrowth(results: BenchResults): Found | undefined {
  const found = measuredValue(results, "growth", "%");
  const samples = fullGrowth(results, "%");
  if (found === undefined || shortGrowth(results, "%") !== undefined) return undefined;
  if (samples === undefined) return found;
  const since = stillFrom(samples, STILL);
  const note = `from step ${formatCount(since)} on it stays within ${100 * STILL} %`;
  return { ...found, note: joinNotes(found.note, note) };
}

function memoryTarget(name: MemoryCase): Target {
  const { what, most } = MEMORY_PLANS[name];
  return {
    cases: [name],
    what: `resident memory, ${what}`,
    target: `≤ ${most} GB`,
    find: (results) => measuredValue(results, name, "GB"),
    met: (value) => value <= most,
  };
}

/** What is to be reached where there is no libtensorflow. */
const WASM_TARGETS: readonly Target[] = [
  {
    cases: ["step-wasm"],
    what: `${SIMPLE_CNN.name} training steps a second on WebAssembly, batch ${BATCH_SIZE}`,
    target: "≥ 1.2",
    find: (results) => ourRate(results, "step-wasm"),
    met: (value) => value >= 1.2,
  },
];

/** Every target with what the results say of it. They are meant for the CPU: elsewhere there is none. */
export function judgeTargets(results: BenchResults): JudgedTarget[] {
  if (!isOnCpu(results)) return [];
  return [...TARGETS, ...TRANSFER_TARGETS, ...WASM_TARGETS, ...RECIPE_TARGETS].map(
    ({ cases, what, target, find, met, heldBack, missing }) => {
      const found = find(results);
      const asked = cases.every((name) => results.settings.cases.includes(name));
      if (found === undefined) {
        const note = missing?.(results) ??
          (asked
            ? reasonFor(results, cases)
            : `not asked for: --cases ${cases.join(",")}, or --full`);
        return { what, target, measured: "", verdict: "not measured", note, asked };
      }
      const verdict = met(found.value) ? "met" : "not met";
      const missed = verdict === "not met" ? [atLimitNote(found), heldBack?.(results)] : [];
      const note = joinNotes(found.note, ...missed);
      return { what, target, measured: tellingText(found, met), verdict, note, asked };
    },
  );
}

/** A finding, its value with as many digits as show on which side of the target it is. */
function tellingText({ value, text }: Found, met: Target["met"]): string {
  const [number, digits] = text.match(/^-?\d+(?:\.(\d+))?/) ?? [];
  if (number === undefined) return text;
  const telling = tellingDigits(value, digits?.length ?? 0, met);
  return value.toFixed(telling) + text.slice(number.length);
}

/** What a training step's profile says of it. */
function kernelsNote(results: BenchResults, precision: Precision): string | undefined {
  const profile = results.measures.find((one) =>
    one.case === "profile" && one.precision === precision
  );
  const limit = limitOf(results, precision);
  if (!profile?.value || !profile.kernels || !limit) return undefined;
  let [ms, gflop] = [0, 0];
  for (const kernel of profile.kernels) {
    if (kernel.gflop === undefined) continue;
    ms += kernel.ms;
    gflop += kernel.gflop * kernel.calls;
  }
  return `convolutions and matrix products take ${
    percentOf(ms, profile.value)
  } of the step and run at ` +
    `${percentOf(1000 * gflop / ms, limit)} of the limit (see where its time goes, below)`;
}

/** How far from reach a speed-up is, where it is not beyond the limit by an algorithm with less work. */
function atLimitNote({ atLimit, value }: Found): string | undefined {
  if (atLimit === undefined || value >= atLimit) return undefined;
  return `would be ${atLimit.toFixed(2)} if ours ran at the machine's limit`;
}

function reasonFor(results: BenchResults, cases: Target["cases"]): string {
  const findings = [...results.comparisons, ...results.measures];
  return findings.find((one) => cases.includes(one.case) && one.note)?.note ?? "not reached";
}
