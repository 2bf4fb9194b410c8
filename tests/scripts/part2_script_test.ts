/** Part 2 from its command line, in processes of its own. */

import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { ProblemList } from "../../report/record/problems.ts";
import { readResults, type ResultRow, resultsPath } from "../../report/record/results.ts";
import { readManifest, readPredictions, runFolder } from "../../report/record/run_folder.ts";
import { FASTER_RCNN_HEAD_TUNED } from "../../study.ts";
import { filesIn, Program } from "./part1_process.ts";
import { withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";

const TASK = taskArgs("part2");

const TINY = ["--data=mnist", "--weights=random", "--test-limit=2", "--batch-size=1"];

function start(args: readonly string[], env: Record<string, string> = {}): Program {
  return new Program(Deno.execPath(), [...TASK, ...args], env);
}

async function rowsOf(out: string): Promise<ResultRow[]> {
  const problems = new ProblemList();
  const rows = await readResults(resultsPath(out, 2), problems);
  assertEquals(problems.list(), []);
  return rows.map(({ row }) => row);
}

Deno.test("part2 runs the detector, is interrupted by Ctrl-C and goes on with --resume", () =>
  withFolder({}, async (out) => {
    const interrupted = start([...TINY, "--out", out]);
    await interrupted.until(/^FasterRCNN_Adapted: seed 1, random weights$/m);
    interrupted.kill("SIGINT");
    const { code, stderr } = await interrupted.end();
    assertEquals(code, 130, stderr);
    assertMatch(stderr, /^NO RESULT ABOUT FASTER R-CNN: with random weights /m);
    assertMatch(stderr, /^error: FasterRCNN_Adapted \(seed 1\) was interrupted .*--resume /m);
    const [first, ...others] = await rowsOf(out);
    assertEquals([first!.status, others], ["interrupted", []]);

    const resumed = await start([...TINY, "--out", out, "--resume", "--json"]).end();
    assertEquals(resumed.code, 0, resumed.stderr);
    const [row, ...more] = await rowsOf(out);
    assertEquals([row!.run_id, row!.status, more], [first!.run_id, "ok", []]);
    assertEquals(JSON.parse(resumed.stdout).run_id, row!.run_id);
    assertEquals([row!.test_loss, row!.training_time_s], [0, "N/A (Inference Only)"]);
    assertEquals([row!.test_images, row!.train_images, row!.epochs], [2, null, null]);
    assertEquals([row!.weights, row!.weights_sha256, row!.batch_size], ["random", "", 1]);
    assert(row!.inference_ms_per_image! > 0);
    assertMatch(resumed.stderr, /^No detection: \d of 2 images$/m);
    assertMatch(resumed.stderr, /^Inference: mean .* median .* 95th percentile .* 2 images$/m);
    const { predictions } = await readPredictions(runFolder(out, row!.run_id));
    assertEquals(predictions.filter((digit) => digit !== -1).length, row!.evaluated_images);
    const { measured } = await readManifest(runFolder(out, row!.run_id));
    assertEquals((measured as { timing: { images: number } }).timing.images, 2);
    assertEquals(filesIn(out).filter((name) => name.endsWith(".tmp")), []);
  }));

Deno.test("part2 leaves an error row where its weights are not available", () =>
  withFolder({ "weights.pth": "nothing of the kind" }, async (folder) => {
    const nowhere = "http://127.0.0.1:9";
    const env = {
      MNIST_STUDY_CACHE: join(folder, "cache"),
      HTTPS_PROXY: nowhere,
      https_proxy: nowhere,
      NO_PROXY: "",
      no_proxy: "",
    };
    const cases: [name: string, args: string[], line: RegExp][] = [
      ["file", ["--weights", join(folder, "weights.pth")], /^error: .*weights\.pth/],
      ["strict", ["--strict"], /^error: Cannot have the pretrained weights .*\n--strict/],
    ];
    await Promise.all(cases.map(async ([name, args, line]) => {
      const out = join(folder, name);
      const { code, stderr } = await start(["--data=mnist", "--out", out, ...args], env).end();
      assertEquals(code, 1, stderr);
      assertMatch(stderr, line);
      assertFalse(stderr.includes("run again with --verbose"), stderr);
      const [row, ...more] = await rowsOf(out);
      assertEquals([row!.model, row!.status, more], ["FasterRCNN_Adapted", "error", []]);
      assertEquals([row!.accuracy, row!.training_time_s], [NaN, "N/A (Error)"]);
      // A long failure has its remedy on a line of its own.
      const said = stderr.replace(" (--verbose shows what was tried)", "").replace("\n--", ": --");
      assertEquals(said, `error: ${row!.error}\n`);
    }));
  }));

Deno.test("part2 leaves a row for each run where no engine starts, as a run would have it", () =>
  withFolder({ "library.so": "no library" }, async (folder) => {
    const args = [
      "--data=mnist",
      "--backend=tensorflow",
      "--train-head",
      "--seeds=3,4",
      "--lr=0.5",
    ];
    const env = { LIBTENSORFLOW_PATH: join(folder, "library.so") };
    const { code, stderr } = await start([...args, "--out", folder], env).end();
    assertEquals(code, 1, stderr);
    const { name: model, training: { batchSize } } = FASTER_RCNN_HEAD_TUNED;
    const rows = await rowsOf(folder);
    assertEquals(
      rows.map((row) => [row.model, row.seed, row.status, row.batch_size, row.learning_rate]),
      [3, 4].map((seed) => [model, seed, "error", batchSize, 0.5]),
    );
  }));

Deno.test("part2 names a wrong flag or value and the choices, exit 2", async () => {
  const cases: [string[], RegExp][] = [
    [["--epoch", "2"], /^error: Unknown flag --epoch; did you mean --epochs\? There are --/],
    [["--normalise", "never"], /^error: --normalise never: expected twice or once\n$/],
    [
      ["--normalise", "once", "--train-head"],
      /^error: --normalise and --train-head exclude each other; give one\n$/,
    ],
  ];
  for (const flag of ["--epochs", "--lr", "--limit", "--head-batch-size"]) {
    const line = new RegExp(`^error: ${flag} needs --train-head; give both or neither\n$`);
    cases.push([[flag, "3", ...flag === "--lr" ? ["--dry-run"] : []], line]);
  }
  const tooMany = ["--train-head", "--limit", "2501"];
  cases.push([tooMany, /^error: --limit 2501: --train-head takes at most 2500 images, .*\n$/]);
  const results = await Promise.all(cases.map(([args]) => start(args).end()));
  for (const [i, [, line]] of cases.entries()) {
    assertMatch(results[i]!.stderr, line);
    assertEquals(results[i]!.code, 2);
  }
});

Deno.test("part2 --help lists its flags with the shared ones", async () => {
  const { code, stdout } = await start(["--help"]).end();
  assertEquals(code, 0);
  for (
    const flag of [
      "--weights pretrained|random|FILE",
      "--train-head",
      "--test-limit N",
      "--normalise twice|once",
    ]
  ) {
    assertStringIncludes(stdout, flag);
  }
});
