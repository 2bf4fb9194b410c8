import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { GATE_NAMES, whatDoesNotHold } from "../../../report/analysis/gate.ts";
import { compareResults } from "../../../report/compare.ts";
import { asPublished, compareRuns, detector, simple, vgg16, wrongOneIn } from "../compared_runs.ts";
import { renderReport } from "../../../report/page/report_page.ts";
import { runFolder, writeEvaluations } from "../../../report/record/run_folder.ts";
import { type Answered, recordRun, withFolder } from "../result_rows.ts";

/** The study's own accuracy, in two runs. */
const reproduced = [asPublished(1, 0.0224), asPublished(2, 0.0226)];

const failed: Answered = { ...vgg16, row: { ...vgg16.row, status: "error", accuracy: NaN } };

/** What fails of these runs. */
async function gate(
  runs: readonly Answered[],
  required?: readonly string[],
  code?: readonly string[],
): Promise<string[]> {
  let failures: string[] = [];
  await compareRuns({ a: runs }, (comparison) => {
    failures = whatDoesNotHold(comparison, { required, code });
  });
  return failures;
}

Deno.test("the gate calls the study's models by short names", () => {
  assertEquals([...GATE_NAMES].sort(), ["alexnet", "fasterrcnn", "simplecnn", "vgg16"]);
});

Deno.test("the gate holds where every model with a run is reproduced", async () => {
  assertEquals(await gate(reproduced), []);
  const variation = { ...simple, row: { model: "Another", run_id: "x", dataset: "other" } };
  assertEquals(await gate([...reproduced, variation]), []);
});

Deno.test("the gate names a value that differs", async () => {
  const worse = { ...asPublished(1, 0.02), answer: wrongOneIn(50) };
  assertEquals(await gate([worse]), [
    "SimpleCNN's accuracy differs from the published value",
    "SimpleCNN's f1 differs from the published value",
  ]);
});

/** VGG16 with so many wrong of 10,000 images. */
function vgg16Seed(seed: number, wrong: number): Answered {
  return {
    images: 10_000,
    answer: (target, index) => index < wrong ? (target + 1) % 10 : target,
    row: { ...vgg16.row, run_id: `vgg16-${seed}`, seed, test_loss: 0.05 + seed / 100 },
  };
}

Deno.test("the gate does not pass on seeds that are so far apart that a value inside is no evidence", async () => {
  const seeds = [vgg16Seed(1, 101), vgg16Seed(2, 5000)];
  assertEquals(await gate(seeds), [
    "vgg16_FineTuned has too few seeds to judge: by 2 seeds one more run's accuracy is expected, by " +
    "the widened interval, in 0.00 to 100.00; run more seeds",
  ]);
  await compareRuns({ a: seeds }, ({ models }, report) => {
    const verdicts = models[2]!.verdicts.map(({ metric, verdict }) => `${metric} ${verdict}`);
    assertEquals(verdicts, [
      "test_loss too few seeds to judge",
      "accuracy too few seeds to judge",
      "f1 too few seeds to judge",
      "training_time_s not comparable",
    ]);
    assertStringIncludes(
      report,
      "(2 seeds) | **too few seeds to judge** (widened interval of accuracy: 0.00 to 100.00) | 0.9900 |",
    );
    assertStringIncludes(report, "0.00 to 100.00 (2 seeds) | **too few seeds to judge** |\n");
    assertStringIncludes(
      report,
      "**Too few seeds to judge** means that it lies there, but that with our few seeds even the 95 %",
    );
  });
  assertEquals(await gate([1, 2, 3, 4].map((seed) => vgg16Seed(seed, 95 + 2 * seed))), []);
});

Deno.test("the gate wants something to be tested", async () => {
  const other: Answered = { ...simple, row: { model: "Another" } };
  assertEquals(await gate([other]), ["nothing was tested: no model of the study has a run"]);
  assertEquals(await gate([simple]), [
    "SimpleCNN was not tested: test images 1000 instead of 10000",
  ]);
  assertEquals(await gate([failed]), ["vgg16_FineTuned has no successful run"]);
});

Deno.test("the gate wants every published score of every run", async () => {
  const [first, second] = reproduced as [Answered, Answered];
  const unscored = (run: Answered) => ({ ...run, row: { ...run.row, accuracy: null } });
  assertEquals(await gate([unscored(first), unscored(second)]), [
    "SimpleCNN has no accuracy to compare",
  ]);
  for (const runs of [[unscored(first), second], [first, unscored(second)]]) {
    assertEquals(await gate(runs), ["SimpleCNN has its accuracy of 1 of 2 seeds only"]);
  }
});

Deno.test("the headline has no verdict without accuracy", async () => {
  const runs = reproduced.map((run) => ({ ...run, row: { ...run.row, accuracy: null } }));
  await compareRuns({ a: runs }, (_comparison, report) => {
    assertStringIncludes(
      report,
      "| 99.27 | – | accuracy not comparable: no value of ours; **reproduced**: test loss, F1 |",
    );
  });
});

Deno.test("the gate fails on a number of an ok row that cannot be read", async () => {
  for (
    const { cell, by, told } of [
      { cell: ",99.27,", by: ",99.27%,", told: "accuracy is not a number" },
      { cell: ",99.27,", by: ",Infinity,", told: "accuracy is not in 0..100 %, row skipped" },
      { cell: ",99.27,", by: ",0x63,", told: "accuracy is not a number" },
      { cell: ",120.5,", by: ',"1,034.25",', told: "training_time_s is not a number" },
      { cell: ",60000,", by: ",60OOO,", told: "train_images is not a number" },
    ]
  ) {
    await withFolder({}, async (folder) => {
      for (const run of reproduced) await recordRun(folder, run);
      const path = join(folder, "part1.csv");
      const text = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, text.replace(cell, by));
      const failures = whatDoesNotHold(await compareResults([folder]));
      assert(failures.includes(`part1.csv, line 2: ${told}`), failures.join("; "));
    });
  }
});

Deno.test("the gate wants a verdict on every model that is required, and no other", async () => {
  assertEquals(await gate([...reproduced, failed], ["simplecnn"]), []);
  assertEquals(await gate(reproduced, ["simplecnn", "alexnet", "vgg16"]), [
    "vgg16_FineTuned has not been run",
    "alexnet_FineTuned has not been run",
  ]);
  assertEquals(await gate([...reproduced, simple], ["fasterrcnn"]), [
    "FasterRCNN_Adapted has not been run",
  ]);
});

Deno.test("the gate takes other numbers of test images, and no other code or data", async () => {
  const few: Answered = { ...detector, row: { ...detector.row, dataset_sha256: "cd34" } };
  const mixed = await gate([...reproduced, few]);
  assertEquals(mixed.map((phrase) => phrase.replace(/:.*/, "")), [
    "FasterRCNN_Adapted was not tested",
    "The rows shown were tested on different data",
  ]);
  const subset = await gate([...reproduced, detector]);
  assertEquals(subset.map((phrase) => phrase.replace(/:.*/, "")), [
    "FasterRCNN_Adapted was not tested",
  ]);
  const newer: Answered = {
    ...detector,
    images: 10_000,
    manifest: { git: { commit: "ffff0000", clean: true } },
  };
  assertEquals((await gate([...reproduced, newer])).map((phrase) => phrase.replace(/:.*/, "")), [
    "FasterRCNN_Adapted was not tested",
    "The rows shown were made by different versions of the code",
  ]);
  assertEquals(await gate([...reproduced, newer], ["simplecnn"]), []);
});

Deno.test("the gate wants the seeds of a model to be of one code", async () => {
  const [first, second] = reproduced as [Answered, Answered];
  const older = { ...first, manifest: { git: { commit: "ffff0000", clean: true } } };
  assertEquals(await gate([older, second]), [
    "The rows shown were made by different versions of the code: 0123abc (SimpleCNN seed 2); " +
    "ffff000 (SimpleCNN seed 1)",
  ]);
  assertEquals(await gate([older, second], undefined, ["0123abc", "ffff0000"]), []);
  assertEquals(await gate([older, second], undefined, ["0123abc", "ffff0001"]), [
    "SimpleCNN seed 1 was made by the code ffff000, which --code does not allow",
  ]);
  // Of a model that is not asked for no row counts, whatever code it is of.
  const other = { ...simple, row: { model: "Another", run_id: "x" } };
  const elsewhere = { ...other, manifest: { git: { commit: "ffff0000", clean: true } } };
  assertEquals(await gate([first, second, elsewhere], undefined, ["0123abc"]), []);
  const replaced = { ...older, row: { ...older.row, run_id: "old" } };
  assertEquals(await gate([replaced, first, second]), []);
});

Deno.test("the gate takes a run of two versions of the code for one of each", async () => {
  const [first, second] = reproduced as [Answered, Answered];
  const newer = { commit: "ffff0000", clean: true };
  const resumedOf = (earlier: typeof newer | null) => [
    { ...first, manifest: { earlier_git: [earlier] } },
    second,
  ];
  assertEquals(await gate(resumedOf(newer)), [
    "The rows shown were made by different versions of the code: 0123abc (SimpleCNN seeds 1 and 2); " +
    "ffff000 (SimpleCNN seed 1)",
  ]);
  assertEquals(await gate(resumedOf(newer).slice(0, 1)), [
    "The rows shown were made by different versions of the code: ffff000 (SimpleCNN seed 1); " +
    "0123abc (SimpleCNN seed 1)",
  ]);
  assertEquals(await gate(resumedOf(newer), undefined, ["0123abc"]), [
    "SimpleCNN seed 1 was made by the code ffff000, which --code does not allow",
  ]);
  assertEquals(await gate(resumedOf(newer), undefined, ["0123abc", "ffff"]), []);
  assertEquals(await gate(resumedOf(null)), [
    "the version of the code is unknown for SimpleCNN seed 1",
  ]);
});

Deno.test("the gate takes a commit with local changes for other code, which --code allows never", async () => {
  const [first, second] = reproduced as [Answered, Answered];
  const dirty = { commit: "0123abcd0123abcd", clean: false };
  const refused = "was made by the code 0123abc with local changes, which --code does not allow";
  const changed = { ...first, manifest: { git: dirty } };
  assertEquals(await gate([changed, second]), [
    "The rows shown were made by different versions of the code: 0123abc (SimpleCNN seed 2); " +
    "0123abc with local changes (SimpleCNN seed 1)",
  ]);
  assertEquals(await gate([changed, second], undefined, ["0123abc"]), [
    `SimpleCNN seed 1 ${refused}`,
  ]);
  const resumed = { ...first, manifest: { earlier_git: [dirty] } };
  assertEquals(await gate([resumed, second], undefined, ["0123abc"]), [
    `SimpleCNN seed 1 ${refused}`,
  ]);
  // Each made with changes, which may be the same ones.
  assertEquals(await gate([changed, { ...second, manifest: { git: dirty } }]), []);
});

Deno.test("the gate takes no unknown code where --code wants some", async () => {
  const unknown = reproduced.map((run) => ({ ...run, manifest: { git: null } }));
  assertEquals(await gate(unknown, undefined, ["0123abc"]), [
    "the version of the code is unknown for SimpleCNN seeds 1 and 2",
  ]);
});

Deno.test("the code of every seed counts, however many there are", async () => {
  const seeds = Array.from({ length: 40 }, (_, i): Answered => ({
    ...simple,
    images: 10,
    row: { run_id: `seed-${i}`, seed: i, epochs: 0 },
    ...(i % 5 === 0 ? { manifest: { git: { commit: "ffff0000", clean: true } } } : {}),
  }));
  const other = { ...vgg16, images: 10 };
  await compareRuns({ a: [...seeds, other] }, ({ mixed, models }) => {
    assertEquals(mixed, [
      "The rows shown were made by different versions of the code: 0123abc (SimpleCNN seeds 1, 2, " +
      "3, 4, 6 and 27 more, vgg16_FineTuned); ffff000 (SimpleCNN seeds 0, 5, 10, 15, 20 and 3 more)",
    ]);
    assertEquals(models[0]!.seedRuns.length, 39);
  });
});

Deno.test("the gate fails on what was left out", async () => {
  await withFolder({ "part2_old.csv": "", "part4.csv": "a;b\n" }, async (folder) => {
    for (const run of reproduced) await recordRun(folder, run);
    assertEquals(whatDoesNotHold(await compareResults([folder])), [
      "part2_old.csv: not read, as only partN.csv counts: move it away",
      "part4.csv: the header is not that of a result file, file skipped",
    ]);
  });
});

Deno.test("the gate wants the files of every seed, whole, and the code that made it", async () => {
  const missing = "the run folder of SimpleCNN is missing, and with it manifest and predictions";
  const unread = "damaged or not readable, not used";
  const uncurved = "missing or damaged: this seed is not in the learning curve";
  const unevaluated = "damaged: this seed is not in the test accuracy by epoch";
  const unknown = "the version of the code is unknown for SimpleCNN seed";
  // In the middle of a line, of a manifest and of predictions.
  const cut = (path: string) => Deno.truncate(path, 50);
  const remove = (path: string) => Deno.remove(path);
  const damages = [
    { file: "manifest.json", damage: cut, told: unread },
    { file: "manifest.json", damage: remove, told: "missing" },
    { file: "predictions.csv", damage: cut, told: unread },
    { file: "predictions.csv", damage: remove, told: "missing" },
    // Of the seed that is not shown, what is drawn of it and what is not.
    { file: "history.csv", damage: cut, told: unread, ofOther: uncurved },
    { file: "history.csv", damage: remove, told: "missing", ofOther: uncurved },
    { file: "evaluations.csv", damage: cut, told: unread, ofOther: unevaluated },
  ];
  await withFolder({}, async (folder) => {
    for (const run of reproduced) {
      await recordRun(folder, run);
      await writeEvaluations(
        runFolder(folder, run.row!.run_id!),
        [1, 2, 3, 4].map((epoch) => ({ epoch, test_loss: 0.1, test_accuracy: 97 })),
      );
    }
    for (const { file, damage, ...tells } of damages) {
      for (const seed of [1, 2]) {
        const told = seed === 1 ? tells.ofOther ?? tells.told : tells.told;
        const path = join(runFolder(folder, `seed-${seed}`), file);
        const whole = await Deno.readFile(path);
        await damage(path);
        const comparison = await compareResults([folder], { checksSeeds: true });
        const failures = whatDoesNotHold(comparison, { required: ["simplecnn"] });
        assertEquals(failures, [
          ...(file === "manifest.json" ? [`${unknown} ${seed}`] : []),
          `${join("runs", `seed-${seed}`, file)}: ${told}`,
        ]);
        assert(!renderReport(comparison).includes("None: every line"));
        const { seedHistories, evaluations } = comparison.models[0]!;
        assertEquals(seedHistories.length, told === uncurved ? 0 : 1);
        assertEquals(evaluations.length, file === "evaluations.csv" ? 1 : 2);
        await Deno.writeFile(path, whole);
      }
    }
  });
  await withFolder({}, async (folder) => {
    for (const run of reproduced) await recordRun(folder, run);
    await Deno.remove(runFolder(folder, "seed-1"), { recursive: true });
    assertEquals(whatDoesNotHold(await compareResults([folder])), [
      `${unknown} 1`,
      `${join("runs", "seed-1")}: ${missing}`,
      `${join("runs", "seed-1", "history.csv")}: ${uncurved}`,
    ]);
  });
  const nowhere = { ...reproduced[0]!, manifest: { git: null } };
  assertEquals(await gate([nowhere, reproduced[1]!]), [`${unknown} 1`]);
  // As where the suite was unpacked from an archive.
  const all = reproduced.map((run) => ({ ...run, manifest: { git: null } }));
  assertEquals(await gate(all), []);
});
