import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import type { Comparison } from "../../report/analysis/comparison.ts";
import { compareResults } from "../../report/compare.ts";
import { renderReport } from "../../report/page/report_page.ts";
import { appendRow } from "../../report/record/results.ts";
import { runFolder } from "../../report/record/run_folder.ts";
import { type Answered, recordRun, resultRow, withFolder } from "./result_rows.ts";

const IMAGES = 1000;

/** Answers that are right but for one in `n`, which is the next digit. */
function wrongOneIn(n: number): Answered["answer"] {
  return (target, index) => index % n === 0 ? (target + 1) % 10 : target;
}

const simple: Answered = { images: IMAGES, answer: wrongOneIn(100) };
const vgg16: Answered = {
  images: IMAGES,
  answer: wrongOneIn(50),
  row: {
    run_id: "run-4",
    part: 4,
    model: "vgg16_FineTuned",
    epochs: 8,
    batch_size: 32,
    learning_rate: 0.0005,
    weights: "torchvision:vgg16.pth",
    training_time_s: 1205,
  },
};
const alexnet: Answered = {
  ...vgg16,
  row: { ...vgg16.row, run_id: "run-5", model: "alexnet_FineTuned" },
};
const detector: Answered = {
  images: IMAGES,
  answer: () => 1,
  row: {
    run_id: "run-2",
    part: 2,
    model: "FasterRCNN_Adapted",
    test_loss: 0,
    training_time_s: null,
    train_images: null,
    epochs: null,
    batch_size: null,
    learning_rate: null,
    weight_decay: null,
    weights: "torchvision:fasterrcnn.pth",
  },
};

/** Compares these runs, each in the results folder of the given name. */
async function compareRuns(
  runs: Record<string, readonly Answered[]>,
  action: (comparison: Comparison, report: string, folder: string) => void | Promise<void>,
  damage: (folder: string) => void | Promise<void> = () => {},
): Promise<void> {
  await withFolder({}, async (folder) => {
    for (const [name, answered] of Object.entries(runs)) {
      for (const run of answered) await recordRun(join(folder, name), run);
    }
    await damage(folder);
    const comparison = await compareResults(Object.keys(runs).map((name) => join(folder, name)));
    await action(comparison, renderReport(comparison), folder);
  });
}

function problemsOf({ problems }: Comparison): string[] {
  return problems.map(({ file, text }) => `${file}: ${text}`);
}

/** A run with the study's counts of images in its row: its files hold `images`. */
function asPublished(seed: number, testLoss: number): Answered {
  return {
    images: 10_000,
    answer: wrongOneIn(137), // 99.27 %
    row: { run_id: `seed-${seed}`, seed, test_loss: testLoss },
  };
}

Deno.test("compareResults() calls values reproduced that lie inside our intervals", async () => {
  await compareRuns({ a: [asPublished(1, 0.02), asPublished(2, 0.025)] }, ({ models }, report) => {
    const verdicts = models[0]!.verdicts.map(({ metric, verdict, method }) =>
      [metric, verdict, method].join(" ")
    );
    assertEquals(verdicts, [
      "test_loss reproduced 2 seeds",
      "accuracy reproduced Wilson",
      "f1 reproduced bootstrap",
      "training_time_s not comparable ",
    ]);
    assertStringIncludes(report, "| SimpleCNN | test loss | 0.0224 | 0.0250 | +0.0026 |");
    assertStringIncludes(report, "(2 seeds) | **reproduced** |\n");
  });
});

Deno.test("compareResults() calls values different that lie outside our intervals", async () => {
  const worse: Answered = { ...asPublished(1, 0.5), answer: wrongOneIn(50) };
  await compareRuns({ a: [worse, { ...worse, row: { seed: 2, test_loss: 0.5001 } }] }, (found) => {
    const verdicts = found.models[0]!.verdicts.map(({ verdict }) => verdict);
    assertEquals(verdicts, ["differs", "differs", "differs", "not comparable"]);
  });
});

Deno.test("compareResults() judges an untrained head over its seeds", async () => {
  const seeds = [1, 2, 3].map((seed): Answered => ({
    images: 10_000,
    answer: (target, index) => index % 100 < seed ? target : 1,
    row: { ...detector.row, run_id: `head-${seed}`, seed },
  }));
  await compareRuns({ a: seeds }, ({ models }) => {
    const [loss, accuracy] = models[1]!.verdicts;
    assertEquals(loss!.reasons, ["0 by definition, as nothing is trained"]);
    assertEquals(accuracy!.method, "3 seeds");
  });
});

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
    assertStringIncludes(report, "only vgg16_FineTuned was run");
  });
});

Deno.test("compareResults() supports the study's claims where the runs do", async () => {
  await compareRuns({ a: [simple, detector, vgg16, alexnet] }, ({ claims, mixed }, report) => {
    assertEquals(mixed, []);
    // 990 against 980 of 1000: the ten more that vgg16 gets wrong are one in 1000 by chance.
    assertEquals(claims.map(({ verdict }) => verdict), ["supported", "contradicted", "supported"]);
    assertMatch(
      claims[0]!.because,
      /correct on 99.00 %, the best other, vgg16_FineTuned, on 98.00 %/,
    );
    assertMatch(claims[1]!.because, /1.00 points behind and trains 10.0 times as long/);
    assertMatch(claims[2]!.because, /10.00 % of the images .* guessing reaches up to 11.90 %/);
    assertStringIncludes(report, "it trained for 1205.00 s, 10.00 times as long.\n");
  });
});

Deno.test("compareResults() leaves a claim undecided or contradicts it by the numbers", async () => {
  const better = { ...vgg16, answer: wrongOneIn(1001) };
  const equal = { ...vgg16, answer: wrongOneIn(90) };
  const rest = [simple, { ...detector, answer: wrongOneIn(2) }, alexnet];
  await compareRuns({ a: [...rest, better] }, ({ claims }) => {
    const verdicts = claims.map(({ verdict }) => verdict);
    assertEquals(verdicts, ["contradicted", "contradicted", "contradicted"]);
  });
  await compareRuns({ a: [...rest, equal] }, ({ claims }) => {
    assertEquals(claims[0]!.verdict, "undecided");
  });
});

Deno.test("compareResults() does not test claims on what is not there", async () => {
  const random = { ...vgg16, row: { ...vgg16.row, weights: "random" } };
  await compareRuns({ a: [random] }, ({ claims }, report) => {
    assertEquals(claims.map(({ verdict }) => verdict), ["not tested", "not tested", "not tested"]);
    assertStringIncludes(claims[1]!.because, "SimpleCNN has not been run");
    assertStringIncludes(claims[1]!.because, "vgg16_FineTuned was run with random weights");
    assertStringIncludes(report, "- **Random weights**: vgg16_FineTuned started from them");
    assertStringIncludes(report, "**run with random weights, so not a result about the pretrained");
    assert(!report.includes("is the most accurate: "), report);
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
      "The rows shown were made by different versions of the code: 0123abc (SimpleCNN); ffff000 " +
      "(vgg16_FineTuned)",
      "The rows shown were tested on different images: mnist (1000 test images, sha256 ab12) " +
      "(SimpleCNN); mnist (100 test images, sha256 ab12) (vgg16_FineTuned)",
    ]);
    assertStringIncludes(report, "vgg16_FineTuned ran with changes that were not committed");
    assertStringIncludes(
      report,
      "```sh\ngit checkout 0123abcd0123abcd\ndeno task part1 --seed 1\n" +
        "git checkout ffff0000\ndeno task part4 --seed 1\ndeno task compare\n```\n",
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
  const unscored = { ...simple, row: { test_loss: NaN, training_time_s: Infinity } };
  await compareRuns({ a: [unscored] }, (comparison) => {
    const text = JSON.stringify(comparison);
    assert(!/NaN|Infinity/.test(text));
    const { models } = JSON.parse(text);
    assertEquals(models[0].verdicts[0].ours, null);
    assertEquals(models[0].evaluation.confusion.length, 10);
    assertEquals(models[0].history.length, 10);
  });
});
