import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { join } from "node:path";
import {
  accuracyOfAll,
  aggregateSeeds,
  isWhole,
  type SeedAggregate,
} from "../../../report/analysis/seed_aggregates.ts";
import { renderExpectation } from "../../../report/page/expectations.ts";
import { renderResultsTable } from "../../../report/page/section_results.ts";
import { type Json, runFolder } from "../../../report/record/run_folder.ts";
import { SIMPLE_CNN_FAST } from "../../../study.ts";
import { alexnet, compareRuns, detector, simple, vgg16, wrongOneIn } from "../compared_runs.ts";
import { type Answered, resultRow } from "../result_rows.ts";

const seeds = [
  resultRow({ seed: 1, accuracy: 90, evaluated_images: 5000 }),
  resultRow({ seed: 2, accuracy: 50, evaluated_images: 10_000 }),
];

Deno.test("aggregateSeeds() takes the accuracy of all images seed by seed", () => {
  for (const rows of [seeds, seeds.toReversed()]) {
    const [setting] = aggregateSeeds(rows);
    assertEquals([setting!.accuracy.mean, setting!.accuracyOfAll.mean], [70, 47.5]);
    assertAlmostEquals(setting!.accuracyOfAll.sd, 5 / Math.sqrt(2), 1e-12);
    assertEquals(isWhole(setting!), false);
  }
  assertEquals(isWhole(aggregateSeeds(seeds.slice(1))[0]!), true);
});

Deno.test("accuracyOfAll() leaves the accuracy of a trained detector, which is of all images", () => {
  const row = { part: 2, accuracy: 90, evaluated_images: 5000 };
  assertEquals(accuracyOfAll(resultRow({ ...row, epochs: null })), 45);
  assertEquals(accuracyOfAll(resultRow(row)), 90);
});

/** A seed of SimpleCNN that took so many seconds, on a machine that differs as told. */
function timed(
  seed: number,
  seconds: number,
  { backend = "tensorflow", ...machine }: Record<string, Json> = {},
): Answered {
  const some = { processor: "some", cores: 2, os: "linux", device: "CPU" };
  return {
    ...simple,
    row: {
      run_id: `seed-${seed}`,
      seed,
      backend: String(backend),
      training_time_s: seconds,
      inference_ms_per_image: seconds / 1000,
    },
    manifest: { machine: { ...some, ...machine } },
  };
}

Deno.test("aggregateSeeds() takes the times of the newest run's machine, threads and engine alone", async () => {
  for (
    const { first, newest, n } of [
      { first: {}, newest: {}, n: 2 },
      { first: {}, newest: { processor: "other" }, n: 1 },
      { first: {}, newest: { cores: 16 }, n: 1 },
      { first: {}, newest: { device: "GPU" }, n: 1 },
      { first: { threads: 2 }, newest: { threads: 1 }, n: 1 },
      { first: { threads: 2 }, newest: { threads: 2 }, n: 2 },
      // Older manifests have no threads.
      { first: {}, newest: { threads: 2 }, n: 2 },
      { first: { threads: 1 }, newest: {}, n: 2 },
      { first: { processor_model: "family 1" }, newest: { processor_model: "family 2" }, n: 1 },
      // An older manifest does not say which processor of that name it was.
      { first: {}, newest: { processor_model: "family 2" }, n: 1 },
      { first: { processor_model: "family 2" }, newest: {}, n: 1 },
      { first: { processor_model: "family 2" }, newest: { processor_model: "family 2" }, n: 2 },
    ] as const
  ) {
    await compareRuns({ a: [timed(1, 1000, first), timed(2, 200, newest)] }, ({ models }) => {
      const { seeds, accuracy, trainingTime, inference } = models[0]!.settings[0]!;
      assertEquals([seeds, accuracy.n, trainingTime.n, inference.n], [2, 2, n, n]);
      assertEquals(trainingTime.mean, n === 1 ? 200 : 600);
    });
  }
});

Deno.test("aggregateSeeds() takes the runs of each engine together, and no others", () => {
  const row = (seed: number, backend: string, accuracy: number) =>
    resultRow({ run_id: `${backend}-${seed}`, seed, backend, accuracy });
  const settings = aggregateSeeds([
    row(1, "tensorflow", 99.18),
    // Older rows do not say it.
    row(2, "", 99.2),
    row(1, "webgpu", 99.01),
    row(1, "wasm", 99.1),
  ]);
  assertEquals(
    settings.map(({ newest, accuracies }) => [newest.run_id, accuracies]),
    [["wasm-1", [99.1]], ["webgpu-1", [99.01]], ["-2", [99.2, 99.18]]],
  );
});

Deno.test("aggregateSeeds() takes an untrained detector's seeds together whatever its batches, but not their times", () => {
  const row = (seed: number, batch_size: number, epochs: number | null = null) =>
    resultRow({
      ...{ model: "FasterRCNN_Adapted", part: 2, epochs, seed, batch_size },
      ...{ learning_rate: null, weight_decay: null, train_images: null },
      inference_ms_per_image: 100 * batch_size,
    });
  const [setting, ...others] = aggregateSeeds([row(1, 1), row(2, 2), row(3, 2)]);
  assertEquals([setting!.seeds, others.length], [3, 0]);
  assertEquals([setting!.inference.n, setting!.inference.mean], [2, 200]);
  // Of a trained one they are those of the training.
  assertEquals(aggregateSeeds([row(1, 1, 3), row(2, 2, 3)]).length, 2);
});

Deno.test("aggregateSeeds() keeps times with features computed once from those of every epoch", async () => {
  const tuned = (seed: number, cache: string, seconds: number) => ({
    ...timed(seed, seconds),
    row: { ...timed(seed, seconds).row, ...alexnet.row, run_id: `seed-${seed}`, seed },
    manifest: { ...timed(seed, seconds).manifest, settings: { feature_cache: cache } },
  });
  for (const [cache, n] of [["yes", 2], ["no", 1]] as const) {
    const runs = [tuned(1, cache, 1000), tuned(2, "yes", 200)];
    await compareRuns({ a: runs }, ({ models }) => {
      const { settings: [setting] } = models.find(({ model }) => model.startsWith("alexnet"))!;
      assertEquals([setting!.seeds, setting!.trainingTime.n], [2, n]);
    });
  }
});

Deno.test("aggregateSeeds() takes no time with one whose machine is not known", async () => {
  await compareRuns({ a: [timed(1, 1000), timed(2, 200)] }, ({ models }) => {
    assertEquals(models[0]!.settings[0]!.trainingTime, { n: 1, mean: 200, sd: NaN });
  }, (folder) => Deno.remove(join(runFolder(join(folder, "a"), "seed-1"), "manifest.json")));
});

/** A run of the fast recipe, or of one with another rate of Muon's. */
function fast(seed: number, runId: string, learningRate?: number): Answered {
  const { epochs, batchSize, learningRate: highest, weightDecay, oneCycle, recipe } =
    SIMPLE_CNN_FAST.training;
  const muon = { ...recipe.muon, learningRate: learningRate ?? recipe.muon.learningRate };
  return {
    ...simple,
    row: {
      ...{ model: SIMPLE_CNN_FAST.name, run_id: runId, seed, epochs, batch_size: batchSize },
      ...{ learning_rate: highest, weight_decay: weightDecay },
    },
    manifest: {
      model: SIMPLE_CNN_FAST.name,
      settings: {
        one_cycle: JSON.stringify(oneCycle),
        recipe: JSON.stringify({ ...recipe, muon }),
      },
    },
  };
}

Deno.test("aggregateSeeds() keeps runs apart whose recipe is not their model's", async () => {
  const runs = [
    fast(1, "one"),
    fast(2, "two"),
    fast(1, "other", 0.05),
    fast(2, "third", 0.1),
    fast(3, "other-3", 0.05),
    fast(4, "other-4", 0.05),
  ];
  await compareRuns({ a: runs }, ({ models, problems }, report) => {
    const { row, settings } = models.find(({ model }) => model === SIMPLE_CNN_FAST.name)!;
    assertEquals(
      settings.map(({ newest, seeds }) => [newest.run_id, seeds]),
      [["two", 2], ["other-4", 3], ["third", 1]],
    );
    assertEquals(row!.run_id, "two");
    assertEquals(problems, []);
    assertStringIncludes(report, "| SimpleCNN_Fast, 60,000 / 1,000 images | 3,199,106 | 2 |");
    assertStringIncludes(
      report,
      "| SimpleCNN_Fast, 60,000 / 1,000 images, other recipe | 3,199,106 | 3 |",
    );
  });
  const tried = { ...simple, manifest: { settings: { recipe: '{"dropoutRate":0.2}' } } };
  await compareRuns({ a: [tried] }, ({ models }) => {
    assert(models[0]!.differences.includes("a recipe instead of the study's training"));
  });
  // A run whose manifest is not known counts as one of its model's recipe.
  await compareRuns({ a: runs.slice(0, 2) }, ({ models }) => {
    const { settings } = models.find(({ model }) => model === SIMPLE_CNN_FAST.name)!;
    assertEquals(settings.map(({ seeds }) => seeds), [2]);
  }, (folder) => Deno.remove(join(runFolder(join(folder, "a"), "one"), "manifest.json")));
});

/** A tenth of its training time. */
function inTenths(setting: SeedAggregate): SeedAggregate {
  const { n, mean, sd } = setting.trainingTime;
  return { ...setting, trainingTime: { n, mean: mean / 10, sd: sd / 10 } };
}

Deno.test("the report says over how many seeds a time is, and claims are judged on those", async () => {
  const other = { processor: "other" };
  const tuned = [vgg16, alexnet].map((run) => ({
    ...run,
    row: { ...run.row, training_time_s: 450 },
  }));
  const runs = [timed(1, 1000, other), timed(2, 190), timed(3, 210), ...tuned];
  await compareRuns({ a: runs }, ({ models, claims }, report) => {
    for (
      const text of [
        "200.00 ± 14.14 (2 of 3 seeds) | 0.200 ± 0.014 (2 of 3 seeds) |",
        "| 200.00 ± 14.14 s (2 of 3 seeds) |",
        " after 200.00 s of training (2 of 3 seeds).",
      ]
    ) assertStringIncludes(report, text);
    assertStringIncludes(renderResultsTable(models), "| 200.00 ± 14.14 (2 of 3 seeds) |");
    assertStringIncludes(renderExpectation(models, 1), "200 ± 14 s of training (2 of 3 seeds)");
    const quick = models.map((model) => ({ ...model, settings: model.settings.map(inTenths) }));
    assertStringIncludes(renderExpectation(quick, 1), " 20.0 ± 1.4 s of training");
    assertStringIncludes(claims[1]!.because, "and trains 2.3 times as long");
  });
});

Deno.test("a claim on times is not tested on other threads or another engine", async () => {
  const machine = {
    ...{ processor: "some", cores: 2, device: "CPU", threads: 2 },
    processor_model: "family 1",
  };
  const model = { processor_model: "family 1" };
  const others: Record<string, Json>[] = [
    { ...model, threads: 1 },
    { processor_model: "family 2" },
    {},
    { ...model, backend: "wasm" },
  ];
  for (const other of others) {
    const simple = timed(1, 10, { threads: 2, ...other });
    const tuned = [vgg16, alexnet].map((run) => ({ ...run, manifest: { machine } }));
    await compareRuns({ a: [simple, ...tuned] }, ({ claims }, report) => {
      assertEquals(claims[1]!.verdict, "not tested");
      assertStringIncludes(
        claims[1]!.because,
        "vgg16_FineTuned and SimpleCNN were not timed on the same machine, with the same threads",
      );
      assertStringIncludes(
        report,
        "not known to be on the same machine, with the same threads and engine",
      );
    });
  }
});

/** A detector that is right wherever it finds a digit: with one seed everywhere, with others not. */
const found = [0, 2, 10].map((n, i): Answered => ({
  ...detector,
  answer: (target, index) => n > 0 && index % n === 0 ? -1 : target,
  row: { ...detector.row, run_id: `detector-${i}`, seed: i },
}));

const tuned = [50, 40].map((n, i): Answered => ({
  ...vgg16,
  answer: wrongOneIn(n),
  row: { ...vgg16.row, run_id: `vgg-${i}`, seed: i },
}));

Deno.test("the report ranks and tests by all images of every seed, whichever is the newest", async () => {
  for (const runs of [found, found.toReversed()]) {
    const all = [...runs, ...tuned, alexnet, { ...simple, answer: wrongOneIn(5) }];
    await compareRuns({ a: all }, ({ rankings, claims }, report) => {
      // 100, 50 and 90 %: a mean of 80.00 %, as that of SimpleCNN's one seed.
      assertEquals(rankings[0]!.models.slice(0, 2), ["alexnet_FineTuned", "vgg16_FineTuned"]);
      assertStringIncludes(
        report,
        "\n  - FasterRCNN_Adapted (1,000 test images) is correct on 80.00 ± 26.46 % of all images over " +
          "3 seeds, 18.00 ",
      );
      assertEquals(claims[0]!.verdict, "contradicted");
    });
  }
});

Deno.test("the best model is compared with a detector over the seeds, misses among them", async () => {
  await compareRuns({ a: [...found, ...tuned] }, (_comparison, report) => {
    assertMatch(
      report,
      /^ {2}- FasterRCNN_Adapted \(1,000 test images\) is correct on .*Welch's test over 2 and 3 seeds/m,
    );
  });
});
