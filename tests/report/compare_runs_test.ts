import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import type { Comparison, ModelComparison } from "../../report/analysis/comparison.ts";
import { compareResults } from "../../report/compare.ts";
import { renderReport } from "../../report/page/report_page.ts";
import { appendRow } from "../../report/record/results.ts";
import type { PeerRun } from "../../report/record/peer_runs.ts";
import { runFolder, writeEvaluations } from "../../report/record/run_folder.ts";
import { asPublished, compareRuns, detector, simple, vgg16, wrongOneIn } from "./compared_runs.ts";
import { PEER } from "./peers.ts";
import { type Answered, recordRun, resultRow, withFolder } from "./result_rows.ts";

function problemsOf({ problems }: Comparison): string[] {
  return problems.map(({ file, text }) => `${file}: ${text}`);
}

Deno.test("compareResults() tests pairs of models on the same images", async () => {
  const other: Answered = { ...vgg16, row: { ...vgg16.row, dataset_sha256: "cd34" } };
  await compareRuns({ a: [simple, detector, other] }, ({ pairs, rankings }, report) => {
    // Index 0, 100, ... is wrong for SimpleCNN; those of class 1 are indices 1, 11, ...
    assertEquals(
      pairs.map(({ models, onlyFirst, onlySecond }) => [models, onlyFirst, onlySecond]),
      [
        [["SimpleCNN", "FasterRCNN_Adapted"], 890, 0],
      ],
    );
    assertStringIncludes(
      report,
      "| SimpleCNN | FasterRCNN_Adapted | 1,000 | 890 | 0 | p < 0.001 | p < 0.001 | yes |\n",
    );
    assertEquals(rankings.map(({ models }) => models), [
      ["SimpleCNN", "FasterRCNN_Adapted"],
      ["vgg16_FineTuned"],
    ]);
    assertStringIncludes(report, "**FasterRCNN_Adapted is no better");
    assertStringIncludes(report, "100.0 % of its predictions are 1.\n");
    assertStringIncludes(report, "only vgg16_FineTuned (60,000 / 1,000 images) was run");
  });
});

Deno.test("compareResults() takes several folders together", async () => {
  await compareRuns({ here: [simple], there: [vgg16] }, (comparison, report, folder) => {
    const { models, pairs } = comparison;
    assertEquals(problemsOf(comparison), []);
    assertEquals(models[0]!.folder, join(folder, "here"));
    assertEquals(models[2]!.folder, join(folder, "there"));
    assertEquals(pairs.length, 1);
    assertStringIncludes(report, `| \`run-4\` in \`${join(folder, "there")}\` |`);
  });
});

Deno.test("compareResults() names the folder of a problem where there are several", async () => {
  await compareRuns({ a: [simple], b: [simple] }, (comparison, _report, folder) => {
    const repeated = "the run comes again later, this row skipped";
    assertEquals(problemsOf(comparison), [`${join(folder, "a", "part1.csv")}: ${repeated}`]);
    assertEquals(comparison.models[0]!.folder, join(folder, "b"));
  });
});

Deno.test("compareResults() says in what the rows shown do not belong together", async () => {
  const other = { ...vgg16, images: 100, manifest: { git: { commit: "ffff0000", clean: false } } };
  await compareRuns({ a: [simple, other] }, ({ mixed }, report) => {
    assertEquals(mixed, [
      "The rows shown were made by different versions of the code: 0123abc (SimpleCNN); ffff000 with " +
      "local changes (vgg16_FineTuned)",
      "The rows shown were tested on different images: mnist (1000 test images, sha256 ab12) " +
      "(SimpleCNN); mnist (100 test images, sha256 ab12) (vgg16_FineTuned)",
    ]);
    assertStringIncludes(report, "vgg16_FineTuned ran with changes that were not committed");
    assertStringIncludes(
      report,
      "```sh\nhere=$(git symbolic-ref --quiet --short HEAD || git rev-parse HEAD)\n" +
        "git checkout 0123abcd0123abcd\ndeno task part1 --seed 1\n" +
        'git checkout ffff0000\ndeno task part4 --seed 1\ngit checkout "$here"\n' +
        "deno task compare\n```\n",
    );
  });
});

const run = (folder: string, file = "") => join(runFolder(join(folder, "a"), "run-1"), file);

for (
  const { name, damage, problem } of [
    {
      name: "a missing run folder",
      damage: (folder: string) => Deno.remove(run(folder), { recursive: true }),
      problem: ": the run folder of SimpleCNN is missing, and with it manifest and predictions",
    },
    {
      name: "a missing manifest",
      damage: (folder: string) => Deno.remove(run(folder, "manifest.json")),
      problem: "/manifest.json: missing",
    },
    {
      name: "a manifest that is none",
      damage: (folder: string) => Deno.writeTextFile(run(folder, "manifest.json"), '{"git": 1}'),
      problem: "/manifest.json: damaged or not readable, not used",
    },
    {
      name: "a damaged history",
      damage: (folder: string) => Deno.writeTextFile(run(folder, "history.csv"), "epoch\n1\n"),
      problem: "/history.csv: damaged or not readable, not used",
    },
    {
      name: "predictions of another length than the row says",
      damage: (folder: string) =>
        Deno.writeTextFile(
          run(folder, "predictions.csv"),
          "index,target,prediction,score\n0,1,1,1\n",
        ),
      problem: "/predictions.csv: 1 predictions where the row says 1000 test images, not used",
    },
    {
      name: "predictions that are no labels",
      damage: (folder: string) =>
        Deno.writeTextFile(
          run(folder, "predictions.csv"),
          "index,target,prediction,score\n0,1e9,1,1\n",
        ),
      problem: "/predictions.csv: damaged or not readable, not used",
    },
    {
      name: "predictions with other scores than the row",
      damage: async (folder: string) => {
        const path = run(folder, "predictions.csv");
        const text = await Deno.readTextFile(path);
        await Deno.writeTextFile(path, text.replace("\n5,5,5,", "\n5,5,6,"));
      },
      problem: "/predictions.csv: accuracy 98.90 % where the row says 99, not used",
    },
  ]
) {
  Deno.test(`compareResults() reports ${name} and goes on`, async () => {
    await compareRuns({ a: [simple] }, (comparison, report) => {
      assertEquals(problemsOf(comparison), [`${join("runs", "run-1")}${problem}`]);
      assertStringIncludes(report, "| SimpleCNN | 0.0300 | 99.00 |");
      assertStringIncludes(report, "## Problems\n\n- runs/run-1");
    }, damage);
  });
}

Deno.test("compareResults() takes the predictions of a trained detector, misses being wrong", async () => {
  const tuned: Answered = {
    ...detector,
    answer: (target, index) => index % 50 === 0 ? -1 : target,
    row: {
      ...{ ...detector.row, run_id: "tuned", model: "FasterRCNN_HeadTuned" },
      ...{ epochs: 3, train_images: 60_000 },
    },
  };
  await compareRuns({ a: [tuned, { ...tuned, row: detector.row! }] }, (comparison, report) => {
    assertEquals(problemsOf(comparison), []);
    const scores = comparison.models.filter(({ evaluation }) => evaluation !== null)
      .map(({ row, evaluation }) => [row!.accuracy, evaluation!.accuracy, evaluation!.undetected]);
    assertEquals(scores, [[100, 100, 20], [98, 98, 20]]);
    const found = "no digit was found in 20 of 1000 test images; they";
    assertStringIncludes(report, `FasterRCNN_Adapted: ${found} are left out of its metrics.`);
    assertStringIncludes(report, `FasterRCNN_HeadTuned: ${found} count as wrong.`);
    assertMatch(report, /\| FasterRCNN_HeadTuned, [^|]*\| [^|]*\| 1 \|[^\n]* 1,000 \|\n/);
    assertMatch(
      report,
      /\| FasterRCNN_HeadTuned \| 1 \| 1,000 \| 20 \| 98\.00 \| 96\.93 to 98\.70 \|/,
    );
  });
});

Deno.test("compareResults() holds a row's run_id that names no folder", async () => {
  await compareRuns({ a: [simple] }, (comparison, report) => {
    assertMatch(problemsOf(comparison)[0]!, /SimpleCNN has a run_id that names no folder/);
    assert(!report.includes("<b>"));
  }, async (folder) => {
    const path = join(folder, "a", "part1.csv");
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace("run-1", "../../<b>|x"));
  });
});

for (const runId of ["", "../../x"]) {
  Deno.test(`compareResults() notes ${JSON.stringify(runId)} as the run_id of an older seed, and goes on`, async () => {
    await compareRuns({ a: [asPublished(1, 0.02), asPublished(2, 0.025)] }, (found, report) => {
      assertEquals(
        problemsOf(found).filter((problem) => !problem.includes("learning curve")),
        [
          `${join("runs", runId)}: SimpleCNN has a run_id that names no folder: its manifest and ` +
          "predictions are missing",
          "runs/seed-1: the run is finished, but its row is missing: put its part's CSV right, or " +
          "the same command with --resume tests it again and adds the row",
        ],
      );
      const [{ row, settings, seedRuns }] = found.models as [ModelComparison];
      assertEquals([row!.run_id, settings[0]!.seeds], ["seed-2", 2]);
      assertEquals(seedRuns.map(({ manifest }) => manifest), [null]);
      assertStringIncludes(report, "99.27 ± 0.00 (2 seeds)");
    }, async (folder) => {
      const path = join(folder, "a", "part1.csv");
      const text = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, text.replace("\nseed-1,", `\n${runId},`));
    });
  });
}

Deno.test("compareResults() asks no folder of a run that failed", async () => {
  await withFolder({}, async (folder) => {
    await appendRow(folder, resultRow({ status: "error", accuracy: NaN, epochs: 0 }));
    assertEquals((await compareResults([folder])).problems, []);
  });
});

Deno.test("renderReport() escapes a command and machine from a manifest", async () => {
  const hostile: Answered = {
    ...simple,
    manifest: {
      settings: { command: ["--data", "my digits'\n```\n# x", "--out=/tmp/x", 3] },
      machine: { processor: "<img src=x>|`a`", cores: 2 },
      git: { commit: "`; rm -rf /", clean: true },
    },
  };
  await compareRuns({ a: [hostile] }, (_comparison, report) => {
    assertStringIncludes(report, "```sh\ndeno task part1 --data 'my digits'\\''  # x'\n");
    assertStringIncludes(report, "| &lt;img src=x&gt;\\|\\`a\\`, 2 cores |\n");
    assert(!report.includes("git checkout"));
  });
});

Deno.test("a comparison as JSON has no NaN", async () => {
  const unscored = { ...simple, row: { test_loss: null, training_time_s: Infinity } };
  await compareRuns({ a: [unscored] }, (comparison) => {
    const text = JSON.stringify(comparison);
    assert(!/NaN|Infinity/.test(text));
    const { models } = JSON.parse(text);
    assertEquals(models[0].verdicts[0].ours, null);
    assertEquals(models[0].evaluation.confusion.length, 10);
    assertEquals(models[0].history.length, 10);
  });
});

Deno.test("compareResults() shows the study's setting whatever was tried later", async () => {
  const later = { started_at: "2027-01-01T00:00:00Z", run_id: "try" };
  const tried: Answered = { ...simple, row: { ...later, train_images: 500, epochs: 1 } };
  await compareRuns({ a: [asPublished(1, 0.02), tried] }, ({ models }, report) => {
    assertEquals(models[0]!.row?.run_id, "seed-1");
    assertEquals(models[0]!.newerFailure, null);
    assertStringIncludes(report, "| 2 | SimpleCNN, 500 / 1,000 images, 1 epoch |");
  });
});

Deno.test("compareResults() sets the committed runs beside others, and not beside themselves", async () => {
  await withFolder({}, async (folder) => {
    const [mine, reference] = [join(folder, "mine"), join(folder, "reference")];
    await recordRun(mine, simple);
    const options = { reference };
    assertEquals((await compareResults([mine], options)).reference, []);
    await recordRun(reference, asPublished(1, 0.02));
    const comparison = await compareResults([mine], options);
    assertEquals(comparison.reference.map(({ model }) => model), ["SimpleCNN"]);
    const report = renderReport(comparison);
    assertStringIncludes(
      report,
      "| Published accuracy (%) | Reference (%) | Yours (%) | Verdict |",
    );
    assertStringIncludes(
      report,
      "| 99.27 | 99.27 (1 seed) | 99.00 (1 seed) | not comparable: subset |",
    );
    assertEquals((await compareResults([reference], options)).reference, []);
  });
});

Deno.test("the report says of the committed runs what is not as in the study", async () => {
  await withFolder({}, async (folder) => {
    const [mine, reference] = [join(folder, "mine"), join(folder, "reference")];
    await recordRun(mine, { ...simple, images: 10_000 });
    await recordRun(reference, { ...detector, row: { ...detector.row, weights: "random" } });
    const report = renderReport(await compareResults([mine], { reference }));
    assertStringIncludes(
      report,
      "| FasterRCNN_Adapted | 11.35 | 10.00 (1 seed), random weights, 1,000 test images | not run |",
    );
    assertStringIncludes(report, "; whatever differs in the reference's follows its accuracy.");
  });
});

Deno.test("renderReport() shows test accuracy by epoch, core-seconds and memory where recorded", async () => {
  const resources = { cpu_seconds: 240.25, peak_memory_bytes: 1_250_000_000 };
  const measured: Answered = { ...simple, manifest: { measured: { resources } } };
  await compareRuns({ a: [measured] }, async (_comparison, report, folder) => {
    assertStringIncludes(report, "| Core-seconds | Peak memory (GB) |");
    assertStringIncludes(report, "| 240.3 | 1.25 |\n");
    const rows = [{ epoch: 5, test_loss: 0.1, test_accuracy: 98 }];
    await writeEvaluations(runFolder(join(folder, "a"), "run-1"), rows);
    const { models } = await compareResults([join(folder, "a")]);
    assertEquals(models[0]!.evaluations, [rows]);
  });
});

Deno.test("compareResults() shows the runs of one seed by two engines, each by its name", async () => {
  const seeds = [1, 2, 3];
  const by = (backend: string, wrong: number) =>
    seeds.map((seed): Answered => ({
      ...simple,
      answer: wrongOneIn(wrong + seed),
      row: { run_id: `${backend}-${seed}`, seed, backend },
    }));
  await compareRuns({ a: [...by("tensorflow", 100), ...by("webgpu", 50)] }, (found, report) => {
    assertEquals(problemsOf(found), []);
    const [{ settings }] = found.models as [ModelComparison];
    assertEquals(settings.map(({ newest, seeds }) => [newest.backend, seeds]), [
      ["webgpu", 3],
      ["tensorflow", 3],
    ]);
    const setting = "SimpleCNN, 60,000 / 1,000 images";
    for (const name of [`${setting}, on webgpu`, setting]) {
      // In the list of all runs and in that of the distributions.
      assertEquals(report.split(`| ${name} | 3 |`).length - 1, 1, name);
      assertEquals(report.split(`| ${name} | 3,199,106 | 3 |`).length - 1, 1, name);
    }
    assertStringIncludes(report, `| ${setting}, on webgpu | 99.27 |`);
    assertStringIncludes(report, "as does the engine where it is not TensorFlow");
    assertStringIncludes(report, "decay 0.0001, random, float32, on webgpu |");
  });
});

Deno.test("compareResults() notes the runs of a seed that a newer one replaces", async () => {
  const run = (name: string, changes: Answered["row"]): Answered => ({
    ...simple,
    row: { run_id: name, ...changes },
  });
  const runs = [
    run("old", { seed: 1 }),
    run("failed", { seed: 1, status: "error" }),
    run("other", { seed: 1, epochs: 3 }),
    run("wasm", { seed: 1, backend: "wasm" }),
    run("new", { seed: 1 }),
    run("second", { seed: 2 }),
  ];
  await compareRuns({ a: runs }, (comparison, report) => {
    const told = "an older run of a seed that new has with the same settings, not counted";
    assertEquals(problemsOf(comparison), [`part1.csv: ${told}`]);
    assertStringIncludes(report, `- part1.csv, line 2: ${told}.\n`);
    assertEquals(comparison.models[0]!.settings[0]!.seeds, 2);
  });
});

Deno.test("compareResults() takes no older copy of a run for a newer one that was interrupted", async () => {
  for (const status of ["interrupted", "error"] as const) {
    const cut: Answered = { ...simple, row: { status, accuracy: null, epochs: 3, seed: 1 } };
    for (const order of [["new", "old"], ["old", "new"]] as const) {
      const copies = { new: [simple], old: [cut] };
      const runs = Object.fromEntries(order.map((name) => [name, copies[name]]));
      await compareRuns(runs, (comparison, report) => {
        const [{ row, newerFailure, failedSeeds }] = comparison.models as [ModelComparison];
        assertEquals([row!.status, newerFailure, failedSeeds], ["ok", null, []]);
        assert(!report.includes("What is missing or failed:\n\n- SimpleCNN"));
        assertEquals(problemsOf(comparison), []);
      });
    }
  }
});

Deno.test("compareResults() counts what was copied into another folder once", async () => {
  const peer: PeerRun = {
    ...{ model: "FasterRCNN_Adapted", accuracy: 10, f1: 0.02, seed: 1, test_images: 20 },
    ...{ dataset_sha256: "ab12", weights: "w.safetensors", predictions: [1, 1, 2], run: "run-2" },
  };
  const trained = { ...PEER, weights: "random" };
  await compareRuns(
    { a: [detector, simple], b: [detector, simple] },
    (comparison) => {
      assertEquals(comparison.answers.map(({ row, images }) => [row.run_id, images]), [
        ["run-2", 3],
      ]);
      assertEquals(comparison.peersAlone.map(({ model }) => model), ["SimpleCNN"]);
      assert(!problemsOf(comparison).some((problem) => problem.includes("older run")));
    },
    async (folder) => {
      await writePeers(folder, { "answers.json": peer, "trained.json": trained });
      await Deno.mkdir(join(folder, "b", "pytorch"));
      for (const name of ["answers.json", "trained.json"]) {
        const [from, to] = ["a", "b"].map((results) => join(folder, results, "pytorch", name));
        await Deno.copyFile(from!, to!);
      }
    },
  );
});

/** Puts runs of PyTorch's into the results folder `a`, by the names of their files. */
async function writePeers(folder: string, peers: Record<string, PeerRun>): Promise<void> {
  await Deno.mkdir(join(folder, "a", "pytorch"));
  for (const [name, peer] of Object.entries(peers)) {
    await Deno.writeTextFile(join(folder, "a", "pytorch", name), JSON.stringify(peer));
  }
}

Deno.test("compareResults() finds the run whose weights PyTorch took, whichever seed is shown", async () => {
  const newer: Answered = {
    ...detector,
    row: { ...detector.row, run_id: "newer", seed: 2, started_at: "2026-01-02T10:00:00.000Z" },
  };
  const peer: PeerRun = {
    ...{ model: "FasterRCNN_Adapted", accuracy: 10, f1: 0.02, seed: 1, test_images: 20 },
    ...{ dataset_sha256: "ab12", weights: "w.safetensors", predictions: [1, 1, 2] },
  };
  const peers = {
    "of-newer.json": { ...peer, run: "newer" },
    "of-older.json": { ...peer, run: "run-2", predictions: [1, 2, 2] },
    "of-none.json": { ...peer, run: "run-3" },
  };
  await compareRuns(
    { a: [detector, newer] },
    (comparison) => {
      const { models, answers, peersAlone } = comparison;
      const found = answers.map(({ row, images, same }) => [row.run_id, images, same]);
      assertEquals(found, [["newer", 3, 2], ["run-2", 3, 1]]);
      assertEquals(peersAlone.map(({ run }) => run), ["run-3"]);
      assertEquals(models.find(({ row }) => row !== null)!.row!.run_id, "newer");
      assertEquals(problemsOf(comparison), []);
    },
    (folder) => writePeers(folder, peers),
  );
});

Deno.test("compareResults() counts a seed of PyTorch's once, its newest run, and notes the others", async () => {
  const seeds = [1, 2, 3].map((seed): Answered => ({
    ...simple,
    images: 10_000,
    row: { run_id: `s${seed}`, seed, weights: "" },
  }));
  const peers = {
    "a.json": { ...PEER, accuracy: 98.9, finished_at: "2026-01-03T10:00:00.000Z" },
    "b.json": { ...PEER, accuracy: 97, finished_at: "2026-01-02T10:00:00.000Z" },
    "c.json": { ...PEER, accuracy: 96 },
    "d.json": { ...PEER, accuracy: 96, seed: 2 },
    "e.json": { ...PEER, accuracy: 99.1, seed: 2 },
    "f.json": { ...PEER, accuracy: 95, epochs: 3 },
  };
  await compareRuns(
    { a: seeds },
    (comparison) => {
      const [{ theirs } = { theirs: undefined }] = comparison.peers;
      assertEquals([theirs?.accuracy.n, theirs?.accuracy.mean], [2, 99]);
      assertEquals(comparison.peersAlone.map(({ accuracy }) => accuracy), [95]);
      const older = (file: string, newest: string) =>
        `${join("pytorch", file)}: an older run of a seed that is in ` +
        `${join("pytorch", newest)} too, not counted`;
      assertEquals(problemsOf(comparison), [
        older("b.json", "a.json"),
        older("c.json", "a.json"),
        older("d.json", "e.json"),
      ]);
    },
    (folder) => writePeers(folder, peers),
  );
});
