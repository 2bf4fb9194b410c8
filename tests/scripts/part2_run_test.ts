/** Runs of a detector, with a fake one: rows, folders, interruption and resumption. */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import type { Dataset, ImageSet } from "../../data/dataset.ts";
import { loadMnist } from "../data/mnist.ts";
import { WriteError } from "../../io/disk_error.ts";
import { InterruptedError, StudyError } from "../../io/errors.ts";
import type { Reporter } from "../../io/reporter.ts";
import { sha256File } from "../../io/sha256.ts";
import { saveCheckpoint } from "../../models/checkpoint/safetensors.ts";
import { compareResults } from "../../report/compare.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { readResults, type ResultRow, resultsPath } from "../../report/record/results.ts";
import {
  readHistory,
  readManifest,
  readPredictions,
  runFolder,
} from "../../report/record/run_folder.ts";
import { READINGS } from "../../report/record/run_state.ts";
import { noteFailedStart } from "../../experiment/failed_part.ts";
import {
  readPartialPredictions,
  writePartialPredictions,
} from "../../experiment/partial_predictions.ts";
import type { DetectionFlags } from "../../experiment/plan.ts";
import { detectAndTest, type DetectionRun } from "../../scripts/part2.ts";
import {
  FASTER_RCNN_ADAPTED,
  FASTER_RCNN_HEAD_TUNED,
  FASTER_RCNN_NORMALISE_ONCE,
  IMAGENET_NORMALIZATION,
} from "../../study.ts";
import { percentile } from "../../metrics/descriptive_statistics.ts";
import { summarizeLatency } from "../../training/latency.ts";
import { predictDigits, scoreDigits } from "../../training/detection/predict_digits.ts";
import { testEngine } from "../engine/engine.ts";
import { noReader, readEvents } from "../experiment/read_events.ts";
import { type Answer, answer, fakeDetector, rangeOf } from "../training/fake_detector.ts";
import { withFolder } from "../report/result_rows.ts";

const engine = await testEngine();
const mnist = await loadMnist();

function first({ images, labels }: ImageSet, count: number): ImageSet {
  return { images: images.slice(0, count * 784), labels: labels.slice(0, count), count };
}

function dataset(testImages: number, trainImages = 4): Dataset {
  return {
    name: "mnist",
    train: first(mnist.train, trainImages),
    test: first(mnist.test, testImages),
    sha256: "ab12",
    source: "a test",
  };
}

const transform = (pixels: tf.Tensor) =>
  tf.tidy(() => pixels.div(255).reshape([-1, 28, 28, 1]).tile([1, 1, 1, 3])) as tf.Tensor4D;

/** A reporter that remembers. */
function listener(): Reporter & { lines: string[]; warnings: string[] } {
  const [lines, warnings]: [string[], string[]] = [[], []];
  return {
    ...{ lines, warnings, quiet: false, terminal: false },
    line: (text) => lines.push(text),
    warn: (text) => warnings.push(text),
    live: () => {},
  };
}

interface Try {
  out: string;
  images?: number;
  train?: number;
  batchSize?: number;
  resume?: boolean;
  tensorboard?: boolean;
  seed?: number;
  epochs?: number;
  says?: Answer;
  calls?: number[];
  onDetect?: (signal: AbortController, images: readonly tf.Tensor3D[]) => void;
  build?: (...args: Parameters<NonNullable<DetectionRun["build"]>>) => void;
  weights?: string;
  /** Given, the run makes its images itself. */
  normalise?: DetectionFlags["normalise"];
}

/** Runs a fake detector. */
async function run(options: Try): Promise<{ row: ResultRow } & ReturnType<typeof listener>> {
  const { out, images = 23, train, batchSize = 4, resume = false, seed = 1, epochs } = options;
  const { tensorboard = false } = options;
  const { says = answer, calls = [], onDetect = () => {}, build = () => {} } = options;
  const { weights = "random", normalise } = options;
  const controller = new AbortController();
  const reporter = listener();
  const flags: DetectionFlags = {
    weights,
    strict: false,
    normalise: normalise ?? "twice",
    trainHead: epochs !== undefined,
    epochs: epochs ?? 1,
    lr: 0.001,
    headBatchSize: 16,
    batchSize,
  };
  const setup = {
    part: 2,
    engine,
    dataset: dataset(images, train),
    reporter,
    ...{ out, resume, tensorboard, json: false, command: ["--fake"], signal: controller.signal },
    [Symbol.dispose]() {},
  } as const;
  const row = await detectAndTest(setup, {
    flags,
    seed,
    ...(normalise === undefined && { transform }),
    build: (...args) =>
      Promise.resolve().then(() => {
        build(...args);
        return fakeDetector(says, { calls, onDetect: (images) => onDetect(controller, images) });
      }),
  });
  // That random weights tell nothing is said of every run of such.
  const warnings = reporter.warnings.slice(weights === "random" ? 1 : 0);
  return { row, ...reporter, warnings };
}

async function rowsOf(out: string): Promise<ResultRow[]> {
  const problems = new ProblemList();
  const rows = await readResults(resultsPath(out, 2), problems);
  assertEquals(problems.list(), []);
  return rows.map(({ row }) => row);
}

function predictions(out: string, { run_id }: ResultRow): Promise<string> {
  return Deno.readTextFile(join(runFolder(out, run_id), "predictions.csv"));
}

/** Interrupts at the n-th call of the detector. */
function interruptAt(n: number): (controller: AbortController) => void {
  let calls = 0;
  return (controller) => {
    if (++calls === n) controller.abort(new InterruptedError("Interrupted"));
  };
}

Deno.test("detectAndTest() writes row, predictions and manifest of a run", () =>
  withFolder({}, async (out) => {
    const { row, lines, warnings } = await run({ out });
    const [written, ...more] = await rowsOf(out);
    assertEquals([more, warnings], [[], []]);
    const { targets, predictions, scores } = await readPredictions(runFolder(out, row.run_id));
    const valid = [...predictions.keys()].filter((i) => predictions[i] !== -1);
    assert(valid.length > 5 && valid.length < 23, `${valid.length} detected`);
    const right = valid.filter((i) => predictions[i] === targets[i]).length;
    assertEquals(written, {
      ...written!,
      part: 2,
      model: "FasterRCNN_Adapted",
      status: "ok",
      test_loss: 0,
      accuracy: Number((100 * right / valid.length).toPrecision(10)),
      training_time_s: "N/A (Inference Only)",
      evaluated_images: valid.length,
      test_images: 23,
      train_images: null,
      epochs: null,
      batch_size: 4,
      learning_rate: null,
      weight_decay: null,
      seed: 1,
      weights: "random",
      error: "",
    });
    assert(written!.inference_ms_per_image! > 0);
    for (const [i, score] of scores.entries()) {
      const mean = mnist.test.images.subarray(784 * i, 784 * (i + 1))
        .reduce((sum, value) => sum + value, 0) / 784 / 255;
      const { labels, scores: given } = answer(mean);
      const digit = labels.length === 1 ? -1 : labels[1]! - 1;
      assertEquals(predictions[i], digit, `image ${i}`);
      assertAlmostEquals(score, digit === -1 ? NaN : given[1]!, 2e-3);
    }
    assert(lines.includes(`No detection: ${23 - valid.length} of 23 images`), lines.join("\n"));

    const { settings, measured } = await readManifest(runFolder(out, row.run_id));
    assertEquals([settings.normalise, settings.batch_size, settings.command], ["twice", 4, [
      "--fake",
    ]]);
    const { timing, detection } = measured as Record<string, Record<string, number>>;
    assertEquals([timing!.images, timing!.mean_ms], [23, row.inference_ms_per_image]);
    assert(timing!.median_ms! > 0 && timing!.p95_ms! >= timing!.median_ms!);
    assertEquals(detection!.no_detection_images, 23 - valid.length);
    assertAlmostEquals(detection!.accuracy_of_all!, 100 * right / 23, 1e-9);
  }));

Deno.test("detectAndTest() feeds images that are normalised already, or 0..1 with --normalise once", () =>
  withFolder({}, async (out) => {
    const { mean, std } = IMAGENET_NORMALIZATION;
    const low = Math.min(...mean.map((m, i) => -m / std[i]!));
    const high = Math.max(...mean.map((m, i) => (1 - m) / std[i]!));
    const cases = [
      ["twice", FASTER_RCNN_ADAPTED.name, [low, high]],
      ["once", FASTER_RCNN_NORMALISE_ONCE.name, [0, 1]],
    ] as const;
    for (const [normalise, model, [darkest, brightest]] of cases) {
      const ranges: [number, number][] = [];
      const onDetect = (_: AbortController, images: readonly tf.Tensor3D[]) =>
        ranges.push(rangeOf(images));
      const says = () => ({ labels: [1], scores: [0.5] });
      const { row } = await run({ out, images: 2, batchSize: 2, normalise, says, onDetect });
      const { settings } = await readManifest(runFolder(out, row.run_id));
      assertEquals([row.model, settings.normalise, ranges.length], [model, normalise, 2]);
      for (const range of ranges) {
        assertAlmostEquals(range[0], darkest, 1e-5);
        // The ink of both digits is nearly white.
        assert(range[1] <= brightest + 1e-5 && range[1] > 0.9 * brightest, `${range}`);
      }
    }
  }));

Deno.test("detectAndTest() builds its detector from the file that --weights names, and records it", () =>
  withFolder({}, async (out) => {
    const weights = join(out, "own.safetensors");
    const data = Float32Array.of(1);
    await saveCheckpoint(weights, new Map([["a.weight", { dtype: "float32", shape: [1], data }]]));
    const built: unknown[] = [];
    const { row, warnings } = await run({
      ...{ out, weights, images: 2, seed: 5 },
      build: ({ path, label }, seed) => built.push({ path, label, seed }),
    });
    const label = "file:own.safetensors";
    assertEquals(built, [{ path: weights, label, seed: 5 }]);
    const sha256 = await sha256File(weights);
    const { settings } = await readManifest(runFolder(out, row.run_id));
    const [written] = await rowsOf(out);
    for (const place of [row, written!, settings]) {
      assertEquals([place.weights, place.weights_sha256], [label, sha256]);
    }
    assertEquals(warnings, []);
  }));

Deno.test("detectAndTest() warms up each size of batch before the clock starts", () =>
  withFolder({}, async (out) => {
    const sizes = async (images: number, batchSize: number) => {
      const calls: number[] = [];
      await run({ out, images, batchSize, calls });
      return calls;
    };
    assertEquals(await sizes(6, 4), [4, 2, 4, 2]);
    assertEquals(await sizes(8, 4), [4, 4, 4]);
    assertEquals(await sizes(3, 4), [3, 3]);
    assertEquals(await sizes(1, 1), [1, 1]);
  }));

Deno.test("detectAndTest() goes on after an interruption to the predictions of a whole run", () =>
  withFolder({}, async (folder) => {
    const [out, whole] = [join(folder, "resumed"), join(folder, "whole")];
    // Two calls warm up.
    const error = await assertRejects(
      () => run({ out, onDetect: interruptAt(5) }),
      InterruptedError,
    );
    assertEquals(
      error.message,
      "FasterRCNN_Adapted (seed 1) was interrupted after 12 of 23 test images; what is done is " +
        "kept: add --resume to the same command to go on",
    );
    const [interrupted] = await rowsOf(out);
    assertEquals([interrupted!.status, interrupted!.error, interrupted!.accuracy], [
      "interrupted",
      "",
      null,
    ]);
    assertEquals(interrupted!.training_time_s, "N/A (Inference Only)");
    const kept = await readPartialPredictions(runFolder(out, interrupted!.run_id));
    assertEquals([kept.predictions.length, kept.milliseconds.length], [12, 12]);

    const other = await assertRejects(
      () => run({ out, resume: true, batchSize: 2 }),
      StudyError,
    );
    assertMatch(other.message, /it has batch_size 4, not 2\. .*--resume$/);
    const fewer = await assertRejects(() => run({ out, resume: true, images: 8 }), StudyError);
    assertMatch(fewer.message, /has done 12 images already, more than --test-limit 8\./);
    assertEquals((await rowsOf(out))[0]!.status, "interrupted");

    const calls: number[] = [];
    const { row, lines } = await run({ out, resume: true, calls });
    assertEquals(calls, [4, 3, 4, 4, 3]);
    assert(lines.some((line) => /^Going on with .* after 12 of 23 test images$/.test(line)));
    assertEquals([row.run_id, row.started_at, row.status], [
      interrupted!.run_id,
      interrupted!.started_at,
      "ok",
    ]);
    assertEquals((await rowsOf(out)).length, 1);
    const complete = await run({ out: whole });
    assertEquals(await predictions(out, row), await predictions(whole, complete.row));
    assertEquals([row.accuracy, row.f1], [complete.row.accuracy, complete.row.f1]);
    const { measured } = await readManifest(runFolder(out, row.run_id));
    assertEquals((measured as { timing: { images: number } }).timing.images, 23);

    const again = await run({ out, resume: true });
    assertEquals(again.lines, [`Run ${row.run_id} is finished: nothing to resume`]);
    assertEquals([again.row.run_id, (await rowsOf(out)).length], [row.run_id, 1]);
    const second = await run({ out, resume: true, seed: 2 });
    assertNotEquals(second.row.run_id, row.run_id);
  }));

Deno.test("detectAndTest() goes on with a run that was killed before it could leave a row", () =>
  withFolder({}, async (out) => {
    const { row } = await run({ out, images: 8 });
    await Deno.remove(resultsPath(out, 2));
    const folder = runFolder(out, row.run_id);
    await Deno.writeTextFile(join(folder, "readings.json.1-2.tmp"), "{");
    const calls: number[] = [];
    const resumed = await run({ out, images: 10, resume: true, calls });
    assertEquals([resumed.row.run_id, calls], [row.run_id, [2, 2]]);
    await Deno.remove(resultsPath(out, 2));
    // The last batch was short: images 8 and 9 are read again, as a run in one go has them.
    const longer: number[] = [];
    await run({ out, images: 13, resume: true, calls: longer });
    assertEquals(longer, [4, 1, 4, 1]);
    assertEquals([...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".tmp")), []);
    await Deno.remove(resultsPath(out, 2));
    const damages = [
      ...["", "{}", '{"predictions":[1],"scores":[],"milliseconds":[2]}'],
      '{"predictions":[],"scores":[],"milliseconds":[],"epochs":"two"}',
    ];
    for (const damage of damages) {
      await Deno.writeTextFile(join(folder, "readings.json"), damage);
      const { message } = await assertRejects(() => run({ out, resume: true }), StudyError);
      assertMatch(message, /readings\.json is damaged: start a new run without --resume$/);
    }
  }));

Deno.test("detectAndTest() shows TensorBoard its images, also after an interruption", () =>
  withFolder({}, async (folder) => {
    const [out, whole] = [join(folder, "resumed"), join(folder, "whole")];
    const shown = { out, tensorboard: true };
    await assertRejects(() => run({ ...shown, onDetect: interruptAt(4) }), InterruptedError);
    const { row } = await run({ ...shown, resume: true });
    const { row: plain } = await run({ out: whole });
    assertEquals(await predictions(out, row), await predictions(whole, plain));
    if (noReader !== undefined) return console.log(`not read: TensorBoard's events (${noReader})`);
    const { scalars, images } = await readEvents(runFolder(out, row.run_id));
    assertEquals(scalars["detection/images_per_second"]!.map(([at]) => at), [8, 23]);
    const [[at, accuracy] = [], ...more] = scalars["test/accuracy"]!;
    assertEquals([at, more], [0, []]);
    assertAlmostEquals(accuracy!, row.accuracy!, 1e-4);
    assertEquals(Object.values(images).length, 1);
  }));

Deno.test("detectAndTest() turns a failure into a row of NaN and says N/A (Error)", () =>
  withFolder({}, async (out) => {
    const build = () => {
      throw new StudyError("The weights\nare not there");
    };
    await assertRejects(() => run({ out, build }), StudyError, "are not there");
    const labels: Answer = () => ({ labels: [11], scores: [0.5] });
    await assertRejects(() => run({ out, says: labels }), RangeError, "labels[0]");
    const nan: Answer = () => ({ labels: [1, 2], scores: [0.5, NaN] });
    await assertRejects(() => run({ out, says: nan }), RangeError, "scores[1]");
    const rows = await rowsOf(out);
    assertEquals(rows.length, 3);
    for (const row of rows) {
      assertEquals([row.status, row.training_time_s], ["error", "N/A (Error)"]);
      assertEquals([row.test_loss, row.accuracy, row.f1], [NaN, NaN, NaN]);
      assertEquals([row.test_images, row.weights], [23, "random"]);
    }
    assertEquals(rows[0]!.error, "The weights are not there");
  }));

Deno.test("detectAndTest() claims no image of which nothing could be written", () =>
  withFolder({}, async (out) => {
    // Nothing can take its place.
    const onDetect = () => {
      const [{ name }] = [...Deno.readDirSync(join(out, "runs"))] as [Deno.DirEntry];
      Deno.mkdirSync(join(runFolder(out, name), READINGS, "not empty"), { recursive: true });
    };
    const { message } = await assertRejects(() => run({ out, onDetect }), WriteError);
    assert(!message.includes("--resume"), message);
  }));

Deno.test("noteFailedStart() leaves a row for each run that could not begin", () =>
  withFolder({}, async (out) => {
    const error = new StudyError("No engine");
    const [resume, command] = [false, []];
    const untrained = { model: FASTER_RCNN_ADAPTED, columns: { batch_size: 2 }, resume, command };
    await noteFailedStart(out, { ...untrained, seeds: [7], error });
    const [row] = await rowsOf(out);
    assertEquals([row!.status, row!.error, row!.seed, row!.batch_size, row!.accuracy], [
      "error",
      "No engine",
      7,
      2,
      NaN,
    ]);
    assertEquals(row!.epochs, null);
    const columns = { epochs: 10, batch_size: 512, learning_rate: 0.001 };
    const trained = { model: FASTER_RCNN_HEAD_TUNED, columns, resume, command };
    await noteFailedStart(out, { ...trained, seeds: [3, 4], error });
    const rows = (await rowsOf(out)).slice(1);
    assertEquals(
      rows.map(({ model, seed, epochs, batch_size, learning_rate }) => [
        ...[model, seed, epochs, batch_size, learning_rate],
      ]),
      [3, 4].map((seed) => ["FasterRCNN_HeadTuned", seed, 0, 512, 0.001]),
    );
  }));

Deno.test("detectAndTest() warns and gives zeros where nothing is detected", () =>
  withFolder({}, async (out) => {
    for (const labels of [[], [0]]) {
      const nothing: Answer = () => ({ labels, scores: labels.map(() => 0.5) });
      const { row, warnings, lines } = await run({ out, says: nothing });
      assertEquals([row.status, row.test_loss, row.accuracy, row.f1, row.evaluated_images], [
        "ok",
        0,
        0,
        0,
        0,
      ]);
      assertEquals(warnings, [
        "No digit was detected in any of 23 images: accuracy and F1 are given as 0",
      ]);
      assert(lines.includes("No detection: 23 of 23 images"));
      assert(row.inference_ms_per_image! > 0);
      const { predictions, scores } = await readPredictions(runFolder(out, row.run_id));
      assert(predictions.every((digit) => digit === -1) && scores.every(Number.isNaN));
    }
  }));

Deno.test("detectAndTest() trains the predictor, counts misses as errors, and resumes both", () =>
  withFolder({}, async (folder) => {
    const cache = Deno.env.get("MNIST_STUDY_CACHE");
    Deno.env.set("MNIST_STUDY_CACHE", join(folder, "cache"));
    try {
      const out = join(folder, "out");
      const head = { out, images: 10, train: 20, epochs: 3 };
      const { row } = await run(head);
      const [written] = await rowsOf(out);
      assertEquals([written!.model, written!.train_images, written!.epochs], [
        "FasterRCNN_HeadTuned",
        20,
        3,
      ]);
      // Boxes of a step, not images of a call: only those decide what is trained.
      assertEquals(written!.batch_size, 16);
      assertEquals([written!.learning_rate, written!.weight_decay, written!.test_loss], [
        0.001,
        1e-4,
        null,
      ]);
      const { targets, predictions: read } = await readPredictions(runFolder(out, row.run_id));
      const right = targets.filter((target, i) => target === read[i]).length;
      assertAlmostEquals(row.accuracy!, 100 * right / 10, 1e-9);
      assert(row.evaluated_images! < 10);
      const { models, problems } = await compareResults([out]);
      assertEquals(problems, []);
      const { evaluation } = models.find(({ model }) => model === row.model)!;
      assertAlmostEquals(evaluation!.accuracy, row.accuracy!, 1e-9);
      assertAlmostEquals(evaluation!.f1, row.f1!, 1e-9);
      assertEquals([evaluation!.evaluated, evaluation!.undetected], [
        10,
        10 - row.evaluated_images!,
      ]);
      const history = await readHistory(runFolder(out, row.run_id));
      assertEquals(history.map(({ epoch }) => epoch), [0, 1, 2, 3]);
      assertEquals([history[0]!.train_loss, history[0]!.train_accuracy], [NaN, NaN]);
      assert(history[3]!.train_loss < history[1]!.train_loss);
      const seconds = history.reduce((sum, { time_s }) => sum + time_s, 0);
      assertAlmostEquals(row.training_time_s as number, seconds, 1e-6);

      // Interrupted while digits are read: features are in the cache, epochs in the checkpoint.
      const other = { ...head, out: join(folder, "other") };
      await assertRejects(() => run({ ...other, onDetect: interruptAt(3) }), InterruptedError);
      const resumed = await run({ ...other, resume: true });
      const text = resumed.lines.join("\n");
      assertMatch(text, /^Features of 20 of 20 images are there already$/m);
      assertMatch(text, /^The predictor is trained up to epoch 3 already$/m);
      assertMatch(text, /^Going on with .* after 4 of 10 test images$/m);
      assertEquals(await predictions(other.out, resumed.row), await predictions(out, row));
      const curve = await readHistory(runFolder(other.out, resumed.row.run_id));
      const losses = (rows: typeof curve) => rows.map(({ train_loss }) => train_loss);
      assertEquals(losses(curve), losses(history));

      // Trained further, it is another predictor: what the one before has read is no part of its row.
      const further = { ...head, out: join(folder, "further") };
      const stopped = (options: Try) => assertRejects(() => run(options), InterruptedError);
      await stopped({ ...further, onDetect: interruptAt(3) });
      const longer = { ...further, epochs: 4, resume: true };
      const { message } = await stopped({ ...longer, onDetect: interruptAt(1) });
      assertMatch(message, /was interrupted after epoch 4 of 4, which is kept: /);
      const calls: number[] = [];
      const { row: trained, lines } = await run({ ...longer, images: 3, calls });
      assertEquals([trained.epochs, calls], [4, [3, 3]]);
      assertEquals(lines.filter((line) => line.includes("test images were read")), [
        "The first 4 test images were read by the predictor as it was after epoch 3, not 4: they are " +
        "read again",
      ]);
    } finally {
      if (cache === undefined) Deno.env.delete("MNIST_STUDY_CACHE");
      else Deno.env.set("MNIST_STUDY_CACHE", cache);
    }
  }));

Deno.test("predictDigits() holds no tensors of its own", async () => {
  const readings = { predictions: [], scores: [], milliseconds: [] };
  const detector = fakeDetector(answer);
  const before = tf.memory().numTensors;
  await predictDigits(detector, first(mnist.test, 30), {
    batchSize: 4,
    transform,
    found: readings,
  });
  assertEquals(tf.memory().numTensors, before);
  detector.dispose();
});

Deno.test("predictDigits() times the detector's call alone, in milliseconds an image", async () => {
  const wait = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  const readings = { predictions: [], scores: [], milliseconds: [] as number[] };
  using detector = fakeDetector(answer, { onDetect: () => wait(100) });
  await predictDigits(detector, first(mnist.test, 8), {
    batchSize: 4,
    transform: (pixels) => {
      wait(200);
      return transform(pixels);
    },
    found: readings,
  });
  const { milliseconds } = readings;
  assertEquals(milliseconds.length, 8);
  assert(milliseconds.every((ms) => ms > 24), `${milliseconds}`);
  // 100 ms for four images; of two calls one may be disturbed by whatever else there is.
  assert(Math.min(...milliseconds) < 50, `${milliseconds}`);
});

Deno.test("scoreDigits() counts a missing detection as an error of all images alone", () => {
  const scores = scoreDigits([3, 1, 1, 0], [3, -1, 1, 5]);
  assertEquals([scores.detected, scores.accuracy, scores.accuracyOfAll], [3, 2 / 3, 0.5]);
  // scikit-learn, weighted: f1_score([3, 1, 0], [3, 1, 5]), f1_score([3, 1, 1, 0], [3, 10, 1, 5]).
  assertAlmostEquals(scores.f1, 2 / 3, 1e-12);
  assertAlmostEquals(scores.f1OfAll, (1 + 2 * (2 / 3)) / 4, 1e-12);
  // Only 0 is true: F1 = 2·1/(2·1 + 2) = 1/2 of weight 3. The other way round it is 1/6.
  const zeros = scoreDigits([0, 0, 0], [0, 1, 2]);
  assertEquals([zeros.f1, zeros.f1OfAll], [1 / 2, 1 / 2]);
  assertEquals(scoreDigits([3, 1], [-1, -1]), {
    detected: 0,
    accuracy: 0,
    f1: 0,
    accuracyOfAll: 0,
    f1OfAll: 0,
  });
});

Deno.test("scoreDigits() leaves out the missing ones of 10,000 images", () => {
  const targets = Uint8Array.from({ length: 10_000 }, (_, i) => i % 10);
  const read = Array.from(targets, (target, i) => i % 7 === 0 ? -1 : target);
  const { detected, accuracy } = scoreDigits(targets, read);
  assertEquals([detected, accuracy], [10_000 - 1429, 1]);
});

Deno.test("summarizeLatency() gives count, mean, median and 95th percentile", () => {
  assertEquals(summarizeLatency([4, 1, 2, 9]), {
    images: 4,
    mean_ms: 4,
    median_ms: 3,
    p95_ms: percentile([4, 1, 2, 9], 95),
  });
  assertEquals(summarizeLatency([]).mean_ms, NaN);
});

Deno.test("readPartialPredictions() returns what writePartialPredictions() wrote, to the bit", () =>
  withFolder({}, async (folder) => {
    assertEquals(await readPartialPredictions(folder), {
      predictions: [],
      scores: [],
      milliseconds: [],
    });
    const readings = {
      predictions: [3, -1],
      scores: [Math.fround(0.1), NaN],
      milliseconds: [1 / 3, 2e-9],
    };
    for (const written of [readings, { ...readings, epochs: 50 }]) {
      await writePartialPredictions(folder, written);
      assertEquals(await readPartialPredictions(folder), written);
    }
  }));
