/** The numbers in README's sentences, which are of committed runs and of the bench's committed page. */

import { assert, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { ourSeconds, pairedTimingOf } from "../../bench/findings.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { meanAndSd, median } from "../../metrics/descriptive_statistics.ts";
import { formatMeanAndSd } from "../../report/analysis/format_numbers.ts";
import { rate } from "../../report/analysis/paired_timings.ts";
import { readBenchResults } from "../../report/record/bench_results.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { readResults } from "../../report/record/results.ts";
import { ALEXNET, SIMPLE_CNN, type StudyModel, VGG16 } from "../../study.ts";
import { readUnwrapped } from "./one_line_paragraphs.ts";

const ROOT = repositoryRoot();
const REFERENCE = join(ROOT, "results/reference");

const README = await readUnwrapped("README.md");

const BENCH = await readBenchResults(join(REFERENCE, "bench/bench.json"));

/** `99.20 ± 0.07 %`, of the committed runs of a model. */
async function accuracyOf({ part, name }: StudyModel): Promise<string> {
  const rows = await readResults(join(REFERENCE, `part${part}.csv`), new ProblemList());
  const found = rows.flatMap(({ row: { model, accuracy } }) => model === name ? [accuracy!] : []);
  return `${formatMeanAndSd(meanAndSd(found), 2)} %`;
}

Deno.test("what README says was found is of the committed runs", async () => {
  const [cnn, alexnet, vgg16] = await Promise.all([SIMPLE_CNN, ALEXNET, VGG16].map(accuracyOf));
  const [first, second, third] = [SIMPLE_CNN, ALEXNET, VGG16].map(({ published }) =>
    `published ${published.accuracy.toFixed(2)} %`
  );
  assertStringIncludes(
    README,
    `SimpleCNN is reproduced: ${cnn} of the test digits over ten seeds, ${first}.`,
  );
  assertStringIncludes(
    README,
    `AlexNet (${alexnet} over five seeds, ${second}) and VGG16 (${vgg16} over three, ${third})`,
  );
});

Deno.test("README's times of part 1 are the bench's", () => {
  assert(BENCH);
  const ours = ourSeconds(BENCH, "part1")!.value;
  const theirs = 1 / median(pairedTimingOf(BENCH, "part1")!.theirs.timings.map(rate));
  assertStringIncludes(
    README,
    `part 1 takes ${ours.toFixed(0)} s from launch to CSV; the same study in PyTorch takes ` +
      `${theirs.toFixed(0)} s.`,
  );
});
