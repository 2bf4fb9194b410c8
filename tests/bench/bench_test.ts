import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { basename, dirname, join } from "node:path";
import {
  checkMissingPeer,
  checkPackages,
  chosenCases,
  folderOf,
  hasPeerSide,
} from "../../bench/bench.ts";
import { startOurs, startPeer, torchDeviceFor } from "../../bench/context.ts";
import { insertFinding } from "../../bench/earlier_runs.ts";
import { CONV2, convFlop, forwardFlop, SIMPLE_CNN_LAYERS, stepFlop } from "../../bench/flops.ts";
import { leastSpeedUp, shareOfLimit } from "../../bench/findings.ts";
import { measureMapping } from "../../bench/mapping.ts";
import { MEMORY_CASES, memoryRun } from "../../bench/memory.ts";
import { GROWTH_SPANS, sampleAt, stillFrom } from "../../bench/growth.ts";
import { handleGrowth } from "../../bench/handle_trend.ts";
import {
  renderLimits,
  renderMemoryLimits,
  renderPage,
  renderPairedTimings,
  renderTargets,
} from "../../bench/page.ts";
import { type Side, summary, timeInTurn } from "../../bench/pairs.ts";
import { peersOn, PLANS } from "../../bench/plans.ts";
import { partProgram } from "../../bench/program_times.ts";
import { threadsNote } from "../../bench/steady_cases.ts";
import { judgeTargets } from "../../bench/targets.ts";
import { FEATURES_ONCE_LABEL, SINGLE_CALLS } from "../../bench/transfer_plans.ts";
import { wholeSpeedUp } from "../../bench/transfer_targets.ts";
import { TRANSFER_CASES } from "../../bench/transfer_work.ts";
import {
  describePace,
  extended,
  measurePart4,
  paceOf,
  precisionOf,
  withPaceChange,
} from "../../bench/whole_part4.ts";
import { Worker } from "../../bench/worker.ts";
import { bfloat16Problem } from "../../engine/tensorflow/bfloat16_support.ts";
import { cacheDir, repositoryRoot } from "../../io/cache.ts";
import { InterruptedError, StudyError, UsageError } from "../../io/errors.ts";
import { exists } from "../../io/path_kind.ts";
import { silentReporter } from "../../io/reporter.ts";
import { ALEXNET_ARCHITECTURE } from "../../models/alexnet.ts";
import { exportNotes } from "../../models/checkpoint/export_notes.ts";
import { FASTER_RCNN_WEIGHTS } from "../../models/checkpoint/pretrained.ts";
import { VGG16_ARCHITECTURE } from "../../models/vgg16.ts";
import { rate, ratios } from "../../report/analysis/paired_timings.ts";
import {
  type BenchResults,
  type CaseName,
  CASES,
  type PairedTiming,
  type Precision,
  type Timing,
} from "../../report/record/bench_results.ts";
import { REFERENCE_RESULTS } from "../../report/record/reference_results.ts";
import { SIMPLE_CNN, type TrainingSettings, VGG16 } from "../../study.ts";
import { noPyTorch } from "../pytorch.ts";
import { withFolder } from "../report/result_rows.ts";
import { limitTimings } from "./limit_timings.ts";
import { filesIn } from "../scripts/files_in.ts";
import { taskArgs } from "../task.ts";
import { benchContext } from "./bench_context.ts";
import { WEBGPU_PROBLEM } from "../engine/webgpu/adapter.ts";

const timings = (...seconds: number[]): Timing[] => seconds.map((s) => ({ units: 10, seconds: s }));

function comparison(name: CaseName, ours: Timing[], theirs: Timing[]): PairedTiming {
  return {
    case: name,
    title: `Made-up ${name}`,
    unit: "step",
    ours: { label: "ours", precision: "float32", timings: ours },
    theirs: { label: "PyTorch default", precision: "float32", timings: theirs },
  };
}

function results(changes: Partial<BenchResults> = {}): BenchResults {
  return {
    started_at: "2026-01-01T00:00:00.000Z",
    finished_at: "2026-01-01T00:10:00.000Z",
    settings: {
      cases: ["step", "inference", "launch", "memory", "growth"],
      full: false,
      pairs: 5,
      seconds: 2,
      epochs: 10,
      data: "fashion",
    },
    machine: { processor: "abacus" },
    threads: 2,
    load_average: 0.1,
    versions: { deno: "2.0.0" },
    git: null,
    comparisons: [],
    measures: [],
    ...changes,
  };
}

Deno.test("convFlop() and stepFlop() count SimpleCNN's work", () => {
  assertEquals(convFlop(CONV2), 14 * 14 * 64 * (2 * 32 * 25));
  // conv1 784·32·25, conv2 196·64·800, fc1 3136·1000, fc2 1000·10 multiplications.
  const products = 627_200 + 10_035_200 + 3_136_000 + 10_000;
  assertEquals(forwardFlop(SIMPLE_CNN_LAYERS, 1), 2 * products);
  assertEquals(SIMPLE_CNN.multiplyAdds, products);
  assertEquals(stepFlop(SIMPLE_CNN_LAYERS, 128), 128 * 2 * (3 * products - 627_200));
});

Deno.test("sampleAt() takes medians of the last 5 samples up to a step", () => {
  const samples = Array.from({ length: 100 }, (_, i) => ({
    step: 50 * (i + 1),
    handles: 7,
    rss: i === 45 ? 1e9 : i + 1,
  }));
  // The samples 44 to 48, of which 46 is an outlier.
  assertEquals(sampleAt(samples, 2400), { step: 2400, handles: 7, rss: 47 });
  assertEquals(sampleAt(samples, 100), { step: 100, handles: 7, rss: 1.5 });
});

Deno.test("chosenCases() knows lists, --full and its default", () => {
  assertEquals(chosenCases("part1, step", false), ["step", "part1"]);
  assertEquals(chosenCases(undefined, false).includes("part1"), false);
  assertEquals(chosenCases(undefined, true).includes("part1"), true);
  assertEquals(chosenCases(undefined, false).includes("vgg16"), false);
  assertThrows(() => chosenCases("step,stpe", false), UsageError, '"stpe" is none of step, ');
  assertThrows(
    () => chosenCases("mapping,step, mapping", false),
    UsageError,
    '"mapping" is there twice',
  );
});

Deno.test("PyTorch is started for the cases that it does too, and for no others", () => {
  assertEquals(CASES.filter((name) => !hasPeerSide(name)), [
    ...["profile", "memory", "growth", "scaling", "mapping", "recipes"],
    ...["memory-alexnet", "memory-vgg16", "memory-detector"],
  ]);
});

Deno.test("bench.ts says at its head what each case is", async () => {
  const source = await Deno.readTextFile(join(repositoryRoot(), "bench/bench.ts"));
  const head = source.slice(0, source.indexOf("*/"));
  assertEquals(CASES.filter((name) => !head.includes(`\`${name}\``)), []);
});

const H100 = {
  backend: "webgpu",
  device: "NVIDIA H100 80GB HBM3",
  vendor: "NVIDIA",
  software: false,
};
const LLVMPIPE = {
  backend: "webgpu",
  device: "llvmpipe (LLVM 15)",
  vendor: "Mesa",
  software: true,
};
const CPU = { backend: "tensorflow", device: "CPU" };

Deno.test("on a graphics adapter part 1 is a case, bfloat16 none", () => {
  assertEquals(chosenCases(undefined, false, true), [
    "step",
    "inference",
    "part1",
    "alexnet",
    "vgg16",
    "detector",
  ]);
  assertEquals(chosenCases("limit", false, true), ["limit"]);
});

Deno.test("torchDeviceFor() is the GPU that ours has where PyTorch computes on such, else the CPU", () => {
  assertEquals(torchDeviceFor(CPU), "cpu");
  assertEquals(torchDeviceFor({ backend: "tensorflow", device: "GPU" }), "cuda");
  assertEquals(torchDeviceFor(H100), "cuda");
  assertEquals(torchDeviceFor({ ...H100, device: "Radeon", vendor: "AMD" }), "cuda");
  assertEquals(torchDeviceFor({ ...H100, device: "Apple M4", vendor: "Apple" }), "mps");
  assertEquals(torchDeviceFor({ ...H100, device: "Arc", vendor: "Intel" }), "cpu");
  assertEquals(torchDeviceFor(LLVMPIPE), "cpu");
});

Deno.test("folderOf() keeps the results of each backend and device apart", () => {
  assertEquals(folderOf("auto", CPU), "");
  assertEquals(folderOf("tensorflow", CPU), "");
  assertEquals(folderOf("wasm", { backend: "wasm", device: "CPU" }), "wasm-cpu");
  assertEquals(folderOf("auto", { backend: "tensorflow", device: "GPU" }), "tensorflow-gpu");
  assertEquals(folderOf("webgpu", H100), "webgpu-nvidia-h100-80gb-hbm3");
  assertEquals(folderOf("webgpu", LLVMPIPE), "webgpu-llvmpipe-llvm-15");
});

Deno.test("peersOn() has PyTorch without TF32 as well where it takes that by default", () => {
  const { peers } = PLANS.find((plan) => plan.case === "step")!;
  const variants = (info: { torch_device?: string; tf32?: boolean }) =>
    peersOn(peers, { versions: {}, ...info }).map(({ variant }) => variant);
  assertEquals(variants({}), ["default", "channels_last", "compile", "compile_channels_last"]);
  assertEquals(variants({ torch_device: "cpu", tf32: false }), variants({}));
  assertEquals(variants({ torch_device: "cuda:0", tf32: true }), [
    "default",
    "no_tf32",
    "channels_last",
    "compile",
  ]);
  assertEquals(variants({ torch_device: "mps" }), ["default", "channels_last", "compile"]);
});

Deno.test("renderPage() of a graphics adapter names both devices, and has no targets of the CPU's", () => {
  const timed = { ...comparison("alexnet", timings(1), timings(2)), imagesPerUnit: 32 };
  const found = { ...results({ comparisons: [timed] }), ours: H100 };
  const peer = { backend: "torch", device: H100.device };
  const machine = { ...found.machine, adapter: { limits: { maxBufferSize: 1 } } };
  const page = renderPage({ ...found, machine, peer });
  assertEquals(page.includes("- Machine: processor abacus; 2 threads for PyTorch\n"), true);
  assertEquals(page.split("\n")[0], "# Bench: webgpu on NVIDIA H100 80GB HBM3 (NVIDIA)");
  assertEquals(page.includes("- Peer: PyTorch on NVIDIA H100 80GB HBM3\n"), true);
  assertEquals(page.includes("| 10.0 steps/s, 320 images/s |"), true);
  const slow = { ...comparison("alexnet", timings(100), timings(200)), imagesPerUnit: 32 };
  const slowPage = renderPage({ ...found, machine, peer, comparisons: [slow] });
  assertEquals(slowPage.includes("| 10.0 s a step, 3.2 images/s |"), true);
  assertEquals(page.includes("## Targets"), false);
  assertEquals(page.includes("**"), false);
  assertEquals(judgeTargets({ ...found, peer }), []);

  const onCpu = renderPage({ ...found, peer: { backend: "torch", device: "CPU", note: "no GPU" } });
  assertEquals(onCpu.includes("- Peer: PyTorch on the CPU: no GPU\n"), true);
  assertEquals(onCpu.includes("**PyTorch cannot use this adapter here"), true);
  const software = renderPage({
    ...found,
    ours: LLVMPIPE,
    peer: { backend: "torch", device: "CPU" },
  });
  assertEquals(software.includes("say nothing about graphics hardware"), true);
});

function side(log: string[], label: string, run: () => Timing): Side {
  return {
    label,
    precision: "float32",
    run: () => {
      log.push(label);
      return Promise.resolve(run());
    },
  };
}

const PLAN = { case: "step", title: "Steps", unit: "step" } as const;
const options = (pairs: number) => ({
  pairs,
  reporter: silentReporter,
  signal: new AbortController().signal,
  restMs: 1,
});

Deno.test("timeInTurn() keeps what each side computed with", async () => {
  const run = () => Promise.resolve({ units: 1, seconds: 1 });
  const on = { backend: "torch", device: H100.device };
  const result = await timeInTurn({
    ...PLAN,
    ours: { label: "ours, webgpu", precision: "float32", on: H100, run },
    theirs: { label: "PyTorch", precision: "float32", on, run },
  }, options(1));
  assertEquals([result.ours.on, result.theirs.on], [H100, on]);
});

Deno.test("timeInTurn() warms up, then alternates", async () => {
  const log: string[] = [];
  const result = await timeInTurn({
    ...PLAN,
    ours: side(log, "ours", () => ({ units: 4, seconds: 1 })),
    theirs: side(log, "theirs", () => ({ units: 1, seconds: 0.5 })),
  }, options(2));
  assertEquals(log, ["ours", "theirs", "ours", "theirs", "ours", "theirs"]);
  assertEquals(result.ours.timings.length, 2);
  assertEquals(ratios(result), [2, 2]);
  assertEquals(
    summary(result),
    "Steps, ours / theirs: 2.00 (2.00 to 2.00) times as fast (n = 2; 4.00 steps/s / " +
      "2.00 steps/s)",
  );
});

Deno.test("timeInTurn() times ours alone where there is no peer", async () => {
  const log: string[] = [];
  const result = await timeInTurn({
    ...PLAN,
    ours: side(log, "ours", () => ({ units: 4, seconds: 1 })),
    theirs: { label: "PyTorch", precision: "float32", missing: "pip install torch" },
  }, options(2));
  assertEquals(log, ["ours", "ours", "ours"]);
  assertEquals(result.ours.timings.length, 2);
  assertEquals(summary(result), "Steps, ours: 4.00 steps/s; no peer: pip install torch");
});

/** Steps of both, of which one fails when it is called for the nth time. */
function failing(nth: Partial<Record<"ours" | "compiled", number>>) {
  const calls = { ours: 0, compiled: 0 };
  const failingSide = (label: keyof typeof calls) =>
    side([], label, () => {
      if (++calls[label] === nth[label]) throw new StudyError("no compiler");
      return { units: calls[label], seconds: 1 };
    });
  return { ...PLAN, ours: failingSide("ours"), theirs: failingSide("compiled") };
}

Deno.test("timeInTurn() keeps whole pairs and no half ones of a side that fails, and says why", async () => {
  const units = ({ timings }: PairedTiming["ours"]) => timings.map(({ units }) => units);
  for (const nth of [{ compiled: 4 }, { ours: 4 }]) {
    const result = await timeInTurn(failing(nth), options(4));
    // The first call of each warms up.
    assertEquals([units(result.ours), units(result.theirs)], [[2, 3], [2, 3]]);
    assertEquals(result.note, "2 of 4 pairs: no compiler");
    assertStringIncludes(summary(result), "(n = 2;");
  }
});

Deno.test("timeInTurn() keeps ours of the first pair where the peer fails, and nothing where ours does", async () => {
  const peerFails = await timeInTurn(failing({ compiled: 2 }), options(4));
  assertEquals([peerFails.ours.timings.length, peerFails.theirs.timings], [1, []]);
  assertEquals(summary(peerFails), "Steps, ours: 2.00 steps/s; no peer: no compiler");
  for (const nth of [{ ours: 2 }, { compiled: 1 }, { ours: 1 }]) {
    const result = await timeInTurn(failing(nth), options(4));
    assertEquals([result.ours.timings, result.theirs.timings], [[], []]);
    assertEquals(summary(result), "Steps, ours / compiled: not measured: no compiler");
  }
});

Deno.test("timeInTurn() hands over what is known so far, for the results to outlast an interruption", async () => {
  const log: string[] = [];
  const found: PairedTiming[] = [];
  const kept: string[] = [];
  const plan = {
    ...PLAN,
    ours: side(log, "ours", () => ({ units: 4, seconds: 1 })),
    theirs: side(log, "theirs", () => ({ units: 2, seconds: 1 })),
  };
  const result = await timeInTurn(plan, {
    ...options(3),
    keep: (soFar) => {
      insertFinding(found, soFar);
      kept.push(`${log.length}: ${soFar.ours.timings.length}/${soFar.theirs.timings.length}`);
      return Promise.resolve();
    },
  });
  // Both have warmed up first.
  assertEquals(kept, ["3: 1/0", "4: 1/1", "6: 2/2"]);
  assertEquals(found.map(({ note }) => note), [undefined]);
  insertFinding(found, result);
  assertEquals(found, [result]);
  assertEquals(result.ours.timings.length, 3);

  const alone: PairedTiming[] = [];
  const stop = new AbortController();
  const keep = (soFar: PairedTiming) => {
    alone.push(soFar);
    stop.abort();
    return Promise.resolve();
  };
  await assertRejects(
    () => timeInTurn(plan, { ...options(2), signal: stop.signal, keep }),
    InterruptedError,
  );
  assertEquals(alone.map(summary), ["Steps, ours: 4.00 steps/s; no peer: theirs: not reached"]);
});

Deno.test("timeInTurn() stops when aborted", async () => {
  const ours = side([], "ours", () => ({ units: 4, seconds: 1 }));
  const aborted = { ...options(2), signal: AbortSignal.abort() };
  await assertRejects(
    () => timeInTurn({ ...PLAN, ours, theirs: ours }, aborted),
    InterruptedError,
  );
});

const GROWN = { case: "growth" } as const;

/** Samples of growth: memory stands still, handles are those of each step. */
function sampledTo(end: number, handlesAt: (step: number) => number = () => 40) {
  return Array.from({ length: end / 50 }, (_, i) => 50 * (i + 1))
    .map((step) => ({ step, handles: handlesAt(step), rss: 1e9 }));
}

Deno.test("judgeTargets() sets what was measured beside every target", () => {
  const found = judgeTargets(results({
    comparisons: [
      comparison("step", timings(1, 1, 1, 1, 1), timings(1.5, 1.7, 1.8, 1.6, 1.9)),
      // Slower variants of the peer do not count for the target.
      comparison("step", timings(1), timings(9)),
      comparison("inference", timings(1, 1), timings(2, 2)),
      { ...comparison("launch", [{ units: 1, seconds: 1.2 }], []), note: "pip install torch" },
    ],
    measures: [
      { case: "memory", title: "Peak", unit: "", value: null, note: "no /proc" },
      { ...GROWN, title: "Handles", unit: "handles", value: 0, samples: sampledTo(1_000) },
      { ...GROWN, title: "Memory", unit: "%", value: 1.25, samples: sampledTo(10_000) },
    ],
  }));
  const brief = found.map(({ measured, verdict, note }) => [verdict, measured, note]);
  assertEquals(brief, [
    ["met", "1.70 (1.50 to 1.90)", ""],
    ["not measured", "", "not asked for: --cases step-bf16, or --full"],
    ["not measured", "", "not asked for: --cases step-bf16, or --full"],
    ["not measured", "", "not asked for: --cases step-bf16, or --full"],
    ["not measured", "", "not asked for: --cases step,limit, or --full"],
    ["not met", "2.00 (2.00 to 2.00)", "n = 2, fewer than 5 pairs"],
    ["not measured", "", "not asked for: --cases part1, or --full"],
    ["met", "1.20 s", "n = 1, fewer than 5 pairs"],
    ["not measured", "", "no /proc"],
    ...["memory-detector", "memory-alexnet", "memory-vgg16"].map((name) => {
      return ["not measured", "", `not asked for: --cases ${name}, or --full`];
    }),
    ["not measured", "", "shortened to step 1,000; --cases growth goes to step 10,000"],
    ["not met", "1.25 %", "from step 50 on it stays within 0.1 %"],
    ...[
      "scaling",
      "vgg16",
      "vgg16",
      "vgg16-bf16",
      "alexnet",
      "alexnet",
      "alexnet-classifier",
      "vgg16-classifier",
      "alexnet,alexnet-classifier",
      "part4-alexnet",
      "vgg16-bf16,vgg16-classifier",
      "part4-vgg16",
      "detector",
      "detector-bf16",
      "detector-batch",
      "mapping",
      "step-wasm",
      "recipes",
      "recipes",
      "recipes",
      "recipes",
    ].map((cases) => ["not measured", "", `not asked for: --cases ${cases}, or --full`]),
  ]);
});

Deno.test("stillFrom() passes over single samples", () => {
  const samples = [1000, 1010, 1020, 1020, 1020, 1020, 1030, 1020, 1020.5, 1020]
    .map((rss, index) => ({ step: 1_000 * (index + 1), handles: 1, rss }));
  assertEquals(stillFrom(samples, 0.001), 5_000);
  assertEquals(stillFrom(samples, 0.1), 1_000);
  assertEquals(stillFrom(samples.slice(0, 1), 0.001), 1_000);
  const measures = [{ case: "growth", title: "Memory", unit: "%", value: 2, samples }] as const;
  assertEquals(
    judgeTargets(results({ measures: [...measures] }))
      .find(({ what }) => what.startsWith("growth of resident memory from step"))!.note,
    "from step 5,000 on it stays within 0.1 %",
  );
});

/** How handles are judged that are so many at each step. */
function judgedHandles(handlesAt: (step: number) => number, end = 10_000) {
  const samples = sampledTo(end, handlesAt);
  const change = samples.at(-1)!.handles - sampleAt(samples, 1_000).handles;
  const found = { ...GROWN, title: "Handles", unit: "handles", value: change, samples };
  const { measured, verdict } = judgeTargets(results({ measures: [found] }))
    .find(({ what }) => what.includes("live handles"))!;
  return [verdict, measured];
}

Deno.test("handles have grown by their trend, not by which of them happen to be sampled last", () => {
  // As they swing: from one sample to the next, and over some thousand steps.
  const swing = (step: number) => step % 100 / 50 * 16 + Math.round(4 * Math.sin(step / 400));
  assertEquals(judgedHandles((step) => 30 + swing(step))[0], "met");
  assertEquals(judgedHandles((step) => 30 + swing(step) + (step === 10_000 ? 20 : 0))[0], "met");
  // One of 500 steps.
  assertEquals(judgedHandles((step) => 30 + swing(step) + step / 500)[0], "not met");
  assertEquals(judgedHandles(() => 37), ["met", "0.0 to 0.0"]);
  // A leak that begins late, beside which no line is certain to rise.
  assertEquals(judgedHandles((step) => 37 + Math.max(0, step - 9_000))[0], "not met");
  const each = { low: 9_000, high: 9_000 };
  const { low, high } = handleGrowth(sampledTo(10_000, (step) => step), GROWTH_SPANS.full);
  assertAlmostEquals(low, each.low, 1e-6);
  assertAlmostEquals(high, each.high, 1e-6);
  assertEquals(judgedHandles(() => 37, 1_000), ["not measured", ""]);
});

Deno.test("handleGrowth() equals scipy's linregress over the means of 1,000 steps", () => {
  const samples = sampledTo(10_000, (step) => (step * step / 5_000) % 17);
  const { low, high } = handleGrowth(samples, GROWTH_SPANS.full);
  assertAlmostEquals(low, -4.3728654167446575, 1e-6);
  assertAlmostEquals(high, 6.412865416744657, 1e-6);
});

Deno.test("judgeTargets() says what the machine's limit would allow where a speed-up is missed", () => {
  const limit = limitTimings({
    ...comparison("limit", timings(1), timings(1.25)),
    gflopPerUnit: 20,
  });
  const flop = { gflopPerUnit: 30 };
  const missed = { ...comparison("step", timings(4), timings(5)), ...flop };
  const met = { ...comparison("inference", timings(2), timings(6)), ...flop };
  const found = judgeTargets(results({ comparisons: [...limit, missed, met] }));
  // The limit is 200 GFLOP/s, PyTorch's step 60.
  assertEquals(
    found.find(({ what }) => what.includes("fp32: ours / PyTorch default"))!.note,
    "n = 1, fewer than 5 pairs; would be 3.33 if ours ran at the machine's limit",
  );
  // With a quarter of the multiplications it can be beyond the limit.
  const beyond = { ...comparison("detector", timings(4), timings(5)), gflopPerUnit: 1000 };
  assertEquals(
    judgeTargets(results({ comparisons: [...limit, beyond] }))
      .find(({ what }) => what.includes("one image"))!.note,
    "n = 1, fewer than 5 pairs",
  );
  assertEquals(
    found.find(({ what }) => what.startsWith("inference"))!.note,
    "n = 1, fewer than 5 pairs",
  );
});

Deno.test("leastSpeedUp() takes the peer of the same number format that ours gains least on", () => {
  const bf16 = (label: string, seconds: number) => {
    const timing = comparison("step-bf16", timings(1), timings(seconds));
    const [ours, theirs] = [timing.ours, timing.theirs]
      .map((side) => ({ ...side, precision: "bfloat16" as const }));
    return { ...timing, ours: ours!, theirs: { ...theirs!, label } };
  };
  const fp32 = bf16("fp32", 0.5);
  fp32.theirs = { ...fp32.theirs, precision: "float32" as "bfloat16" };
  const comparisons = [bf16("slow", 3), bf16("fast", 1.3), bf16("middling", 2), fp32];
  const found = leastSpeedUp(results({ comparisons }), "step-bf16");
  assertAlmostEquals(found!.value, 1.3);
  assertEquals(found!.note, "fast; n = 1, fewer than 5 pairs");
  assertEquals(leastSpeedUp(results(), "step-bf16"), undefined);
});

Deno.test("leastSpeedUp() goes by pairs, not by which peer is fastest alone", () => {
  const beside = (label: string, ours: Timing[], theirs: Timing[]) => {
    const timing = comparison("step", ours, theirs);
    return { ...timing, theirs: { ...timing.theirs, label } };
  };
  const comparisons = [
    beside("fastest", timings(1, 1, 1), timings(2, 2, 2)),
    beside("least", timings(2, 2, 2), timings(3, 3, 3)),
  ];
  const found = leastSpeedUp(results({ comparisons }), "step");
  assertAlmostEquals(found!.value, 1.5);
  assertEquals(found!.note, "least; n = 3, fewer than 5 pairs");
});

Deno.test("judgeTargets() rounds no value across its target", () => {
  const measured = (theirs: number) => {
    const comparisons = [comparison("step", timings(1, 1, 1), timings(1, theirs, 2))];
    const [step] = judgeTargets(results({ comparisons }));
    return [step!.measured, step!.verdict];
  };
  assertEquals(measured(1.5996), ["1.5996 (1.00 to 2.00)", "not met"]);
  assertEquals(measured(1.5961), ["1.596 (1.00 to 2.00)", "not met"]);
  assertEquals(measured(1.6004), ["1.60 (1.00 to 2.00)", "met"]);
  assertEquals(measured(1.5), ["1.50 (1.00 to 2.00)", "not met"]);
  const limit = (share: number) => {
    const one = { ...comparison("limit", timings(1), timings(2)), gflopPerUnit: 1000 };
    const all = limitTimings(one);
    const step = { ...comparison("step", timings(1), timings(2)), gflopPerUnit: share };
    const found = judgeTargets(results({ comparisons: [...all, step] }));
    return found.find(({ target }) => target === "≥ 80 %")!.measured;
  };
  assertEquals([limit(796), limit(804), limit(500)], ["79.6 %", "80 %", "50 %"]);
});

Deno.test("shareOfLimit() sets a step beside the fastest product of either side", () => {
  const limit = limitTimings({
    ...comparison("limit", timings(1, 2), timings(4)),
    gflopPerUnit: 20,
  });
  const step = { ...comparison("step", timings(2, 2, 2), timings(1)), gflopPerUnit: 30 };
  const found = shareOfLimit(results({ comparisons: [step, ...limit] }), "step");
  assertAlmostEquals(found!.value, 75);
  assertEquals(found!.text, "75 %");
  assertEquals(shareOfLimit(results({ comparisons: [step] }), "step"), undefined);
});

const ALEXNET_CASES = {
  whole: "part4-alexnet",
  features: "alexnet",
  step: "alexnet-classifier",
} as const;

Deno.test("wholeSpeedUp() extends measured rates to 60,000 images and 8 epochs", () => {
  // 10 units in so many seconds: ours 0.1 s a batch of features and 0.1 s a step, theirs 0.2 and 0.3.
  const rates = [
    comparison("alexnet", timings(1), timings(2)),
    comparison("alexnet-classifier", timings(1), timings(3)),
  ];
  const found = wholeSpeedUp(results({ comparisons: rates }), ALEXNET_CASES);
  const ours = 0.1 * (70_000 / 32 + 8 * 1875);
  const theirs = 0.2 * (490_000 / 32) + 0.3 * (8 * 1875);
  assertAlmostEquals(found!.value, theirs / ours);
  assertEquals(found!.atLimit, undefined);
  const once = 0.2 * (70_000 / 32) + 0.3 * (8 * 1875);
  assertStringIncludes(
    found!.note!,
    `; would be ${(once / ours).toFixed(2)} if PyTorch also computed features only once`,
  );
  // What was run needs no estimate.
  const timed = { ...comparison("part4-alexnet", timings(1), timings(4)) };
  const run = { ...timed, theirs: { ...timed.theirs, label: FEATURES_ONCE_LABEL } };
  const beside = wholeSpeedUp(results({ comparisons: [...rates, run] }), ALEXNET_CASES);
  assert(!beside!.note!.includes("features only once"));
  assertEquals(wholeSpeedUp(results(), ALEXNET_CASES), undefined);
});

Deno.test("the detector's batch is judged with what other calls of PyTorch's would make of it", () => {
  const batch = (label: string, seconds: number, n = 5) => {
    const each = (s: number) => timings(...Array(n).fill(10 * s));
    const timed = comparison("detector-batch", each(18), each(seconds));
    return { ...timed, theirs: { ...timed.theirs, label } };
  };
  const one = comparison("detector", timings(...Array(5).fill(6)), timings(...Array(5).fill(13.5)));
  const noteOf = (comparisons: PairedTiming[]) =>
    judgeTargets(results({ comparisons })).find(({ what }) => what.includes("batch of 32"))!.note;
  const rows = [one, batch("PyTorch default", 63), batch("PyTorch, calls of 2 images", 45)];
  // 32 calls of 1.35 s beside 18 s.
  assertEquals(
    noteOf(rows),
    "2.50 (2.50 to 2.50) beside PyTorch, calls of 2 images; 32 calls of one image, not timed here, " +
      "would take PyTorch 43.2 s by the row of one image, and the ratio would be 2.40",
  );
  assertEquals(
    noteOf([...rows, batch(SINGLE_CALLS.label, 36)]),
    "2.00 (2.00 to 2.00) beside PyTorch, calls of one image",
  );
  assertEquals(noteOf(rows.slice(1, 2)), "");
});

Deno.test("wholeSpeedUp() says what the limits of processor and memory would allow", () => {
  // 10 units in so many seconds: limits of 200 GFLOP/s and 40 GB/s.
  const found = wholeSpeedUp(
    results({
      comparisons: [
        ...limitTimings({ ...comparison("limit", timings(1), timings(2)), gflopPerUnit: 20 }),
        ...limitTimings({ ...comparison("limit", timings(2), timings(1)), gbytePerUnit: 4 }),
        { ...comparison("alexnet", timings(1), timings(2)), gflopPerUnit: 10 },
        { ...comparison("alexnet-classifier", timings(1), timings(3)), gbytePerUnit: 1 },
      ],
    }),
    ALEXNET_CASES,
  );
  const least = 10 / 200 * (70_000 / 32) + 1 / 40 * (8 * 1875);
  const theirs = 0.2 * (490_000 / 32) + 0.3 * (8 * 1875);
  assertAlmostEquals(found!.atLimit!, theirs / least);
});

Deno.test("a part 4 that was run is judged by the pace of the images that the larger set has more", () => {
  const sizes = [100, 300] as const;
  assertEquals(paceOf(sizes, [20, 40]), { units: 200, seconds: 20 });
  assertMatch(
    describePace(sizes, [20, 40], { train: 600, test: 100 }),
    /^on 100 and 300 training images \(with 17 and 50 test images\) took .* 0\.200 s per image of the smaller set, 0\.100 s per image added$/,
  );
  assertEquals(extended(sizes, [20, 40], 1000), { units: 1000, seconds: 110 });
  const timing = {
    ...comparison("part4-alexnet", [{ units: 600, seconds: 6 }], [paceOf(sizes, [20, 40])]),
    note: "how",
  };
  const found = judgeTargets(results({ comparisons: [timing] }));
  const { measured, verdict, note } = found.find(({ what }) => what.includes("AlexNet, measured"))!;
  assertEquals([measured, verdict, note], ["10.00", "met", "n = 1, fewer than 5 pairs; how"]);
});

Deno.test("a page says how far the pace of the images added is from the smaller set's, and what is extrapolated", () => {
  const all = { train: 600, test: 100 };
  const half = `ours ${describePace([100, 300], [20, 40], all)}, by which it is extrapolated`;
  const same = describePace([100, 300], [20, 60], all);
  const more = describePace([100, 300], [20, 65], all);
  assertStringIncludes(withPaceChange(half), "0.100 s per image added (50 % less), by which");
  assertStringIncludes(withPaceChange(same), "0.200 s per image added (no less)");
  assertMatch(withPaceChange(`${half}; ${more}`), / \(50 % less\).* 0\.225 s .* \(13 % more\)$/);
  assertEquals(withPaceChange("60000 images"), "60000 images");

  const timing = {
    ...comparison("part4-vgg16", [{ units: 600, seconds: 6 }], [{ units: 200, seconds: 20 }]),
    note: half,
  };
  const found = results({ comparisons: [timing] });
  const judged = judgeTargets(found).filter(({ what }) => what.startsWith("part 4 as a whole"));
  assertEquals(judged.map(({ what }) => /, (\w+)[^,]*: /.exec(what)![1]), [
    ...["estimated", "measured", "estimated", "extrapolated"],
  ]);
  assertStringIncludes(judged.at(-1)!.note, "added (50 % less)");
  assertStringIncludes(renderPairedTimings(found), "added (50 % less)");
});

Deno.test("judgeTargets() says what a missed target waits for, where that was measured", () => {
  const whole = comparison("part4-alexnet", [{ units: 60_000, seconds: 3000 }], [
    { units: 60_000, seconds: 12_000 },
  ]);
  const found = judgeTargets(results({
    comparisons: [
      ...limitTimings({ ...comparison("limit", timings(1), timings(1)), gflopPerUnit: 20 }),
      comparison("step", timings(2), timings(3)),
      comparison("part1", timings(2), timings(4)),
      comparison("alexnet-classifier", timings(1.5), timings(4.5)),
      whole,
    ],
    measures: [{
      ...{ case: "profile", title: "Step", unit: "ms", value: 50, precision: "float32" },
      kernels: [
        { what: "convolution", calls: 2, ms: 30, gflop: 2 },
        { what: "product", calls: 1, ms: 10, gflop: 2 },
        { what: "pooling", calls: 1, ms: 5 },
      ],
    }],
  }));
  const noteOf = (what: string) => found.find((one) => one.what.includes(what))!.note;
  const few = "n = 1, fewer than 5 pairs";
  // 6 GFLOP in 40 ms are 150 GFLOP/s, of 200.
  assertEquals(
    noteOf("fp32: ours / PyTorch default"),
    `${few}; convolutions and matrix products take 80 % of the step and run at 75 % of the limit ` +
      "(see where its time goes, below)",
  );
  assertEquals(
    noteOf("part 1 whole"),
    `${few}; most of it is training, whose step is 1.50 times as fast`,
  );
  // 15,000 steps of 0.15 s.
  assertEquals(
    noteOf("AlexNet, measured"),
    `${few}; 15,000 steps of the classifier, each 3.00 times as fast as PyTorch's, are about 75 % of our time`,
  );
});

Deno.test("a whole run of part 4 is in float32 where there is no bfloat16", () => {
  const chosen = (precisions: Precision[], wanted: Precision) =>
    precisionOf({ precisions }, wanted);
  assertEquals(chosen(["float32", "bfloat16"], "bfloat16"), "bfloat16");
  assertEquals(chosen(["float32", "bfloat16"], "float32"), "float32");
  assertEquals(chosen(["float32"], "bfloat16"), "float32");
});

Deno.test("PyTorch's side of part 4 computes on the device that it is recorded with", async () => {
  const context = {
    ...benchContext({ train: 60_000, test: 10_000 }),
    peer: { torchDevice: "cuda:0", on: { backend: "torch", device: H100.device } },
  };
  const places = { folder: "out", idx: "idx", missing: undefined };
  const devices: string[] = [];
  await measurePart4(context, "part4-alexnet", places, ({ args }) => {
    if (args.includes("bench/reference/study_part4.py")) {
      devices.push(args[args.indexOf("--device") + 1]!);
      assert(args.includes("--tf32"), "timed with TF32 as PyTorch's defaults have it");
    }
    return Promise.resolve({ units: 1, seconds: 1 + devices.length });
  });
  assertEquals(devices, ["cuda:0", "cuda:0", "cuda:0", "cuda:0"]);
  assertEquals(context.found.at(-1)!.theirs.on?.device, H100.device);
});

Deno.test("TRANSFER_CASES are the peer's, in its words", async () => {
  const peer = await Deno.readTextFile(
    join(import.meta.dirname!, "../../bench/reference/transfer.py"),
  );
  const [, list = ""] = /^CASES = \(\n([^)]*)\)/m.exec(peer) ?? [];
  assertEquals([...list.matchAll(/"(\w+)"/g)].map(([, name]) => name), [...TRANSFER_CASES]);
});

Deno.test("the peers in Python train with the study's settings", async () => {
  const scripts: [file: string, training: TrainingSettings][] = [
    ["peer.py", SIMPLE_CNN.training],
    ["study_part1.py", SIMPLE_CNN.training],
    ["transfer.py", VGG16.training],
    ["study_part4.py", VGG16.training],
  ];
  for (const [file, { epochs, batchSize, learningRate, weightDecay }] of scripts) {
    const source = await Deno.readTextFile(
      join(import.meta.dirname!, "../../bench/reference", file),
    );
    const value = (name: string) => Number(source.match(new RegExp(`^${name} = (.+)$`, "m"))?.[1]);
    assertEquals(value("BATCH_SIZE"), batchSize, file);
    assertEquals(value("LEARNING_RATE"), learningRate, file);
    assertEquals(value("WEIGHT_DECAY"), weightDecay, file);
    const [, passes] = source.match(/"--epochs", .*default=(\d+)/) ?? [];
    if (passes !== undefined) assertEquals(Number(passes), epochs, file);
  }
});

Deno.test("PyTorch's random features are scaled as ours are", async () => {
  const source = await Deno.readTextFile(
    join(import.meta.dirname!, "../../bench/reference/study_part4.py"),
  );
  const [, scales = ""] = source.match(/^RANDOM_FEATURE_SCALE = (.+)$/m) ?? [];
  assertEquals(JSON.parse(scales), {
    vgg16: VGG16_ARCHITECTURE.randomFeatureScale,
    alexnet: ALEXNET_ARCHITECTURE.randomFeatureScale,
  });
  assertStringIncludes(source, "draw_features(model, RANDOM_FEATURE_SCALE[name])");
  assertStringIncludes(source, "convolutions[-1].weight.mul_(scale)");
});

Deno.test("PyTorch's detector takes the epsilon of an exported file, and 0 with COCO weights by path", async () => {
  const source = await Deno.readTextFile(
    join(import.meta.dirname!, "../../bench/reference/study_part2.py"),
  );
  const notes = exportNotes({
    ...{ name: "a", run: undefined },
    detection: { normalises: true, batchNormEpsilon: 0 },
  });
  assertStringIncludes(source, `notes.get("exported_by") == "${notes.exported_by}"`);
  const [, name = ""] = source.match(/epsilon = notes_of\(path\)\.get\("(.+)"\)/) ?? [];
  assertEquals(notes[name], "0");
  assertStringIncludes(source, `COCO_V1_SHA256 = "${FASTER_RCNN_WEIGHTS.sha256Prefix}"`);
  assertStringIncludes(source, "set_epsilon(model, 0.0)");
});

Deno.test("what is run for its memory are command lines that the parts take", async () => {
  await withFolder({}, async (folder) => {
    const context = { data: "auto", backend: "auto", threads: 2, engineFlags: [] } as const;
    for (const name of MEMORY_CASES) {
      // A dry run refuses what the processor has not.
      if (name === "memory-vgg16" && bfloat16Problem("CPU") !== undefined) continue;
      const { command, args } = memoryRun(context, name, { folder, cache: cacheDir() });
      // An engine, which a dry run measures for seconds, has a say in the precision alone.
      const withoutEngine = { PATH: folder, LIBTENSORFLOW_PATH: "", MNIST_STUDY_CACHE: folder };
      const { code, stdout, stderr } = await new Deno.Command(command, {
        args: [...args, "--dry-run"],
        cwd: repositoryRoot(),
        env: { NO_COLOR: "1", ...(!args.includes("--precision") && withoutEngine) },
      }).output();
      assertEquals(code, 0, `${name}: ${new TextDecoder().decode(stderr)}`);
      assertStringIncludes(new TextDecoder().decode(stdout), "Dry run: nothing is trained");
    }
    // Nothing was run.
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});

Deno.test("our side has the threads that it is given, as PyTorch has", async () => {
  const settings = { data: "mnist", backend: "auto", threads: 3, engineFlags: [] } as const;
  const { args } = partProgram(settings, 4, ["--epochs", "1"], "out");
  assertEquals(args[args.indexOf("--threads") + 1], "3");
  // What TensorFlow would take by itself.
  const env = { TF_NUM_INTRAOP_THREADS: "1" };
  const threadsOf = async (backend: "tensorflow" | "wasm", threads: number) => {
    const worker = await startOurs({ ...settings, threads }, "float32", { backend, env });
    await worker.stop();
    const { machine } = worker.info;
    return [machine?.threads, threadsNote(worker.info, threads)];
  };
  assertEquals(await threadsOf("tensorflow", 3), [3, undefined]);
  assertEquals(await threadsOf("wasm", 3), [3, undefined]);
  assertEquals(await threadsOf("wasm", 12), [8, "threads of ours: 8, of the peer: 12"]);
  const onAdapter = { on: H100, machine: { threads: 1 } };
  assertEquals(threadsNote(onAdapter, 16), undefined);
});

Deno.test("renderPage() says of both sides what threads they have, where these are not the same", () => {
  const machine = (threads: number) => renderPage(results({ machine: { threads }, threads: 12 }));
  assertStringIncludes(machine(12), "- Machine: threads 12; 12 threads on each side\n");
  assertStringIncludes(machine(8), "- Machine: threads 8; 12 threads for PyTorch\n");
});

Deno.test("measureMapping() times 10,000 images", () => {
  const { value, samples } = measureMapping();
  assertEquals(samples?.length, 5);
  assertEquals(value! > 0, true);
});

Deno.test("judgeTargets() takes no shortened part 1 for the whole of it, and says where it has no peer", () => {
  const settings = { ...results().settings, cases: ["step", "part1"] as const, epochs: 2 };
  const pairs = {
    ...comparison("part1", timings(1, 1, 1, 1, 1), timings(3, 3, 3, 3, 3)),
    note: "--epochs 2 instead of 10",
  };
  const alone = { ...comparison("step", timings(1), []), note: "pip install torch" };
  const found = judgeTargets(results({ settings, comparisons: [alone, pairs] }));
  assertEquals(found[0]!.verdict, "not measured");
  assertEquals(found[0]!.note, "pip install torch");
  const part1 = found.find(({ what }) => what.startsWith("part 1 whole"));
  assertEquals([part1?.verdict, part1?.measured], ["not measured", ""]);
  assertEquals(part1?.note, "shortened to --epochs 2; --cases part1 has the study's 10");
  // Of an earlier run, whose settings count then.
  const earlier = [{ ...results(), settings: { ...settings, epochs: 10 } }];
  const of = earlier[0]!.started_at;
  const now = results({ settings, earlier, comparisons: [{ ...pairs, of }] });
  const whole = judgeTargets({ ...now, started_at: "2026-01-02" })
    .find(({ what }) => what.startsWith("part 1 whole"));
  assertEquals([whole?.verdict, whole?.note], ["met", "--epochs 2 instead of 10"]);
});

Deno.test("renderPairedTimings() shows paces, ratio and what is missing", () => {
  const page = renderPairedTimings(results({
    comparisons: [
      comparison("step", timings(1, 2), timings(2, 2)),
      { ...comparison("inference", timings(1), []), note: "no | torch" },
    ],
  }));
  assertEquals(page.split("\n").slice(2, 4), [
    "| Made-up step | 7.50 steps/s | PyTorch default | 5.00 steps/s | 1.50 (1.00 to 2.00) | 2 |  |",
    "| Made-up inference | 10.0 steps/s | PyTorch default |  | not measured | 1 | no \\| torch |",
  ]);
});

Deno.test("renderLimits() compares with the fastest product or convolution of either side", () => {
  const limit = limitTimings({
    ...comparison("limit", timings(1, 1, 4), timings(2, 2, 0.5)),
    gflopPerUnit: 20,
  });
  const titles = limit.map(({ title }) => title);
  const step = { ...comparison("step", timings(1), timings(4)), gflopPerUnit: 10 };
  // The same of ours once more, beside another variant of the peer: one row is enough.
  const again = { ...step, theirs: { ...step.theirs, label: "PyTorch compiled" } };
  const page = renderLimits(results({ comparisons: [step, again, ...limit] }));
  assertEquals(page.split("\n").slice(2), [
    "| Made-up step | ours | float32 | 100 | 25 % |",
    "| Made-up step | PyTorch default | float32 | 25 | 6 % |",
    "| Made-up step | PyTorch compiled | float32 | 25 | 6 % |",
    ...titles.flatMap((title) => [
      `| ${title} | ours | float32 | 200 | 50 % |`,
      `| ${title} | PyTorch default | float32 | 100 | 25 % |`,
    ]),
    "",
  ]);
  assertEquals(renderLimits(results()), "Not measured.\n");
  assertEquals(renderMemoryLimits(results({ comparisons: [step, ...limit] })), []);
  const [update] = limitTimings({
    ...comparison("limit", timings(2), timings(1)),
    gbytePerUnit: 4,
  });
  const linear = { ...comparison("alexnet-classifier", timings(1), []), gbytePerUnit: 1 };
  const [, memory] = renderMemoryLimits(results({ comparisons: [update!, linear] }));
  assertEquals(memory!.split("\n").slice(2), [
    `| ${update!.title} | ours | 20.0 | 50 % |`,
    `| ${update!.title} | PyTorch default | 40.0 | 100 % |`,
    "| Made-up alexnet-classifier | ours | 10.0 | 25 % |",
    "",
  ]);
});

Deno.test("renderPage() holds machine, targets and tables", () => {
  const page = renderPage(results({ comparisons: [comparison("step", timings(1), timings(2))] }));
  assertEquals(page.includes("processor abacus; 2 threads on each side"), true);
  assertEquals(page.includes(renderTargets(results())), false);
  assertEquals(page.match(/^\| .* \| not measured \| /gm)?.length, 34);
  assertEquals(page.match(/^## /gm)?.length, 4);
  assertEquals(page.includes("The machine was busy"), false);
  assertEquals(renderPage(results({ load_average: 3 })).includes("The machine was busy"), true);
  const cases: CaseName[] = ["memory", "memory-vgg16", "growth"];
  const untimed = results({ load_average: 3, settings: { ...results().settings, cases } });
  assertEquals(renderPage(untimed).includes("The machine was busy"), false);
  const many = { load_average: 3, threads: 16 };
  assertEquals(renderPage(results(many)).includes("The machine was busy"), false);
});

/** `bench --render` as users start it. */
async function render(folder: string): Promise<{ code: number; stderr: string }> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArgs("bench"), "--render", "--out", folder],
    cwd: repositoryRoot(),
    env: { NO_COLOR: "1" },
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

Deno.test("every committed bench.md is what --render makes of the findings beside it", async () => {
  const committed = join(repositoryRoot(), REFERENCE_RESULTS, "bench");
  // A folder with a date in its name keeps the page of that day, in its words.
  const pages = filesIn(committed)
    .filter((path) => basename(path) === "bench.md" && !/-\d{4}-\d\d-\d\d$/.test(dirname(path)));
  assertEquals(pages.length, 6);
  await withFolder({}, async (copies) => {
    for (const [index, page] of pages.entries()) {
      const folder = join(copies, String(index));
      await Deno.mkdir(folder);
      for (const name of ["bench.json", "recipes.csv"]) {
        const file = join(dirname(page), name);
        if (await exists(file)) await Deno.copyFile(file, join(folder, name));
      }
      assertEquals(await render(folder), { code: 0, stderr: "" });
      const text = await Deno.readTextFile(page);
      assertEquals(await Deno.readTextFile(join(folder, "bench.md")), text, page);
    }
    const { code, stderr } = await render(copies);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "There is no ");
    assertStringIncludes(stderr, "--out");
  });
});

const peerOptions = { threads: 2, ours: { backend: "tensorflow", device: "CPU" } };

Deno.test("startPeer() says what is missing where there is no such Python", async () => {
  assertEquals(await startPeer({ ...peerOptions, python: "/no/such/python" }), {
    missing: "Cannot start PyTorch's side of the bench: there is no program /no/such/python",
  });
});

Deno.test("a Python that is named and cannot be the peer is an error, the usual one is not", () => {
  checkMissingPeer(Deno.build.os === "windows" ? "python" : "python3", "no torch");
  assertThrows(
    () => checkMissingPeer("/no/such/python", "there is no such program"),
    StudyError,
    "--python /no/such/python cannot be the peer: there is no such program",
  );
});

Deno.test({
  name:
    "a Python that is named and lacks a package of the cases is an error before anything is timed",
  ignore: Deno.build.os === "windows", // A shell script stands in for Python.
  fn: () =>
    withFolder({}, async (folder) => {
      const python = join(folder, "python");
      const script = `#!/bin/sh\ncase "$2" in *,*) echo "No module: $2" >&2; exit 1;; esac\n`;
      await Deno.writeTextFile(python, script, { mode: 0o755 });
      const check = (named: string, cases: readonly CaseName[]) =>
        checkPackages(named, { python, cases });
      await assertRejects(
        () => check(python, ["step", "part1"]),
        StudyError,
        "pip install torch numpy pillow scikit-learn",
      );
      for (const name of ["vgg16", "detector", "part4-vgg16"] as const) {
        await assertRejects(() => check(python, [name]), StudyError, "torchvision");
      }
      await check(python, ["step", "limit", "recipes", "memory-vgg16"]);
      await check("python3", ["part1"]);
    }),
});

Deno.test({
  name:
    "deno task bench starts both sides although LD_LIBRARY_PATH is set and no Deno is on the PATH",
  ignore: Deno.build.os === "windows", // A shell script stands in for Python.
  fn: () =>
    withFolder({}, async (folder) => {
      const python = join(folder, "python");
      const script = `#!/bin/sh\necho '{"error": "PyTorch is not installed in this one"}'\n`;
      await Deno.writeTextFile(python, script, { mode: 0o755 });
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...taskArgs("bench"),
          ...["--cases=limit", "--pairs=1", "--seconds=0.1", "--data=mnist"],
          ...["--python", python, "--out", join(folder, "bench")],
        ],
        cwd: repositoryRoot(),
        env: { LD_LIBRARY_PATH: folder, PATH: folder, NO_COLOR: "1" },
      }).output();
      assertEquals(code, 1);
      assertStringIncludes(
        new TextDecoder().decode(stderr),
        `error: --python ${python} cannot be the peer: PyTorch is not installed in this one`,
      );
    }),
});

Deno.test({
  name: "startPeer() passes on why a Python without torch cannot work, and what one that dies said",
  ignore: Deno.build.os === "windows", // A shell script stands in for Python.
  fn: async () => {
    const folder = await Deno.makeTempDir();
    const fake = async (name: string, script: string) => {
      const python = join(folder, name);
      await Deno.writeTextFile(python, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      return await startPeer({ ...peerOptions, python });
    };
    try {
      assertEquals(
        await fake("without", `echo '{"error": "PyTorch is not installed: pip install torch"}'`),
        { missing: "PyTorch is not installed: pip install torch" },
      );
      assertEquals(
        await fake("dying", "echo first >&2; echo 'No module named json' >&2; exit 3"),
        {
          missing: "PyTorch's side of the bench ended with status 3: No module named json",
        },
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "Worker asks and answers line by line, and an error of one request is not the end",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const script = [
      `echo '{"versions": {"torch": "0"}}'`,
      `read request; echo '{"error": "no compiler"}'`,
      `read request; echo 'a library, speaking'; printf '{"units": 3, '; echo '"seconds": 1.5}'`,
      "read request",
    ].join("; ");
    const worker = await Worker.start({ name: "fake", command: "sh", args: ["-c", script] });
    try {
      assertEquals(worker.info.versions, { torch: "0" });
      const request = { case: "step", variant: "x", precision: "float32", seconds: 1 } as const;
      await assertRejects(() => worker.run(request), StudyError, "no compiler");
      const timing = await worker.run(request);
      assertAlmostEquals(rate(timing), 2);
      assertEquals(worker.takeRemarks(), ["a library, speaking"]);
      assertEquals(worker.takeRemarks(), []);
      await assertRejects(() => worker.run(request), StudyError, "fake ended without an answer");
      // Nobody reads what it is asked now.
      await assertRejects(() => worker.run(request), StudyError, "fake ");
    } finally {
      await worker.stop();
    }
  },
});

Deno.test({
  name: `our side on WebGPU says which adapter computes${
    WEBGPU_PROBLEM === undefined ? "" : ` (${WEBGPU_PROBLEM})`
  }`,
  ignore: WEBGPU_PROBLEM !== undefined,
  fn: async () => {
    const engineFlags = ["--device", "software"];
    const worker = await startOurs(
      { data: "mnist", backend: "webgpu", threads: 2, engineFlags },
      "float32",
    );
    try {
      const { on, machine } = worker.info;
      assertEquals([on?.backend, on?.device], ["webgpu", machine?.device]);
      assertEquals(typeof on?.vendor, "string");
      assertEquals(typeof on?.software, "boolean");
    } finally {
      await worker.stop();
    }
  },
});

const noTorch = await noPyTorch();

Deno.test({
  name: `PyTorch takes the GPU of that name, or the CPU and says why${
    noTorch === undefined ? "" : ` (${noTorch})`
  }`,
  ignore: noTorch !== undefined,
  fn: async () => {
    const peer = await startPeer({ python: "python3", threads: 1, ours: H100 });
    if (!(peer instanceof Worker)) throw new Error(peer.missing);
    try {
      const { on, torch_device: device = "" } = peer.info;
      assertEquals(on?.backend, "torch");
      if (device.startsWith("cuda:")) return assertEquals(on?.note, undefined);
      assertEquals([device, on?.device], ["cpu", "CPU"]);
      assertEquals(on?.note?.startsWith("PyTorch sees no GPU"), true);
    } finally {
      await peer.stop();
    }
  },
});
