/**
 * `bench.md`: the findings as a person reads them.
 *
 * @module
 */

import { median } from "../metrics/descriptive_statistics.ts";
import {
  formatMedianAndRange,
  formatPace,
  medianAndRange,
  rate,
  ratios,
} from "../report/analysis/paired_timings.ts";
import { escapeMarkdown, table } from "../report/page/markdown.ts";
import {
  type BenchResults,
  type BenchRun,
  type CaseName,
  type ComputedOn,
  isOnCpu,
  type PairedTiming,
  type SideResult,
} from "../report/record/bench_results.ts";
import { casesOf, dataOf, describeData, pairsOf } from "./earlier_runs.ts";
import { gflops, gigabytes, limitOf, percentOf } from "./findings.ts";
import { MEMORY_CASES } from "./memory.ts";
import { paceGaps } from "./pace_gaps.ts";
import {
  HOW,
  HOW_GROWTH,
  HOW_ON_GPU,
  MEMORY_PREFACE,
  PROFILE_PREFACE,
  RECIPES_PREFACE,
  TARGETS_NOTE,
} from "./page_prose.ts";
import { joinNotes } from "./pairs.ts";
import { type RecipeTrial, renderTrials, trialsTitle } from "./recipe_trials.ts";
import { judgeTargets } from "./targets.ts";
import { withPaceChange } from "./whole_part4.ts";

/** Load average, over a minute, for each processor, above which timings are not to be trusted. */
const BUSY = 0.25;

/** Whether other programs kept a machine's processors too busy for timings to mean much. */
export function isBusy(loadAverage: number, processors: number): boolean {
  return loadAverage > BUSY * processors;
}

/** Whether time is measured in a case: what else the machine does is of no matter to the others. */
export function isTimed(name: CaseName): boolean {
  return name !== "growth" && !(MEMORY_CASES as readonly CaseName[]).includes(name);
}

/** @param trials What is known of the recipes of part 1. */
export function renderPage(results: BenchResults, trials: readonly RecipeTrial[] = []): string {
  const onCpu = isOnCpu(results);
  return [
    onCpu ? "# Bench\n" : `# Bench: ${escapeMarkdown(describeComputer(results.ours!))}\n`,
    renderProvenance(results),
    ...([results, ...results.earlier ?? []].some((run) =>
        isBusy(run.load_average, results.threads) && run.settings.cases.some(isTimed)
      )
      ? ["**The machine was busy with other programs: these timings are unreliable.**\n"]
      : []),
    ...(onCpu ? [] : adapterRemarks(results)),
    ...(onCpu ? ["## Targets\n", renderTargets(results), TARGETS_NOTE] : []),
    "## Paired timings against PyTorch\n",
    "The ratio says how many times as fast ours is: the median over pairs, with the lowest and the " +
    "highest pair. Speeds are medians. Where every timing of a side is faster, or slower, by more than " +
    "5 % than every one of the same work in another row, a note says so: the machine is not equally " +
    "fast at all times.\n",
    renderPairedTimings(results),
    "## How close to the machine's limit\n",
    "The limit is the fastest single timing of a matrix product or convolution on either side, in the " +
    "same number format; where one of these has no timings, it is not measured. Speeds are medians. For steps and inference, only the operations of " +
    "convolutions and matrix products are counted, and each convolution at its nominal count. Where " +
    "ours needs fewer multiplications (Winograd's algorithm, in fp32, for 3×3 and 5×5 filters on many " +
    "channels), it can therefore exceed the limit.\n",
    renderLimits(results),
    ...renderMemoryLimits(results),
    ...renderProfiles(results),
    ...(trials.length === 0 ? [] : [
      `## ${trialsTitle(trials)}\n`,
      RECIPES_PREFACE,
      renderTrials(trials),
    ]),
    "## How it was measured\n",
    HOW + (results.measures.some((one) => one.case === "growth") ? HOW_GROWTH : ""),
    ...(onCpu ? [] : [HOW_ON_GPU]),
  ].join("\n");
}

/** What the reader must know of the devices. */
function adapterRemarks({ ours, peer, threads }: BenchResults): string[] {
  if (ours?.software) {
    return [
      "**The adapter is emulated on the CPU: these timings say nothing about graphics hardware.**\n",
    ];
  }
  if (peer?.device !== "CPU") return [];
  return [
    `**PyTorch cannot use this adapter here: it ran on the CPU, with ${threads} threads.**\n`,
  ];
}

/** A backend and its device, in a phrase. */
export function describeComputer({ backend, device, vendor }: ComputedOn): string {
  const name = backend === "torch" ? "PyTorch" : backend;
  return `${name} on ${device === "CPU" ? "the CPU" : device}${vendor ? ` (${vendor})` : ""}`;
}

function renderProvenance(results: BenchResults): string {
  const { settings, machine, ours, peer, threads, load_average: load, versions, git } = results;
  // The machine's are ours; a graphics adapter takes none of them, WebAssembly a few at most.
  const isEqual = isOnCpu(results) && (machine.threads ?? threads) === threads;
  const lines = {
    Date: `${results.started_at} to ${results.finished_at}`,
    Machine: `${list(machine)}; ` +
      (isEqual ? `${threads} threads on each side` : `${threads} threads for PyTorch`),
    ...(ours && { Ours: describeComputer(ours) }),
    ...(peer && {
      Peer: describeComputer(peer) + (peer.note === undefined ? "" : `: ${peer.note}`),
    }),
    "Load average before": load.toFixed(2),
    Versions: list(versions),
    Commit: describeCommit(git),
    Settings: `${settings.pairs} pairs, ${settings.seconds} s a timing, data ` +
      describeData(dataOf(results)),
  };
  return Object.entries(lines).map(([name, text]) => `- ${name}: ${escapeMarkdown(text)}\n`)
    .join("") + renderRuns(results);
}

/** Which cases are of which run, where there are several. */
function renderRuns(results: BenchResults): string {
  if (!results.earlier?.length) return "";
  const rows = [...results.earlier, results].map((run) => {
    const { started_at, load_average: load, versions, git } = run;
    const cases = casesOf(results, started_at).join(", ");
    const cells = [started_at.slice(0, 16), cases, describeCommit(git), pairsOf(results, run)];
    return [...cells, load.toFixed(2), list(versions)].map(escapeMarkdown);
  });
  return "\n" + table(
    [
      { title: "run" },
      { title: "cases" },
      { title: "commit" },
      { title: "pairs" },
      { title: "load before", align: "right" },
      { title: "versions" },
    ],
    rows,
  );
}

function describeCommit(git: BenchRun["git"]): string {
  if (git === null) return "unknown";
  return `${git.commit.slice(0, 12)}${git.clean ? "" : ", with changes"}`;
}

/** An adapter's limits, which a machine has as an object, are left to the file. */
function list(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values).filter(([, value]) => typeof value !== "object")
    .map(([name, value]) => `${name} ${value}`).join(", ");
}

export function renderTargets(results: BenchResults): string {
  return table(
    [
      { title: "what" },
      { title: "target", align: "right" },
      { title: "measured", align: "right" },
      { title: "verdict" },
      { title: "note" },
    ],
    judgeTargets(results).map(({ what, target, measured, verdict, note }) =>
      [what, target, measured, verdict, note].map(escapeMarkdown)
    ),
  );
}

export function renderPairedTimings({ comparisons }: BenchResults): string {
  return table(
    [
      { title: "what" },
      { title: "ours", align: "right" },
      { title: "peer" },
      { title: "peer's speed", align: "right" },
      { title: "ours / peer", align: "right" },
      { title: "pairs", align: "right" },
      { title: "note" },
    ],
    comparisons.map((timing) => {
      const { title, ours, theirs, note } = timing;
      const ratio = medianAndRange(ratios(timing));
      return [
        escapeMarkdown(title),
        pace(ours, timing),
        escapeMarkdown(theirs.label),
        pace(theirs, timing),
        ratio === undefined ? "not measured" : formatMedianAndRange(ratio),
        String(ratio?.count ?? ours.timings.length),
        escapeMarkdown(joinNotes(withPaceChange(note ?? ""), paceGaps(timing, comparisons))),
      ];
    }),
  );
}

/** Each side that has a speed, once: ours is measured again beside every variant of the peer. */
function speedsOf(
  { comparisons }: BenchResults,
  speedOf: (timing: PairedTiming, side: SideResult) => number | undefined,
): { title: string; side: SideResult; speed: number }[] {
  const found = new Map<string, { title: string; side: SideResult; speed: number }>();
  for (const comparison of comparisons) {
    const { title } = comparison;
    for (const side of [comparison.ours, comparison.theirs]) {
      const speed = speedOf(comparison, side);
      const key = `${title}, ${side.label}`;
      if (speed !== undefined && !found.has(key)) found.set(key, { title, side, speed });
    }
  }
  return [...found.values()];
}

/** The table of GFLOP/s. */
export function renderLimits(results: BenchResults): string {
  const rows = speedsOf(results, gflops).map(({ title, side, speed }) => {
    const limit = limitOf(results, side.precision);
    return [
      escapeMarkdown(title),
      escapeMarkdown(side.label),
      side.precision,
      speed.toFixed(0),
      ofLimit(speed, limit),
    ];
  });
  if (rows.length === 0) return "Not measured.\n";
  return table(
    [
      { title: "what" },
      { title: "who" },
      { title: "format" },
      { title: "GFLOP/s", align: "right" },
      { title: "of the limit", align: "right" },
    ],
    rows,
  );
}

/** The table of GB/s; nothing if there is none. */
export function renderMemoryLimits(results: BenchResults): string[] {
  const limit = limitOf(results, "memory");
  const rows = speedsOf(results, gigabytes).map(({ title, side, speed }) => [
    escapeMarkdown(title),
    escapeMarkdown(side.label),
    speed.toFixed(1),
    ofLimit(speed, limit),
  ]);
  if (rows.length === 0) return [];
  const columns = ["GB/s", "of the limit"].map((title) => ({ title, align: "right" } as const));
  return [MEMORY_PREFACE, table([{ title: "what" }, { title: "who" }, ...columns], rows)];
}

/** The kernels of each profile; nothing if there is none. */
export function renderProfiles(results: BenchResults): string[] {
  const tables = results.measures.flatMap(({ title, precision, value, kernels }) => {
    if (value === null || kernels === undefined) return [];
    const limit = precision && limitOf(results, precision);
    const row = (what: string, ms: number, calls = "", speed = "", share = "") => [
      ...[escapeMarkdown(what), calls, ms.toFixed(2), percentOf(ms, value)],
      ...[speed, share],
    ];
    const known = kernels.reduce((sum, { ms }) => sum + ms, 0);
    const rows = [
      ...kernels.map(({ what, calls, ms, gflop }) => {
        const speed = gflop === undefined ? undefined : 1000 * gflop * calls / ms;
        const share = speed === undefined || !limit ? "" : percentOf(speed, limit);
        return row(what, ms, calls.toFixed(0), speed?.toFixed(0), share);
      }),
      row("no oneDNN kernel running", value - known),
      row("the step", value),
    ];
    const columns = ["calls a step", "ms a step", "of the step", "GFLOP/s", "of the limit"]
      .map((title) => ({ title, align: "right" } as const));
    return [`### ${escapeMarkdown(title)}\n`, table([{ title: "what" }, ...columns], rows)];
  });
  if (tables.length === 0) return [];
  return ["## Where a training step's time goes\n", PROFILE_PREFACE, ...tables];
}

function ofLimit(speed: number, limit: number | undefined): string {
  return limit ? percentOf(speed, limit) : "not measured";
}

function pace({ timings }: SideResult, { unit, imagesPerUnit }: PairedTiming): string {
  if (timings.length === 0) return "";
  const paceOfUnits = formatPace(timings, unit);
  if (imagesPerUnit === undefined) return paceOfUnits;
  const images = imagesPerUnit * median(timings.map(rate));
  return `${paceOfUnits}, ${images < 10 ? images.toPrecision(2) : images.toFixed(0)} images/s`;
}
