/** What the report answers to a reviewer, and that its numbers are the same wherever they stand. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { INFERENCE_CLOCK } from "../../../report/analysis/seed_aggregates.ts";
import { compareResults } from "../../../report/compare.ts";
import { renderReport } from "../../../report/page/report_page.ts";
import { CORE_SECONDS } from "../../../report/page/run_costs.ts";
import { renderReadmeHeadline } from "../../../report/page/section_headline.ts";
import { renderResultsTable } from "../../../report/page/section_results.ts";
import { type Manifest, runFolder, writeEvaluations } from "../../../report/record/run_folder.ts";
import { alexnet, compareRuns, detector, simple, vgg16, wrongOneIn } from "../compared_runs.ts";
import { PEER } from "../peers.ts";
import type { Answered } from "../result_rows.ts";

/** Two seeds with accuracies of 99 and 98 %, whose mean is 98.50 ± 0.71. */
const SEEDS: readonly Answered[] = [
  { ...simple, row: { run_id: "one", seed: 1 } },
  { ...simple, answer: wrongOneIn(50), row: { run_id: "two", seed: 2 } },
];

/** The part of a report below a heading, to the next one of the same or a higher level. */
function below(report: string, heading: string): string {
  const start = report.indexOf(`${heading}\n`);
  assert(start >= 0, heading);
  const rest = report.slice(start + heading.length);
  const end = rest.search(new RegExp(`\n#{1,${heading.indexOf(" ")}} `));
  return end < 0 ? rest : rest.slice(0, end);
}

Deno.test("the mean over the seeds and their number stand wherever the accuracy does", async () => {
  await compareRuns({ a: [...SEEDS, alexnet] }, (comparison, report) => {
    const mean = "98.50 ± 0.71";
    const readme = renderReadmeHeadline(comparison);
    const terminal = renderResultsTable(comparison.models);
    for (const text of [readme, below(report, "## What was published, and what we found")]) {
      assertMatch(text, new RegExp(`SimpleCNN[^|]*\\| +99.27 \\| +${mean} \\(2 seeds\\)`));
    }
    for (const text of [terminal, below(report, "## The runs shown, in the study's table")]) {
      assertStringIncludes(text, `| SimpleCNN | 0.0300 ± 0.0000 | ${mean} |`);
      assertStringIncludes(text, "over the seeds: SimpleCNN 2, alexnet_FineTuned 1.");
      assertStringIncludes(text, "SimpleCNN (60,000 / 1,000 images)");
    }
    assertStringIncludes(below(report, "### The study's claims"), `${mean} % (2 seeds)`);
    assertStringIncludes(below(report, "## Conclusion"), `${mean} % over 2 seeds`);
    // Scores of a single run say of which one.
    assertStringIncludes(below(report, "## How sure the scores are"), "| SimpleCNN | 2 | 1,000 |");
  });
});

Deno.test("the first page tells processors of one name apart, where runs of both are shown", async () => {
  const machine = { processor: "AMD EPYC", cores: 2, device: "CPU" };
  const newer = { ...machine, processor_model: "family 26, model 2" };
  const headOf = async (runs: readonly Answered[]) => {
    let head = "";
    await compareRuns({ a: runs }, (_, report) => {
      head = below(report, "## What was published, and what we found");
    });
    return head;
  };
  const one = (run: Answered, machine: Manifest["machine"]) => ({ ...run, manifest: { machine } });
  assertStringIncludes(
    await headOf([one(simple, newer), one(vgg16, newer)]),
    "| Ours, AMD EPYC, 2 cores |",
  );
  const mixed = await headOf([one(simple, newer), one(vgg16, machine)]);
  assertStringIncludes(mixed, "| Ours, device |");
  assertStringIncludes(mixed, "s, AMD EPYC (family 26, model 2), 2 cores |");
  assertStringIncludes(mixed, "s, AMD EPYC, 2 cores |");
  // Most of them in the title, the others where they are.
  const most = await headOf([one(simple, newer), one(vgg16, machine), one(alexnet, machine)]);
  assertStringIncludes(most, "| Ours, AMD EPYC, 2 cores unless stated otherwise |");
  assertEquals(most.match(/\d s, AMD EPYC[^|]*/g), [
    "0 s, AMD EPYC (family 26, model 2), 2 cores ",
  ]);
  // A title is not put above times of which nobody knows where they were taken.
  const unknown = await headOf([one(simple, {}), one(vgg16, machine), one(alexnet, machine)]);
  assertStringIncludes(unknown, "| Ours, device |");
});

Deno.test("the report says first how many seeds there are and how far apart", async () => {
  await compareRuns({ a: [...SEEDS, vgg16] }, (_, report) => {
    const review = below(report, "## What a reviewer asks");
    assertMatch(review.trim(), /^### How many seeds, and how far apart are they\?\n/);
    assertStringIncludes(
      review,
      "| SimpleCNN | 2 | 1, 2 | 98.50 ± 0.71 | 98.00 to 99.00 | 0.0300 ± 0.0000 |\n",
    );
    assertStringIncludes(review, "| vgg16_FineTuned | 1 | 1 | 98.00 | – | 0.0300 |\n");
    assertStringIncludes(review, "One seed says nothing about the spread");
  });
});

Deno.test("the report counts its tests and says where equivalence is not tested", async () => {
  await compareRuns({ a: [...SEEDS, vgg16] }, (_, report) => {
    const tests = below(report, "### How many tests were made, and is that accounted for?");
    assertStringIncludes(tests, "- 1 pair of models is compared by McNemar's test");
    assertStringIncludes(tests, "- No equivalence with PyTorch is tested.\n");
    assertStringIncludes(below(report, "### Is it equivalent to PyTorch?"), "Not tested here");
  });
});

Deno.test("the report names each setting under what was found of it, and finds nothing untested", async () => {
  const as = (run_id: string, seed: number, backend = "tensorflow"): Answered => ({
    ...simple,
    row: { ...{ run_id, seed, backend }, weights: "" },
  });
  const answer = async (runs: readonly Answered[]) => {
    let section = "";
    await compareRuns({ a: runs }, (_, report) => {
      section = below(report, "### Is it equivalent to PyTorch?");
    }, async (folder) => {
      const pytorch = join(folder, "a", "pytorch");
      await Deno.mkdir(pytorch);
      for (const seed of [1, 2]) {
        const peer = { ...PEER, test_images: 1000, seed };
        await Deno.writeTextFile(join(pytorch, `${seed}.json`), JSON.stringify(peer));
      }
    });
    return section;
  };
  const images = "SimpleCNN (60,000 / 1,000 images";
  const untested = `Not tested, as it takes two seeds on either side: ${images}, on webgpu). `;
  assertStringIncludes(
    await answer([as("one", 1), as("two", 2), as("other", 1, "webgpu")]),
    `\nTwo one-sided tests on accuracy find **equivalent**: ${images}). ${untested}Margins `,
  );
  assertStringIncludes(await answer([as("other", 1, "webgpu")]), `\n${untested}Margins `);
});

Deno.test("the report has test accuracy by epoch, a mean over the seeds that recorded it", async () => {
  await compareRuns({ a: SEEDS }, async (_, report, folder) => {
    const heading = "### How does test accuracy change by epoch?";
    assertStringIncludes(below(report, heading), "Not recorded in these runs");
    for (const [run, last] of [["one", 97], ["two", 98]] as const) {
      await writeEvaluations(runFolder(join(folder, "a"), run), [
        { epoch: 1, test_loss: 0.1, test_accuracy: 90 },
        { epoch: 2, test_loss: 0.1, test_accuracy: last },
      ]);
    }
    const recorded = below(renderReport(await compareResults([join(folder, "a")])), heading);
    assertStringIncludes(
      recorded,
      "| Epoch | SimpleCNN (2 seeds) |\n| ---: | ---: |\n| 1 | 90.00 |\n| 2 | 97.50 |\n",
    );
  });
});

Deno.test("test accuracy by epoch is the mean over however many seeds recorded it", async () => {
  const seeds = Array.from({ length: 24 }, (_, seed): Answered => ({
    ...{ images: 10, answer: (target) => target },
    row: { run_id: `seed-${seed}`, seed },
  }));
  await compareRuns({ a: seeds }, (_, report) => {
    const recorded = below(report, "### How does test accuracy change by epoch?");
    assertStringIncludes(
      recorded,
      "| Epoch | SimpleCNN (23 of 24 seeds) |\n| ---: | ---: |\n| 1 | 66.00 (1 of 23 seeds) |\n" +
        "| 2 | 88.00 |\n",
    );
  }, async (folder) => {
    // The oldest is 23 points below the others, the newest has none.
    for (const { row } of seeds.slice(0, -1)) {
      const [epochs, test_accuracy] = row!.seed === 0 ? [[1, 2], 66] as const : [[2], 89] as const;
      const rows = epochs.map((epoch) => ({ epoch, test_loss: 0.1, test_accuracy }));
      await writeEvaluations(runFolder(join(folder, "a"), row!.run_id!), rows);
    }
  });
});

Deno.test("the report shows core-seconds beside the time, and which run was not alone", async () => {
  const machine = { processor: "some", cores: 4, device: "CPU" };
  const measured = (cpu_seconds: number, wall_seconds: number): Partial<Manifest> => ({
    machine,
    measured: { resources: { cpu_seconds, wall_seconds, peak_memory_bytes: 1e9 } },
  });
  const [one, two] = SEEDS;
  const gpu = { ...measured(10, 100), machine: { ...machine, device: "GPU" } };
  const withThreads = (threads: number, seed: number): Answered => ({
    ...simple,
    row: { run_id: `threads-${threads}`, seed },
    manifest: { ...measured(98, 100), machine: { ...machine, threads } },
  });
  const runs = [
    withThreads(1, 3),
    withThreads(2, 4),
    withThreads(16, 5),
    { ...one!, manifest: measured(390, 100) },
    { ...two!, manifest: measured(390, 200) },
    { ...vgg16, manifest: gpu },
    alexnet,
    {
      ...simple,
      row: { run_id: "moved", seed: 6 },
      manifest: { ...measured(390, 200), changes: ["tfjs 2, not 1; cores 4, not 2"] },
    },
  ];
  await compareRuns({ a: runs }, (_, report) => {
    const lines = below(report, "### What did a run cost?").split("\n").filter((line) =>
      /\d/.test(line)
    );
    assertEquals(lines, [
      "| SimpleCNN | 1 | 120.5 | 390.0 | 3.90 of 4 | no sign | some, 4 cores |",
      "| SimpleCNN | 2 | 120.5 | 390.0 | 1.95 of 4 | **probably** (or it waited) | some, 4 cores |",
      "| SimpleCNN | 3 | 120.5 | 98.0 | 0.98 of 1 | no sign | some, 4 cores |",
      "| SimpleCNN | 4 | 120.5 | 98.0 | 0.98 of 2 | **probably** (or it waited) | some, 4 cores |",
      "| SimpleCNN | 5 | 120.5 | 98.0 | 0.98 of 4 | **probably** (or it waited) | some, 4 cores |",
      "| SimpleCNN | 6 | 120.5 | 390.0 | – | – | some, 4 cores |",
      "| vgg16_FineTuned | 1 | 1205.0 | 10.0 | – | – | some, 4 cores, GPU |",
      "| alexnet_FineTuned | 1 | 1205.0 | – | – | – | some, 2 cores |",
    ]);
  });
});

Deno.test("the report says what each of its clocks is of, in the same words wherever its times stand", async () => {
  const resources = { cpu_seconds: 1, wall_seconds: 1, peak_memory_bytes: 1e9 };
  const run = { ...simple, manifest: { measured: { resources } } };
  await compareRuns({ a: [run, detector] }, (_, report) => {
    assertStringIncludes(below(report, "## All successful runs on record"), INFERENCE_CLOCK);
    for (const heading of ["### What did a run cost?", "## Where the rows come from"]) {
      assertStringIncludes(below(report, heading), CORE_SECONDS);
    }
    assertStringIncludes(
      below(report, "### What exactly differs from the study?"),
      "our training times exclude loading the data set, the study's include it, though part 4's include " +
        "reading features from disk",
    );
    for (const wrong of ["model call alone", "loading included"]) assert(!report.includes(wrong));
  });
});

Deno.test("the report has the costs of every seed, and says of how many it has not", async () => {
  const seeds = (count: number) =>
    Array.from({ length: count }, (_, i): Answered => ({
      images: 10,
      answer: (target) => target,
      row: { run_id: `seed-${i + 1}`, seed: i + 1 },
    }));
  const costs = async (runs: readonly Answered[]) => {
    let found = "";
    await compareRuns({ a: runs }, (_, report) => {
      found = below(report, "### What did a run cost?");
    });
    return found;
  };
  const seedsIn = (text: string) =>
    [...text.matchAll(/^\| SimpleCNN \| (\d+) /gm)].map(([, n]) => n);
  const twenty = await costs(seeds(20));
  assertEquals(seedsIn(twenty), seeds(20).map(({ row }) => String(row!.seed)));
  assert(!twenty.includes("not shown") && !twenty.includes("| Machine |"));
  const thirty = await costs([vgg16, ...seeds(30)]);
  assertEquals(seedsIn(thirty), seeds(30).slice(6).map(({ row }) => String(row!.seed)));
  assertStringIncludes(thirty, "|\n\nAnd 6 older of SimpleCNN, not shown.\n");
});

Deno.test("the report names the machines of runs, with their models where the name is the same", async () => {
  const machine = { processor: "AMD EPYC", cores: 2, device: "CPU" };
  const on = (model: string, seed: number): Answered => ({
    ...simple,
    row: { run_id: `seed-${seed}`, seed },
    manifest: { machine: { ...machine, processor_model: model } },
  });
  await compareRuns({ a: [on("family 25", 1), on("family 26", 2)] }, (_, report) => {
    const costs = below(report, "### What did a run cost?");
    assertStringIncludes(costs, "| Shared the machine? | Machine |\n");
    assertMatch(costs, /^\| SimpleCNN \| 1 .*\| AMD EPYC \(family 25\), 2 cores \|$/m);
    assertMatch(costs, /^\| SimpleCNN \| 2 .*\| AMD EPYC \(family 26\), 2 cores \|$/m);
  });
});

Deno.test("the report says nothing of cores at work where features may have been read", async () => {
  const run = (name: string, settings: Manifest["settings"], wall?: number): Answered => ({
    ...alexnet,
    row: { ...alexnet.row, run_id: name, seed: Number(name.at(-1)) },
    manifest: {
      settings,
      machine: { processor: "some", cores: 4, device: "CPU" },
      measured: {
        resources: { cpu_seconds: 1205, ...(wall !== undefined && { wall_seconds: wall }) },
      },
    },
  });
  const rows = async (runs: readonly Answered[]) => {
    let costs = "";
    await compareRuns({ a: runs }, (_, report) => {
      costs = below(report, "### What did a run cost?");
    });
    return costs;
  };
  const some = await rows([
    run("run-1", { feature_cache: "yes" }),
    run("run-2", { feature_cache: "yes" }, 1205),
    run("run-3", { feature_cache: "no" }),
    run("run-4", {}),
  ]);
  assertEquals(some.split("\n").filter((line) => /^\| alexnet/.test(line)), [
    "| alexnet_FineTuned | 1 | 1205.0 | 1205.0 | – | – |",
    "| alexnet_FineTuned | 2 | 1205.0 | 1205.0 | 1.00 of 4 | **probably** (or it waited) |",
    "| alexnet_FineTuned | 3 | 1205.0 | 1205.0 | 1.00 of 4 | **probably** (or it waited) |",
    "| alexnet_FineTuned | 4 | 1205.0 | 1205.0 | – | – |",
  ]);
  assertStringIncludes(some, "seconds that an earlier run spent on computing features");
  const recorded = await rows([run("run-2", { feature_cache: "yes" }, 1205)]);
  assert(!recorded.includes("an earlier run spent"));
});

Deno.test("the report says of each model exactly what differs from the study", async () => {
  const own: Answered = { ...simple, row: { run_id: "own", model: "Own" } };
  const whole: Answered = { ...simple, images: 10_000, row: { run_id: "whole" } };
  const converted = { ...alexnet.row, weights: "torchvision-convolutions:x/alexnet" };
  const cached: Answered = {
    ...alexnet,
    row: converted,
    manifest: { settings: { feature_cache: "yes" } },
  };
  await compareRuns({ a: [whole, cached, own] }, (_, report) => {
    const table = below(report, "### What exactly differs from the study?");
    assertStringIncludes(
      table,
      "| SimpleCNN | **none** | none | TensorFlow 2.21.0 through tfjs 4.22.0, ",
    );
    assertStringIncludes(
      table,
      "| alexnet_FineTuned | test images 1000 instead of 10000; the study took all classifier layers " +
        "but the last from ImageNet, whereas ours are all initialised at random | frozen features are computed " +
        "once, not in every epoch |",
    );
    assertStringIncludes(table, "| Own | not in the study: 60,000 / 1,000 images | – |");
  });
});

Deno.test("the report names the engine of each model's run, which need not be TensorFlow", async () => {
  const by = (run: Answered, backend: string): Answered => ({
    ...run,
    row: { ...run.row, backend },
    manifest: { versions: { tfjs: "4.22.0", [backend]: "4.22.0" } },
  });
  await compareRuns({ a: [by(simple, "webgpu"), by(vgg16, "wasm")] }, (_, report) => {
    const table = below(report, "### What exactly differs from the study?");
    assertStringIncludes(table, "| none | WebGPU through tfjs 4.22.0, some, 2 cores; the study: ");
    assertStringIncludes(
      table,
      "recorded | WebAssembly through tfjs 4.22.0, some, 2 cores; the study: ",
    );
    assert(!table.includes("TensorFlow"));
  });
});

Deno.test("the report's contents lead to its sections", async () => {
  await compareRuns({ a: SEEDS }, (_, report) => {
    const [contents] = report.match(/^\*\*Contents:\*\* .*$/m)!;
    const titles = [...report.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
    assertEquals([...contents!.matchAll(/\[([^\]]+)\]\(#/g)].map(([, title]) => title), titles);
    assertStringIncludes(contents!, "(#the-runs-shown-in-the-studys-table)");
    assert(report.indexOf(contents!) < report.indexOf("## "));
  });
});
