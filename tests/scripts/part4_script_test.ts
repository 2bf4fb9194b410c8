/** Part 4 from its command line, in processes of its own, with AlexNet on a few real digits. */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { join } from "node:path";
import { noise } from "../../bench/faster_rcnn_formulas.ts";
import { idx } from "../data/idx_samples.ts";
import { firstTestDigits, MNIST_SHA256 } from "../data/mnist.ts";
import { sha256File } from "../../io/sha256.ts";
import { ALEXNET_ARCHITECTURE } from "../../models/alexnet.ts";
import { openCheckpoint } from "../../models/checkpoint/open_checkpoint.ts";
import { saveCheckpoint } from "../../models/checkpoint/safetensors.ts";
import type { StateTensor } from "../../models/checkpoint/state_dict.ts";
import { featureLayouts } from "../../models/frozen_feature_layout.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { readResults, type ResultRow } from "../../report/record/results.ts";
import {
  readHistory,
  readManifest,
  readPredictions,
  runFolder,
} from "../../report/record/run_folder.ts";
import { CHECKPOINT } from "../../experiment/resume.ts";
import { filesIn, Program } from "./part1_process.ts";
import { withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";

const TASK = taskArgs("part4");

/** Two steps an epoch. */
const SMALL = ["--data=mnist", "--limit=64", "--test-limit=32"];
const ALEXNET = [...SMALL, "--models=alexnet", "--weights=random"];

/** Starts part 4 with a cache of its own. */
function start(folder: string, args: readonly string[], env: Record<string, string> = {}): Program {
  return new Program(Deno.execPath(), [...TASK, ...args], {
    MNIST_STUDY_CACHE: join(folder, "cache"),
    ...env,
  });
}

function part4(folder: string, args: readonly string[], env: Record<string, string> = {}) {
  return start(folder, args, env).end();
}

async function rowsOf(out: string): Promise<ResultRow[]> {
  const problems = new ProblemList();
  const rows = await readResults(join(out, "part4.csv"), problems);
  assertEquals(problems.list(), []);
  return rows.map(({ row }) => row);
}

function predictions(out: string, { run_id }: ResultRow): Promise<string> {
  return Deno.readTextFile(join(runFolder(out, run_id), "predictions.csv"));
}

/** Makes sure that `predict` answers for a run what the run itself did, with what is no part of it. */
async function checkAnswers(folder: string): Promise<void> {
  const { predictions, scores } = await readPredictions(folder);
  await withFolder({}, async (place) => {
    const { images } = await firstTestDigits(predictions.length);
    const path = join(place, "digits-idx3-ubyte");
    await Deno.writeFile(path, idx(0x803, [predictions.length, 28, 28], images));
    const args = [...taskArgs("predict"), path, "--json", "--run", folder];
    const { code, stdout, stderr } = await new Program(Deno.execPath(), args).end();
    assertEquals(code, 0, stderr);
    const answers = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(answers.map(({ digit }) => digit), Array.from(predictions));
    for (const [i, { probability }] of answers.entries()) {
      assertAlmostEquals(probability, scores[i]!, 1e-3, `probability ${i}`);
    }
  });
}

/** Writes AlexNet's convolutions for three channels, from a formula. */
async function writeConvolutions(path: string): Promise<void> {
  const { randomFeatureScale } = ALEXNET_ARCHITECTURE;
  const layouts = [...featureLayouts(ALEXNET_ARCHITECTURE, 3)];
  const state = layouts.map(([name, { torchShape: shape, fanIn }], i): [string, StateTensor] => {
    const isLast = i === layouts.length - 2;
    const bound = shape.length === 1 ? 0 : Math.sqrt(6 / fanIn) * (isLast ? randomFeatureScale : 1);
    const count = shape.reduce((product, size) => product * size);
    const data = Float32Array.from(noise(i, count), (value) => bound * (2 * value - 1));
    return [name, { dtype: "float32", shape: [...shape], data }];
  });
  await saveCheckpoint(path, new Map(state));
}

Deno.test("part4 fine-tunes AlexNet, and goes on after Ctrl-C to the bytes of a whole run", () =>
  withFolder({}, async (folder) => {
    const out = join(folder, "out");
    const first = start(folder, [...ALEXNET, "--epochs=1000", "--out", out]);
    await first.until(/^Epoch 1: /m);
    first.kill("SIGINT");
    const { code, stdout, stderr } = await first.end();
    assertEquals(code, 130, stderr);
    assertMatch(stderr, /^error: alexnet_FineTuned .* which is kept: add --resume/);
    for (
      const line of [
        /^AlexNet: random features: this is not a result about a pretrained AlexNet$/m,
        /^Features will take 3\.5 MB of the .* that are free in .*cache.features$/m,
        /^Expected: about .*: features .*, 1000 epochs .*$/m,
        /^Features of the training images: 64\/64, /m,
        /^Features of the test images: 32\/32, /m,
        /^Train Epoch: 1 \[0\/64 \(0%\)\] {2}Loss: \d/m,
      ]
    ) assertMatch(stdout, line);
    const [interrupted] = await rowsOf(out);
    assertEquals(interrupted!.status, "interrupted");
    const epochs = interrupted!.epochs! + 1;

    const more = [...ALEXNET, `--epochs=${epochs}`, "--json"];
    const resumed = await part4(folder, [...more, "--out", out, "--resume"]);
    assertEquals(resumed.code, 0, resumed.stderr);
    assertMatch(resumed.stderr, /^Features of the training images are in the cache: /m);
    const [row, ...others] = await rowsOf(out);
    assertEquals([others.length, row!.run_id], [0, interrupted!.run_id]);
    await checkRun(out, row!, epochs);
    // The run has its classifier alone: its random convolutions are drawn again.
    await checkAnswers(runFolder(out, row!.run_id));

    // With features computed again.
    const whole = join(folder, "whole");
    await Deno.remove(join(folder, "cache", "features"), { recursive: true });
    const again = await part4(folder, [...more, "--out", whole]);
    assertEquals(again.code, 0, again.stderr);
    const printed: ResultRow = JSON.parse(again.stdout);
    assertEquals(await predictions(whole, printed), await predictions(out, row!));
    assertEquals(printed.test_loss, JSON.parse(resumed.stdout).test_loss);
    assertEquals(filesIn(folder).filter((name) => name.endsWith(".tmp")), []);
  }));

/** Row and folder of a finished run. */
async function checkRun(out: string, row: ResultRow, epochs: number): Promise<void> {
  assertEquals([row.part, row.model, row.status, row.error], [4, "alexnet_FineTuned", "ok", ""]);
  assertEquals([row.weights, row.weights_sha256], ["random", ""]);
  assertEquals([row.train_images, row.test_images, row.evaluated_images], [64, 32, 32]);
  assertEquals([row.epochs, row.batch_size], [epochs, 32]);
  assertEquals([row.learning_rate, row.weight_decay], [0.0005, 1e-4]);
  assertEquals(row.dataset_sha256, MNIST_SHA256);
  assert(row.inference_ms_per_image! > 0);
  const folder = runFolder(out, row.run_id);
  const { settings } = await readManifest(folder);
  assertEquals([settings.weights, settings.in_channels, settings.feature_cache], [
    "random",
    3,
    "yes",
  ]);
  const history = await readHistory(folder);
  assertEquals(history.map(({ epoch }) => epoch), Array.from({ length: epochs + 1 }, (_, i) => i));
  const [features, ...trained] = history;
  assert(Number.isNaN(features!.train_loss) && Number.isNaN(features!.train_accuracy));
  assert(trained.every(({ train_loss }) => Number.isFinite(train_loss)));
  const seconds = history.reduce((sum, { time_s }) => sum + time_s, 0);
  assert(history.every(({ time_s }) => time_s > 0));
  assert(Math.abs(seconds - (row.training_time_s as number)) < 1e-6);
  const { targets, predictions } = await readPredictions(folder);
  const right = targets.filter((target, i) => target === predictions[i]).length;
  assertEquals([targets.length, 100 * right / 32], [32, row.accuracy]);

  using checkpoint = await openCheckpoint(join(folder, CHECKPOINT));
  const layers = ["classifier.1", "classifier.4", "classifier.6"];
  const trainable = layers.flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]);
  const expected = ["", "optimizer.exp_avg.", "optimizer.exp_avg_sq."].flatMap((prefix) =>
    trainable.map((name) => prefix + name)
  );
  assertEquals(checkpoint.names().sort(), expected.sort());
  assertEquals(checkpoint.describe("classifier.1.weight").shape, [4096, 9216]);
}

Deno.test("part4 --no-feature-cache --in-channels 1 computes features in every epoch, by a file's weights", () =>
  withFolder({}, async (out) => {
    const weights = join(out, "own.safetensors");
    await writeConvolutions(weights);
    // With fewer steps it measures no forecast.
    const flags = ["--no-feature-cache", "--in-channels=1", "--epochs=1", "--limit=128"];
    const { code, stdout, stderr } = await part4(out, [
      ...ALEXNET.filter((arg) => !/^--(limit|weights)=/.test(arg)),
      ...[...flags, "--weights", weights, "--out", out],
    ]);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^Expected: about .*: 1 epoch /m);
    assertMatch(
      stdout,
      /^AlexNet: 5 convolutions from own\.safetensors; classifier\.1, .* new from seed 1$/m,
    );
    const [row] = await rowsOf(out);
    assertEquals([row!.status, row!.train_images], ["ok", 128]);
    const recorded = ["file:own.safetensors", await sha256File(weights)];
    assertEquals([row!.weights, row!.weights_sha256], recorded);
    // It is no run of the study's model: nothing sets it beside such runs.
    assertEquals(row!.model, "alexnet_FineTuned_OneChannel");
    const folder = runFolder(out, row!.run_id);
    assertEquals((await readHistory(folder)).map(({ epoch }) => epoch), [1]);
    const { settings } = await readManifest(folder);
    assertEquals([settings.in_channels, settings.feature_cache], [1, "no"]);
    assertEquals([settings.weights, settings.weights_sha256], recorded);
    assertEquals(filesIn(out).filter((name) => name.endsWith(".features")), []);
    // The run has its classifier alone: its convolutions come from the file again.
    await checkAnswers(folder);
  }));

Deno.test("part4 --strict without weights leaves an error row for each model, exit 1", () =>
  withFolder({}, async (out) => {
    const nowhere = "http://127.0.0.1:9";
    const { code, stdout, stderr } = await part4(out, [...SMALL, "--strict", "--out", out], {
      HTTP_PROXY: nowhere,
      HTTPS_PROXY: nowhere,
      http_proxy: nowhere,
      https_proxy: nowhere,
      NO_PROXY: "",
      no_proxy: "",
    });
    assertEquals(code, 1, stdout);
    const rows = await rowsOf(out);
    assertEquals(rows.map(({ model }) => model), ["vgg16_FineTuned", "alexnet_FineTuned"]);
    for (const row of rows) {
      assertEquals([row.status, row.accuracy, row.training_time_s], [
        "error",
        NaN,
        "N/A (Error)",
      ]);
      assertStringIncludes(row.error, "--strict allows no substitute");
      assertStringIncludes(stderr, `${row.model} (seed 1) failed: `);
    }
    const lines = stderr.trimEnd().split("\n");
    assertEquals(lines.length, 5, stderr);
    assertMatch(lines[4]!, /^error: 2 of 2 runs failed: vgg16_FineTuned \(seed 1\), alexnet_/);
  }));

Deno.test("part4 tells bad weights in one line, and goes on to the next model", () =>
  withFolder({ "bad.pth": "no weights" }, async (out) => {
    const args = [...SMALL, "--weights", join(out, "bad.pth"), "--out", out];
    const { code, stderr } = await part4(out, args);
    assertEquals(code, 1);
    assertEquals((await rowsOf(out)).map(({ status }) => status), ["error", "error"]);
    assertStringIncludes(stderr, "bad.pth");
    const one = await part4(out, [...args, "--models=alexnet"]);
    assertEquals([one.code, one.stderr.trimEnd().split("\n").length], [1, 1], one.stderr);
    assertMatch(one.stderr, /^error: Cannot read checkpoint .*bad\.pth/);
  }));

Deno.test("part4 names a wrong flag or value and the choices, exit 2", async () => {
  const cases: [string[], RegExp][] = [
    [["--models", "vgg16,resnet"], /^error: --models vgg16,resnet: expected different ones of /],
    [["--models", "alexnet,alexnet"], /expected different ones of vgg16, alexnet separated by/],
    [["--in-channels", "2"], /^error: --in-channels 2: expected 3 or 1;/],
    [
      ["--weights", "/no/file"],
      /--weights \/no\/file: expected pretrained, convolutions, random or/,
    ],
    [["--feature-cache"], /^error: Unknown flag --feature-cache; did you mean --no-feature-cache/],
  ];
  const results = await Promise.all(cases.map(([args]) => part4("/nowhere", args)));
  for (const [i, [, line]] of cases.entries()) {
    assertEquals(results[i]!.code, 2);
    assertMatch(results[i]!.stderr, line);
    assertEquals(results[i]!.stdout, "");
  }
});
