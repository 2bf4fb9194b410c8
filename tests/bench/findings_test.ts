/** What findings tell where some of them are missing. */

import { assertEquals } from "@std/assert";
import {
  leastSpeedUp,
  limitOf,
  missingLimits,
  missingPeers,
  secondsAtLimit,
  shareOfLimit,
} from "../../bench/findings.ts";
import { renderLimits, renderMemoryLimits, renderProfiles } from "../../bench/page.ts";
import { PLANS } from "../../bench/plans.ts";
import { judgeTargets } from "../../bench/targets.ts";
import type {
  BenchResults,
  CaseName,
  PairedTiming,
  Precision,
} from "../../report/record/bench_results.ts";
import { limitTimings } from "./limit_timings.ts";

const precision = "float32";
const TIMING = { units: 1, seconds: 1 };

/** Ours, twice as fast as a peer that was timed or not. */
function beside(
  name: CaseName,
  label: string,
  { isTimed = true, precision = "bfloat16" }: { isTimed?: boolean; precision?: Precision } = {},
): PairedTiming {
  return {
    ...{ case: name, title: `Made-up ${name}`, unit: "step", gflopPerUnit: 1 },
    ours: { label: "ours", precision, timings: [TIMING] },
    theirs: { label, precision, timings: isTimed ? [{ ...TIMING, seconds: 2 }] : [] },
    ...(!isTimed && { note: "no compiler" }),
  };
}

function results(...comparisons: PairedTiming[]): BenchResults {
  return {
    ...{ started_at: "2026-01-01", finished_at: "2026-01-01", machine: {}, threads: 2 },
    settings: {
      ...{ cases: ["step", "step-bf16", "limit"], full: false, pairs: 1, seconds: 2, epochs: 1 },
      data: "mnist",
    },
    ...{ load_average: 0, versions: {}, git: null, comparisons, measures: [] },
  };
}

/** The labels of the bfloat16 step's peers in its own format. */
const PEERS = PLANS.find((plan) => plan.case === "step-bf16")!.peers
  .filter(({ precision }) => precision === "bfloat16").map(({ label }) => label);

function judgedLeast(found: BenchResults) {
  return judgeTargets(found).find(({ what }) => what.includes("leads least"))!;
}

Deno.test("the least speed-up is not known where a peer of the same format has no timings", () => {
  assertEquals(PEERS.length > 2, true);
  const all = PEERS.map((label) => beside("step-bf16", label));
  assertEquals(judgedLeast(results(...all)).verdict, "met");

  const failed = all.with(-1, beside("step-bf16", PEERS.at(-1)!, { isTimed: false }));
  const notReached = all.slice(0, -1);
  for (const comparisons of [failed, notReached]) {
    const found = results(...comparisons);
    const { verdict, measured, note } = judgedLeast(found);
    assertEquals([verdict, measured, note], [
      "not measured",
      "",
      `no timings of ${PEERS.at(-1)}`,
    ]);
    assertEquals(missingPeers(found, "step-bf16", PEERS), [PEERS.at(-1)]);
  }
  assertEquals(leastSpeedUp(results(...failed), "step-bf16"), undefined);
});

Deno.test("a peer in another format that has no timings is not missed in the least speed-up", () => {
  const other = beside("step-bf16", "PyTorch default", { isTimed: false });
  other.theirs.precision = "float32";
  const all = PEERS.map((label) => beside("step-bf16", label));
  assertEquals(judgedLeast(results(...all, other)).verdict, "met");
});

Deno.test("missingPeers() misses none where nobody was timed, which has another reason", () => {
  const alone = beside("step-bf16", PEERS[0]!, { isTimed: false });
  assertEquals(missingPeers(results(alone), "step-bf16", PEERS), []);
  assertEquals(judgedLeast(results(alone)).note, "no compiler");
});

Deno.test("a share of the machine's limit is not known where one of what shows it has no timings", () => {
  const step = beside("step", "PyTorch default", { precision });
  const limit = limitTimings(beside("limit", "PyTorch", { precision }));
  assertEquals(shareOfLimit(results(step, ...limit), "step")?.text, "100 %");
  const failed = { ...beside("limit", "PyTorch", { precision, isTimed: false }), title: "Product" };
  const found = results(step, ...limit, failed);
  assertEquals(shareOfLimit(found, "step"), undefined);
  const judged = judgeTargets(found).find(({ target }) => target === "≥ 80 %")!;
  assertEquals([judged.verdict, judged.note], ["not measured", "no timings of Product, PyTorch"]);
  // That of another format does not matter.
  const bf16 = beside("limit", "PyTorch", { isTimed: false });
  assertEquals(shareOfLimit(results(step, ...limit, bf16), "step")?.text, "100 %");
  // The run was interrupted after the first of them.
  const [product, convolution] = limit as [PairedTiming, PairedTiming];
  const begun = results(step, product);
  assertEquals(missingLimits(begun, precision), [convolution.title]);
  assertEquals(shareOfLimit(begun, "step"), undefined);
});

Deno.test("no limit is taken from ours alone, of the processor or of memory, anywhere on the page", () => {
  const step = beside("step", "PyTorch default", { precision });
  const { gflopPerUnit: _, ...rest } = beside("alexnet-classifier", "PyTorch default", {
    precision: "float32",
  });
  const linear = { ...rest, gbytePerUnit: 1 };
  const limitsBeside = (isTimed: boolean) => {
    const processor = beside("limit", "PyTorch", { precision, isTimed });
    const { gflopPerUnit: _, ...memory } = processor;
    return [processor, { ...memory, gbytePerUnit: 1 }].flatMap(limitTimings);
  };
  const profile = { case: "profile", title: "Step", unit: "ms", value: 2, precision } as const;
  const kernels = [{ what: "product", calls: 1, ms: 1, gflop: 1 }];
  const shares = (isTimed: boolean) => {
    const found = {
      ...results(step, linear, ...limitsBeside(isTimed)),
      measures: [{ ...profile, kernels }],
    };
    const pages = [renderLimits(found), ...renderMemoryLimits(found), ...renderProfiles(found)];
    const last = pages.flatMap((page) => page.split("\n"))
      .filter((line) => /^\| (Made-up|product)/.test(line))
      .map((line) => line.split(" | ").at(-1)!.replace(/ ?\|$/, ""));
    const limits = (["float32", "memory"] as const).map((what) => limitOf(found, what));
    return { last, limits, atLimit: secondsAtLimit(found, step) };
  };
  const missing = Array(4).fill("not measured");
  assertEquals(shares(false), {
    last: [...missing, ""],
    limits: [undefined, undefined],
    atLimit: undefined,
  });
  assertEquals(shares(true), {
    last: ["100 %", "50 %", "100 %", "50 %", "100000 %"],
    limits: [1, 1],
    atLimit: 1,
  });
});
