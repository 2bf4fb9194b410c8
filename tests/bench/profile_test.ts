import { assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type BenchContext, startOurs } from "../../bench/context.ts";
import type { Growth } from "../../bench/growth.ts";
import { renderProfiles } from "../../bench/page.ts";
import { kernelTimes, measureProfile } from "../../bench/profile.ts";
import { bfloat16Problem } from "../../engine/tensorflow/bfloat16_support.ts";
import { StudyError } from "../../io/errors.ts";
import { silentReporter } from "../../io/reporter.ts";
import type { BenchResults, PairedTiming } from "../../report/record/bench_results.ts";
import { limitTimings } from "./limit_timings.ts";

const PROBLEM = "mb128_ic32oc64_ih14oh14kh5sh1dh0ph2_iw14ow14kw5sw1dw0pw2";
const GRADIENT = "primitive,exec,cpu,convolution,jit:avx512_core," +
  `backward_weights,src:f32::blocked:acdb::f0 dst:f32::blocked:acdb::f0,,alg:direct,${PROBLEM},`;
const PRODUCT = "primitive,exec,cpu,matmul,brg:avx512_core,undef," +
  "src:f32::blocked:ab::f0,attr-scratchpad:user,,128x3136:3136x1000,";
const LAYOUT = "primitive,exec,cpu,reorder,jit:uni,undef,src:f32 dst:f32,,,32x1,";
const POOLING = "primitive,exec,cpu,pooling,jit:avx512_core,forward_training," +
  "src:f32 dst:f32 ws:u8,,alg:pooling_max,mb128ic64_ih14oh7kh2sh2dh0ph0_iw14ow7kw2sw2dw0pw0,";

/** What oneDNN prints of a call at a time. */
const at = (start: number, call: string) => `onednn_verbose,v1,${start},${call}`;

Deno.test("kernelTimes() adds up what oneDNN says of each kernel, by the step", () => {
  const kernels = kernelTimes([
    "onednn_verbose,v1,info,oneDNN v3.7.3 (commit N/A)",
    "onednn_verbose,v1,primitive,info,template:timestamp,operation,engine,primitive,exec_time",
    at(1000, `${GRADIENT}5`),
    at(1010, `${PRODUCT}4`),
    at(1020, `${GRADIENT}7`),
    at(1030, `${PRODUCT}2`),
    at(1040, `${LAYOUT}0.5`),
    at(1041, `${LAYOUT}0.25`),
    at(1042, `${LAYOUT}0.25`),
    at(1043, `${POOLING}1.5`),
    at(1044, `${POOLING}soon`),
    `onednn_verbose,v1,${PRODUCT}2`,
    "something else",
  ], 2);
  assertEquals(kernels.map(({ what, calls, ms }) => [what, calls, ms]), [
    ["convolution 5×5, 32→64 channels, gradient of its weights", 1, 6],
    ["product 128×3136 · 3136×1000", 1, 3],
    ["max pooling, 64 channels, forward", 0.5, 0.75],
    ["change of layout or number format", 1.5, 0.5],
  ]);
  assertAlmostEquals(kernels[0]!.gflop!, 128 * 14 * 14 * 64 * (2 * 32 * 25) / 1e9);
  assertAlmostEquals(kernels[1]!.gflop!, 2 * 128 * 3136 * 1000 / 1e9);
  assertEquals(kernels[2]!.gflop, undefined);
  assertThrows(() => kernelTimes(["a line"], 1), StudyError, "oneDNN");
});

Deno.test("kernelTimes() divides the time of kernels that run side by side", () => {
  // The product, from 2 to 6, lies within the gradient, from 0 to 8; the pooling begins as it ends.
  const lines = [at(0, `${GRADIENT}8`), at(2, `${PRODUCT}4`), at(8, `${POOLING}1`)];
  for (const order of [lines, lines.toReversed()]) {
    assertEquals(kernelTimes(order, 1).map(({ ms }) => ms), [6, 2, 1]);
  }
});

Deno.test("renderProfiles() shows each kernel's share of the step", () => {
  const timings = [{ units: 1, seconds: 1 }];
  const side = { label: "ours", precision: "float32", timings } as const;
  const limit = { unit: "", gflopPerUnit: 100, ours: side } as const;
  const results = {
    comparisons: limitTimings({ ...limit, theirs: side } as unknown as PairedTiming),
    measures: [
      {
        case: "profile",
        title: "A step in fp32",
        precision: "float32",
        unit: "ms",
        value: 40,
        kernels: [{ what: "product a|b", calls: 2, ms: 30, gflop: 0.75 }],
      },
      { case: "profile", title: "A step in bf16", unit: "ms", value: null },
    ],
  } as unknown as BenchResults;
  const text = renderProfiles(results).join("\n");
  const rows = text.split("\n").filter((line) => line.startsWith("| ")).slice(2);
  assertEquals(rows, [
    "| product a\\|b | 2 | 30.00 | 75 % | 50 | 50 % |",
    "| no oneDNN kernel running |  | 10.00 | 25 % |  |  |",
    "| the step |  | 40.00 | 100 % |  |  |",
  ]);
  assertEquals(renderProfiles({ ...results, measures: [] }), []);
});

const { os, arch } = Deno.build;
const hasOneDnn = os === "linux" && arch === "x86_64";

Deno.test({
  name: `a step's kernels are those of SimpleCNN${hasOneDnn ? "" : " (not seen on this machine)"}`,
  ignore: !hasOneDnn,
  fn: async () => {
    const context = {
      ...{ data: "mnist", backend: "tensorflow", engineFlags: [], seconds: 0.1 },
      ...{ ours: { backend: "tensorflow", device: "CPU" }, reporter: silentReporter },
      signal: new AbortController().signal,
    } as unknown as BenchContext;
    for (const { value, kernels = [] } of await measureProfile(context)) {
      // Not every processor has bfloat16.
      if (value === null) continue;
      const names = kernels.map(({ what }) => what);
      for (const channels of ["1→32", "32→64"]) {
        for (const pass of ["forward", "gradient of its weights"]) {
          const what = `convolution 5×5, ${channels} channels, ${pass}`;
          assertEquals(names.includes(what), true, what);
        }
      }
      assertEquals(names.includes("product 128×3136 · 3136×1000"), true);
      const known = kernels.reduce((sum, { ms }) => sum + ms, 0);
      // What has been divided is no more than there was.
      assertEquals(known > 0 && known < 1.02 * value, true, `${known} of ${value} ms`);
    }
  },
});

Deno.test("growth is what is left when garbage has been collected", async () => {
  const context = { data: "mnist", backend: "auto", threads: 2, engineFlags: [] } as const;
  const runtimeFlags = ["--v8-flags=--expose-gc"];
  const worker = await startOurs(context, "float32", { runtimeFlags });
  try {
    const { from, to, samples } = await worker.ask({ do: "growth", from: 50, to: 100 }) as Growth;
    assertEquals(samples.map(({ step }) => step), [50, 100]);
    assertEquals([from.step, to.step], [50, 100]);
    // What was collected is freed a little later; a handle kept by each step would be 50 more.
    assertEquals(to.handles - from.handles < 25, true, `${from.handles} to ${to.handles}`);
    assertEquals(from.rss > 0, true);
  } finally {
    await worker.stop();
  }
});

Deno.test("our side of the bench says which formats this processor multiplies in", async () => {
  const context = { data: "mnist", threads: 2, engineFlags: [] } as const;
  const formats = async (backend: "tensorflow" | "wasm") => {
    const worker = await startOurs({ ...context, backend }, "float32");
    await worker.stop();
    return worker.info.precisions;
  };
  // The bench itself may not look at the processor; this test may.
  const more = bfloat16Problem("CPU") === undefined ? ["bfloat16"] : [];
  assertEquals(await formats("tensorflow"), ["float32", ...more]);
  assertEquals(await formats("wasm"), ["float32"]);
});

Deno.test("growth is not measured without what collects garbage", async () => {
  const context = { data: "mnist", backend: "auto", threads: 2, engineFlags: [] } as const;
  const plain = await startOurs(context, "float32");
  try {
    const growth = plain.ask({ do: "growth", from: 1, to: 2 });
    await assertRejects(() => growth, StudyError, "--expose-gc");
  } finally {
    await plain.stop();
  }
});
