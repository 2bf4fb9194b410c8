/** The rates that a sweep is planned with. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { ourRate, ourSeconds } from "../../bench/findings.ts";
import type { NodeRates } from "../../experiment/sweep_forecast.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { type CaseName, readBenchResults } from "../../report/record/bench_results.ts";
import { REFERENCE_RESULTS } from "../../report/record/reference_results.ts";
import { ALEXNET, DATA, SIMPLE_CNN } from "../../study.ts";
import { IMPORTS } from "../source.ts";
import { WORKFLOW } from "./sweeps.ts";

/** How far a rate may be from the bench's median: those of a step beside several peers differ by as much. */
const TOLERANCE = 0.05;

Deno.test("rates.json is what the bench found of the committed runs' machine, within 5 %", async () => {
  const rates: NodeRates = JSON.parse(await Deno.readTextFile(join(WORKFLOW, "rates.json")));
  const path = join(repositoryRoot(), REFERENCE_RESULTS, "bench/avx512/bench.json");
  const bench = (await readBenchResults(path))!;
  assertEquals(rates.cores, bench.threads);
  assertEquals([rates.trainImages, rates.testImages], [DATA.trainImages, DATA.testImages]);
  const near = (rate: number, found: number) =>
    assert(Math.abs(rate / found - 1) < TOLERANCE, `${rate}, and the bench has ${found}`);
  const perSecond = (name: CaseName) => ourRate(bench, name)!.value;
  near(rates.trainingImagesPerSecond, SIMPLE_CNN.training.batchSize * perSecond("step"));
  const { gflopPerUnit } = bench.comparisons.find((timing) => timing.case === "vgg16")!;
  near(rates.convolutionFlopPerSecond, 1e9 * gflopPerUnit! * perSecond("vgg16"));
  const stepSeconds = ourSeconds(bench, "alexnet-classifier")!.value;
  near(rates.secondsPerParameter, stepSeconds / ALEXNET.trainedParameters);
  // The bench's launch ends a step later.
  const launch = ourSeconds(bench, "launch")!.value;
  assert(rates.startSeconds < launch && rates.startSeconds > launch / 2, `${launch}`);
});

Deno.test("common.smk computes forecasts anew when any of their code is another", async () => {
  const rules = await Deno.readTextFile(join(WORKFLOW, "rules/common.smk"));
  const listed = rules.match(/FORECAST_CODE = \(([^)]*)\)/)![1]!;
  const code = new Set([
    "experiment/sweep_forecast.ts",
    // Numbers that what it imports has from elsewhere.
    "models/simple_cnn.ts",
    "models/vgg16.ts",
    "models/alexnet.ts",
    "models/frozen_feature_layout.ts",
    "models/detection/faster_rcnn_layout.ts",
    "training/detection/digit_boxes.ts",
  ]);
  for (const path of code) {
    const imported = path.startsWith("experiment/") ? IMPORTS.get(path)!.files : [];
    for (const file of imported) {
      if (file === "study.ts" || /^(experiment|training)\//.test(file)) code.add(file);
    }
  }
  for (const path of code) assertStringIncludes(listed, `"${path}"`);
});
