/** The numbers in the sentences of docs/speed.md, which are of the bench's committed pages. */

import { assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { judgeTargets } from "../../bench/targets.ts";
import { FEATURES_ONCE_LABEL } from "../../bench/transfer_plans.ts";
import { median } from "../../metrics/descriptive_statistics.ts";
import { ratios } from "../../report/analysis/paired_timings.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { type Precision, readBenchResults } from "../../report/record/bench_results.ts";
import { readUnwrapped } from "./one_line_paragraphs.ts";

const BENCH = join(repositoryRoot(), "results/reference/bench");

const PAGE = await readUnwrapped("docs/speed.md");
const README = await readUnwrapped("README.md");

/** What a machine's page says was measured of the target whose name begins so: `2.06`, `60 %`. */
async function measured(what: string, folder = ""): Promise<string> {
  const targets = judgeTargets((await readBenchResults(join(BENCH, folder, "bench.json")))!);
  const found = targets.find((target) => target.what.startsWith(what));
  if (!found?.measured) throw new Error(`${folder || "the main page"} has no ${what}`);
  return found.measured.replace(/ \(.*/, "");
}

Deno.test("what docs/speed.md says was missed is what the bench's page says", async () => {
  const [limit, autocast, best] = await Promise.all([
    measured("the fp32 step, as a share of the processor's measured limit"),
    measured("the same, both in bf16: ours / PyTorch default with bf16 autocast"),
    measured("the same, both in bf16: ours / PyTorch in the settings"),
  ]);
  assertStringIncludes(PAGE, `In float32 it works at ${limit} of the processor's measured limit`);
  assertStringIncludes(
    PAGE,
    `it is ${autocast} times as fast as PyTorch's default autocast (aim: 2.2) and ${best} times`,
  );
  const [whole, step] = await Promise.all([
    measured("part 1 whole"),
    measured("SimpleCNN training step"),
  ]);
  assertStringIncludes(PAGE, `is ${whole} times as fast as the study's script (aim: 2.5)`);
  assertStringIncludes(PAGE, `whose step is ${step} times as fast`);
});

/** How part 4 as a whole was timed. */
const HOW = { AlexNet: "measured", VGG16: "extrapolated from runs on few images" } as const;

Deno.test("what docs/speed.md says of part 4 as a whole is what each machine's page says", async () => {
  const timesOf = async (model: keyof typeof HOW, folder?: string) =>
    Number(await measured(`part 4 as a whole with ${model}, ${HOW[model]}`, folder)).toFixed(1);
  const [main, older, avx2] = await Promise.all(
    [undefined, "avx512", "avx2"].map((folder) => timesOf("AlexNet", folder)),
  );
  assertStringIncludes(
    PAGE,
    `is ${main} times as fast as the study's procedure (aim: 8); it is ${older} times on the older ` +
      `EPYC and ${avx2} with AVX2`,
  );
  const [vgg16, amx, float32] = await Promise.all(
    [undefined, "amx", "avx2"].map((folder) => timesOf("VGG16", folder)),
  );
  assertStringIncludes(
    PAGE,
    `${vgg16} times on the newer EPYC and ${amx} times on the Xeon, whose AMX multiplies in ` +
      `bfloat16; with AVX2, in float32, it is ${float32}`,
  );
});

Deno.test("docs/speed.md says how far VGG16's extrapolation is from proportion, as the main page does", async () => {
  const [scaling, targets] = await Promise.all([
    measured("training time per image, with 60,000"),
    readBenchResults(join(BENCH, "bench.json")).then((found) => judgeTargets(found!)),
  ]);
  const { note } = targets.find(({ what }) => what.startsWith(`part 4 as a whole with VGG16, ex`))!;
  const [ours, theirs] = [...note.matchAll(/per image added \((.*?)\)/g)].map(([, change]) =>
    change
  );
  assertStringIncludes(
    PAGE,
    `On the newer EPYC these took ${ours!.replace("less", "less time an")}`,
  );
  assertStringIncludes(PAGE, `what the further images took, there ${theirs} an image, is its pace`);
  assertStringIncludes(PAGE, `an image among 60,000 takes ${scaling} as long as one among 6,000`);
});

Deno.test("docs/speed.md and README have part 4 beside PyTorch that computes features once, and its time", async () => {
  const { comparisons } = (await readBenchResults(join(BENCH, "bench.json")))!;
  const [whole] = comparisons.filter((timing) => timing.case === "part4-alexnet");
  const minutes = whole!.ours.timings[0]!.seconds / 60;
  assertStringIncludes(PAGE, `launch to CSV, takes ${minutes.toFixed(0)} minutes`);
  const [alexnet, vgg16] = (["part4-alexnet", "part4-vgg16"] as const).map((name) => {
    const found = comparisons.find((timing) =>
      timing.case === name && timing.theirs.label === FEATURES_ONCE_LABEL
    )!;
    return median(ratios(found)).toFixed(1);
  });
  const said =
    `part 4 as a whole is ${alexnet} times as fast with AlexNet and ${vgg16} times with VGG16`;
  for (const page of [PAGE, README]) assertStringIncludes(page, said);
});

Deno.test("docs/speed.md has each machine's growth of memory", async () => {
  const [main, older, avx2] = (await Promise.all(
    ["", "avx512", "avx2"].map((folder) => measured("growth of resident memory from step", folder)),
  )).map((percent) => `${parseFloat(percent).toFixed(1)} %`);
  assertStringIncludes(PAGE, `grows by ${main} from step 1,000 to 10,000 on the newer EPYC`);
  assertStringIncludes(PAGE, `by ${older} on the older one and by ${avx2} with AVX2`);
});

Deno.test("README says of the detector's batch what the bench's page says of calls of one image", async () => {
  const targets = judgeTargets((await readBenchResults(join(BENCH, "bench.json")))!);
  const { note } = targets.find(({ what }) => what.includes("the study's batch of 32 images"))!;
  const [, seconds, ratio] = /would take PyTorch ([\d.]+) s .* would be ([\d.]+)/.exec(note)!;
  assertStringIncludes(
    README,
    `32 of them (not timed) are ${seconds} s, and the speed-up would be ${
      Number(ratio).toFixed(1)
    }`,
  );
});

Deno.test("docs/speed.md says what a step of oneDNN's kernels alone would be, as the page's profiles have them", async () => {
  const { measures } = (await readBenchResults(join(BENCH, "bench.json")))!;
  const faster = (precision: Precision) => {
    const { value, kernels } = measures.find((one) =>
      one.case === "profile" && one.precision === precision
    )!;
    return value! / kernels!.reduce((sum, { ms }) => sum + ms, 0);
  };
  const [limit, best, step] = await Promise.all([
    measured("the fp32 step, as a share of the processor's measured limit"),
    measured("the same, both in bf16: ours / PyTorch in the settings"),
    measured("SimpleCNN training step"),
  ]);
  const share = (parseFloat(limit) * faster("float32")).toFixed(0);
  assertStringIncludes(PAGE, `the float32 step would work at ${share} % of the limit`);
  const beside = (Number(best) * faster("bfloat16")).toFixed(2);
  assertStringIncludes(PAGE, `the bfloat16 step would be ${beside} times as fast as PyTorch`);
  const whole = (Number(step) * faster("float32")).toFixed(2);
  assertStringIncludes(PAGE, `with those kernels alone would be ${whole} times`);
});
