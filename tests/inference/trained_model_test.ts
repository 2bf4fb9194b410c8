/** A model trained on a few digits reads them in photographs, and comes back from its run and exports. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { join } from "node:path";
import { prepareDigit } from "../../data/handwritten_digit.ts";
import { exportTfjs, tfjsFiles } from "../../inference/export_tfjs.ts";
import { canComeBack, loadModel } from "../../inference/load_model.ts";
import { readyClassifier, readyDetector } from "../../inference/loaded_model.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { InterruptedError, StudyError } from "../../io/errors.ts";
import { RANDOM_LABEL } from "../../io/weights_label.ts";
import type { DigitDetector } from "../../experiment/detection.ts";
import {
  ALEXNET,
  FASTER_RCNN_ADAPTED,
  FASTER_RCNN_HEAD_TUNED,
  FASTER_RCNN_NORMALISE_ONCE,
  IMAGENET_NORMALIZATION,
} from "../../study.ts";
import { exportNotes } from "../../models/checkpoint/export_notes.ts";
import { loadCheckpoint } from "../../models/checkpoint/open_checkpoint.ts";
import { FASTER_RCNN_WEIGHTS } from "../../models/checkpoint/pretrained.ts";
import { openSafetensors, saveCheckpoint } from "../../models/checkpoint/safetensors.ts";
import { alexnet } from "../../models/alexnet.ts";
import { type Detector, fasterRcnnResnet50Fpn } from "../../models/faster_rcnn.ts";
import { simpleCnn } from "../../models/simple_cnn.ts";
import { bestRuns, locateRun } from "../../report/record/find_run.ts";
import {
  CHECKPOINT,
  readManifest,
  readPredictions,
  writeManifest,
} from "../../report/record/run_folder.ts";
import { firstTestDigits } from "../data/mnist.ts";
import { testEngine } from "../engine/engine.ts";
import { withFolder } from "../report/result_rows.ts";
import { part1, rowsOf } from "../scripts/part1_process.ts";
import { noPyTorch } from "../pytorch.ts";
import { taskArgs } from "../task.ts";
import { fakeDetector, rangeOf } from "../training/fake_detector.ts";
import { photograph, randomNumbers } from "./photograph.ts";

await testEngine();

/** Test digits that are photographed. */
const PHOTOGRAPHED = 100;

const { images } = await firstTestDigits(PHOTOGRAPHED);
const results = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(results, { recursive: true }));

// In float32, as tests compare with other programs.
const trained = await part1([
  ...["--recipe=fast", "--precision=fp32", "--epochs=2", "--limit=4000"],
  ...[`--test-limit=${PHOTOGRAPHED}`, "--out", results],
]);
assertEquals(trained.code, 0, trained.stderr);
const [row] = await rowsOf(results);
const folder = join(results, "runs", row!.run_id);

/** The likeliest digit of each image. */
function digitsOf(probabilities: Float32Array): number[] {
  return Array.from({ length: probabilities.length / 10 }, (_, i) => {
    const scores = probabilities.subarray(10 * i, 10 * (i + 1));
    return scores.indexOf(Math.max(...scores));
  });
}

/** Runs Python on a file of `tests/reference/`. */
async function python(script: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("python3", {
    args: [join(repositoryRoot(), "tests", "reference", script), ...args],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("loadModel() gives a run's own predictions, however the run is called", async () => {
  const { predictions, scores } = await readPredictions(folder);
  const names = [folder, join(folder, CHECKPOINT), row!.run_id, row!.run_id.slice(0, 12), "best"];
  for (const name of names) {
    using model = await loadModel(name, { results });
    assertEquals([model.name, model.run?.runId], [row!.model, row!.run_id]);
    const probabilities = await model.probabilities(images);
    const digits = digitsOf(probabilities);
    assertEquals(digits, Array.from(predictions));
    for (const [i, digit] of digits.entries()) {
      assert(Math.abs(probabilities[10 * i + digit]! - scores[i]!) < 1e-5);
    }
  }
});

Deno.test("loadModel() takes a file beside a run's for itself unless it is the run's own", () =>
  withFolder({}, async (place) => {
    const name = `best-${CHECKPOINT}`;
    await writeManifest(place, await readManifest(folder));
    await Deno.copyFile(join(folder, CHECKPOINT), join(place, name));
    using model = await loadModel(join(place, name), { results });
    assertEquals([model.run, model.weights], [undefined, name]);
  }));

Deno.test("loadModel() loads the file that is named, in whatever folder beside the results", () =>
  withFolder({}, async (place) => {
    const manifest = await readManifest(folder);
    const before = Deno.cwd();
    // Each of them would be this run, were it no folder: a word for it and a part of its id.
    for (const name of ["best", row!.run_id.slice(-8)]) {
      await Deno.mkdir(join(place, name));
      await writeManifest(join(place, name), { ...manifest, run_id: `in-${name}` });
      await Deno.copyFile(join(folder, CHECKPOINT), join(place, name, CHECKPOINT));
      Deno.chdir(place);
      try {
        using model = await loadModel(join(name, CHECKPOINT), { results });
        assertEquals(model.run?.runId, `in-${name}`);
      } finally {
        Deno.chdir(before);
      }
    }
  }));

Deno.test("probabilities() leave nothing on the device, and a model nothing once disposed of", async () => {
  const before = tf.memory().numTensors;
  const model = await loadModel(folder);
  const loaded = tf.memory().numTensors;
  for (let i = 0; i < 20; i++) await model.probabilities(images.subarray(0, 784));
  assertEquals(tf.memory().numTensors, loaded);
  await assertRejects(() => model.probabilities(images.subarray(1)), RangeError, "784");
  await assertRejects(
    () => model.probabilities(images.subarray(0, 784), AbortSignal.abort()),
    InterruptedError,
  );
  model.dispose();
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("loadStateDict() takes a run's checkpoint as it is, its optimiser left aside", async () => {
  const state = await loadCheckpoint(join(folder, CHECKPOINT));
  // Eight parameters; of Adam's five two moments each, of Muon's three a momentum.
  assertEquals(state.size, 8 + 5 * 2 + 3);
  using model = simpleCnn();
  model.loadStateDict(state);
  using loaded = await loadModel(folder);
  assertEquals(model.stateDict(), loaded.stateDict());
  // A moment of something that is not there is no moment.
  const { message } = assertThrows(
    () => model.loadStateDict(new Map([...state, ["optimizer.exp_avg.x", state.get("fc2.bias")!]])),
    StudyError,
  );
  assertMatch(message, /1 not in the model \("optimizer.exp_avg.x"\)/);
});

Deno.test("loadModel() says what a run without a checkpoint needs", async () => {
  const reference = join(repositoryRoot(), "results", "reference");
  const [run] = await bestRuns(reference);
  assertEquals(await canComeBack(run!), false);
  const error = await assertRejects(() => loadModel(run!.folder), StudyError);
  assertMatch(
    error.message,
    /has no checkpoint\.safetensors.*make a run that has one with deno task/,
  );
  // The detector there can come back, but nothing of it was trained: it is the best of nothing.
  const best = () => loadModel("best", { results: reference });
  assertMatch(
    (await assertRejects(best, StudyError)).message,
    /There is no finished run in .*deno task/,
  );
  const unknown = () => locateRun("20", { results: reference });
  assertMatch((await assertRejects(unknown, StudyError)).message, /may be any of \d+ runs: /);
});

Deno.test("loadModel() refuses a run or file of another model than the one asked for", async () => {
  for (const name of [folder, join(folder, CHECKPOINT), row!.run_id, "best"]) {
    (await loadModel(name, { results, model: row!.model })).dispose();
  }
  for (const name of [folder, join(folder, CHECKPOINT), row!.run_id]) {
    const { message } = await assertRejects(
      () => loadModel(name, { results, model: "vgg16" }),
      StudyError,
    );
    assertMatch(message, /^Run \S+ is of SimpleCNN_Fast, not of vgg16_FineTuned: give another run/);
  }
});

Deno.test("loadModel() refuses a file of weights from which nothing would be taken", () =>
  withFolder({}, async (place) => {
    const alone = join(place, "alone.safetensors");
    await Deno.copyFile(join(folder, CHECKPOINT), alone);
    // A run of part 4 that started from random weights.
    const random = join(place, "random");
    await Deno.mkdir(random);
    await Deno.copyFile(join(folder, CHECKPOINT), join(random, CHECKPOINT));
    const manifest = await readManifest(folder);
    const settings = { ...manifest.settings, weights: RANDOM_LABEL };
    await writeManifest(random, { ...manifest, model: ALEXNET.name, settings });
    for (
      const [name, line] of [
        [alone, `${alone} is taken for all weights of a model`],
        [folder, `Run ${row!.run_id} keeps all its weights`],
        ["best", `Run ${row!.run_id} keeps all its weights`],
        [random, `Run ${row!.run_id} started from random weights, which its seed gives`],
      ] as const
    ) {
      const { message } = await assertRejects(
        () => loadModel(name, { results, weights: alone }),
        StudyError,
      );
      assertEquals(
        message,
        `${line}, so --weights ${alone} has no use: to have that file's model, give the file in ` +
          "place of the run",
      );
    }
  }));

Deno.test("loadModel() refuses a damaged checkpoint of plausible weights, as a run's and as a file alone", () =>
  withFolder({}, async (copies) => {
    const own = join(copies, "runs", row!.run_id);
    await Deno.mkdir(own, { recursive: true });
    await Deno.copyFile(join(folder, "manifest.json"), join(own, "manifest.json"));
    const bytes = await Deno.readFile(join(folder, CHECKPOINT));
    new DataView(bytes.buffer).setFloat32(bytes.length - 4, 1000, true);
    for (const path of [join(own, CHECKPOINT), join(copies, "alone.safetensors")]) {
      await Deno.writeFile(path, bytes);
      const { message } = await assertRejects(() => loadModel(path), StudyError);
      assertMatch(message, /its own checksum is of; the file is damaged/);
    }
  }));

Deno.test("loadModel() refuses a value that is not finite, in a run's checkpoint and in a file alone", () =>
  withFolder({}, async (copies) => {
    const own = join(copies, "runs", row!.run_id);
    await Deno.mkdir(own, { recursive: true });
    await Deno.copyFile(join(folder, "manifest.json"), join(own, "manifest.json"));
    const state = await loadCheckpoint(join(folder, CHECKPOINT));
    const bias = state.get("conv1.bias")!;
    state.set("conv1.bias", { ...bias, data: (bias.data as Float32Array).with(3, NaN) });
    for (const path of [join(own, CHECKPOINT), join(copies, "alone.safetensors")]) {
      await saveCheckpoint(path, state);
      const { message } = await assertRejects(() => loadModel(path), StudyError);
      assertEquals(
        message,
        `${path}: conv1.bias has values that are not finite; give other weights`,
      );
    }
  }));

Deno.test("loadModel() answers with the averaged weights of a run that has made some and goes on", () =>
  withFolder({}, async (copies) => {
    const own = join(copies, "runs", row!.run_id);
    await Deno.mkdir(own, { recursive: true });
    await Deno.copyFile(join(folder, "manifest.json"), join(own, "manifest.json"));
    using model = await loadModel(folder);
    const [trained, averaged] = [model.stateDict(), model.stateDict()];
    for (const { data } of averaged.values()) (data as Float32Array).fill(0.5);
    const means = [...averaged].map(([name, mean]) => [`optimizer.average.${name}`, mean] as const);
    const state = new Map([...trained, ...means]);
    const history = [{ epoch: 1, loss: 1, correct: 1, seen: 2, seconds: 1 }];
    const cases = [
      { epochs: 2, step: 5, expected: averaged, weights: ", the averaged weights so far" },
      // Its parameters are the mean, or there is none yet.
      { epochs: 1, step: 5, expected: trained, weights: "" },
      { epochs: 2, step: 4, expected: trained, weights: "" },
    ];
    for (const { epochs, step, expected, weights } of cases) {
      const settings = { epochs, recipe: JSON.stringify({ average: { decay: 0.99, every: 5 } }) };
      const training = JSON.stringify({ settings, history, step });
      for (const path of [join(own, CHECKPOINT), join(copies, "alone.safetensors")]) {
        await saveCheckpoint(path, state, { training });
        using loaded = await loadModel(path);
        assertEquals(loaded.stateDict(), expected);
        if (loaded.run) assertEquals(loaded.weights, CHECKPOINT + weights);
      }
    }
  }));

Deno.test("a classifier alone is told apart from a whole network", () => {
  using network = alexnet();
  const { message } = assertThrows(
    () => network.loadStateDict(network.parameters.stateDict()),
    StudyError,
  );
  assertMatch(message, /AlexNet's classifier alone.*loadModel\(run\)/);
});

Deno.test("a detector's answer is the best score of each digit, and it has no logits", async () => {
  const answer = () => ({ labels: [0, 4, 8, 4], scores: [0.99, 0.2, 0.5, 0.7] });
  using detector = fakeDetector(answer) as DigitDetector & Detector;
  const facts = { name: "fake", title: "Fake", run: undefined, weights: "", normalises: true };
  const model = readyDetector(detector, facts);
  const scores = await model.probabilities(images.subarray(0, 2 * 784));
  assertEquals(scores.length, 20);
  assertClose(scores.subarray(10), [0, 0, 0, 0.7, 0, 0, 0, 0.5, 0, 0], 1e-6);
  assertThrows(() => model.forward(tf.zeros([1, 224, 224, 3])), StudyError, "no logits");
});

Deno.test("a detector is fed images as it was tested with: normalised already, or 0..1", async () => {
  const { mean: [red], std: [spread] } = IMAGENET_NORMALIZATION;
  for (const [normalises, black] of [[true, -red / spread], [false, 0]] as const) {
    const lows: number[] = [];
    using detector = fakeDetector(() => ({ labels: [], scores: [] }), {
      onDetect: (images) => lows.push(rangeOf(images)[0]),
    }) as DigitDetector & Detector;
    const facts = { name: "fake", title: "Fake", run: undefined, weights: "", normalises };
    await readyDetector(detector, facts).probabilities(images.subarray(0, 784));
    assertEquals(lows.length, 1);
    assert(Math.abs(lows[0]! - black) < 1e-5, `${lows[0]}, not ${black}`);
  }
});

Deno.test("a detector's export answers as its run does; another's is fed values 0..1", () =>
  withFolder({}, async (place) => {
    const [file, out] = [join(place, "file.safetensors"), join(place, "out.safetensors")];
    using base = fasterRcnnResnet50Fpn({ numClasses: 11, seed: 5 });
    await saveCheckpoint(file, base.stateDict());
    const manifest = await readManifest(folder);
    // The label makes a run's weights torchvision's first, to which batch normalisation adds nothing.
    const coco = `torchvision:${FASTER_RCNN_WEIGHTS.file}`;
    const variants = [
      [FASTER_RCNN_NORMALISE_ONCE, "once", coco, { normalises: false, batchNormEpsilon: 0 }],
      [FASTER_RCNN_ADAPTED, "twice", coco, { normalises: true, batchNormEpsilon: 0 }],
      [FASTER_RCNN_HEAD_TUNED, "twice", "file:own", { normalises: true, batchNormEpsilon: 1e-5 }],
    ] as const;
    for (const [{ name }, normalise, weights, detection] of variants) {
      const run = join(place, name);
      await Deno.mkdir(run);
      const settings = { ...manifest.settings, normalise, weights, weights_sha256: "", seed: 3 };
      await writeManifest(run, { ...manifest, model: name, settings });
      await saveCheckpoint(join(run, CHECKPOINT), base.predictor.stateDict());
      using own = await loadModel(run, { weights: file });
      await saveCheckpoint(out, own.stateDict(), exportNotes(own));
      using exported = await loadModel(out, { model: name });
      for (const model of [own, exported]) {
        assertEquals([model.name, model.detection], [name, detection]);
      }
      assertEquals(exported.parameters.stateDict(), own.parameters.stateDict());
      if (name !== FASTER_RCNN_NORMALISE_ONCE.name) continue;
      const digit = images.subarray(0, 784);
      const expected = await own.probabilities(digit);
      assert(expected.some((score) => score > 0));
      assertEquals(await exported.probabilities(digit), expected);
    }
    using foreign = await loadModel(file);
    assertEquals(foreign.detection, { normalises: false, batchNormEpsilon: 1e-5 });
  }));

Deno.test("digits that are photographed are read as before, 97 of 100 at least", async () => {
  using model = await loadModel(folder);
  const before = digitsOf(await model.probabilities(images));
  const random = randomNumbers(7);
  const prepared = new Uint8Array(images.length);
  for (let i = 0; i < PHOTOGRAPHED; i++) {
    const picture = photograph(images.subarray(784 * i, 784 * (i + 1)), random);
    const digit = prepareDigit(picture);
    assertEquals(digit?.ink, "dark", `digit ${i}`);
    prepared.set(digit!.pixels, 784 * i);
  }
  const after = digitsOf(await model.probabilities(prepared));
  const same = after.filter((digit, i) => digit === before[i]).length;
  assert(same >= 0.97 * PHOTOGRAPHED, `${same} of ${PHOTOGRAPHED}`);
});

const reason = await noPyTorch();
if (reason !== undefined) {
  console.log(`Logits of exports are not compared with PyTorch's: ${reason}`);
}

Deno.test("deno task export writes weights alone and a card; PyTorch has equal logits", async () => {
  const path = join(results, "export", "simple.safetensors");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArgs("export"), folder, "--out", path, "--quiet"],
    cwd: repositoryRoot(),
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const [state, checkpoint] = await Promise.all(
    [path, join(folder, CHECKPOINT)].map(loadCheckpoint),
  );
  for (const [name, tensor] of state!) assertEquals(tensor, checkpoint!.get(name), name);
  using file = await openSafetensors(path);
  assertEquals(file.metadata, {
    format: "pt",
    exported_by: "deno task export",
    model: row!.model,
    run_id: row!.run_id,
  });
  (await loadModel(path, { model: row!.model })).dispose();
  const { message } = await assertRejects(
    () => loadModel(path, { model: "SimpleCNN" }),
    StudyError,
  );
  assertMatch(message, /has weights of SimpleCNN_Fast, not of SimpleCNN: give another file/);
  if (reason === undefined) {
    // The program prints logits of the 100 digits of its own fixture, MNIST's first.
    const theirs: number[][] = JSON.parse(await python("simple_cnn.py", path));
    using model = await loadModel(path);
    const logits = tf.tidy(() =>
      model.forward(model.transform(tf.tensor2d(images.subarray(0, 100 * 784), [100, 784])))
    );
    assertClose(theirs.flat(), await logits.data(), 1e-4);
    logits.dispose();
  }
  const card = await Deno.readTextFile(join(results, "export", "simple.md"));
  for (
    const part of [
      row!.run_id,
      row!.dataset_sha256,
      "| epochs | 2 |",
      `${row!.accuracy!.toFixed(2)} % of ${PHOTOGRAPHED} test images`,
      "95 % interval",
      "## Licence",
      /commit `[0-9a-f]{40}`/,
    ]
  ) assertMatch(card, typeof part === "string" ? new RegExp(RegExp.escape(part)) : part);
});

Deno.test("exportTfjs() writes AlexNet's strides and padding, with the very same logits", async () => {
  const facts = { ...ALEXNET, run: undefined, weights: "random" };
  using model = readyClassifier(alexnet({ seed: 3, inChannels: 1 }), facts);
  const path = join(results, "alexnet");
  await exportTfjs(model, path);
  const { modelTopology, weightsManifest: [{ paths, weights }] } = JSON.parse(
    await Deno.readTextFile(join(path, "model.json")),
  );
  assertEquals(paths.length, 14);
  const parts = await Promise.all(paths.map((name: string) => Deno.readFile(join(path, name))));
  const weightData = await new Blob(parts).arrayBuffer();
  const artifacts = { modelTopology, weightSpecs: weights, weightData };
  const loaded = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
  const both = tf.tidy(() => {
    const inputs = model.transform(tf.tensor2d(images.subarray(0, 784), [1, 784]));
    return [model.forward(inputs), loaded.predict(inputs) as tf.Tensor];
  });
  const [ours, theirs] = await Promise.all(both.map((tensor) => tensor.data()));
  tf.dispose(both);
  loaded.dispose();
  assertEquals(theirs, ours);
});

Deno.test("exportTfjs() that breaks off leaves nothing to be loaded, and what it may write over", () =>
  withFolder({}, async (place) => {
    using model = await loadModel(folder);
    const isOwn = async () =>
      await Promise.all((await tfjsFiles(place)).map((file) => file.isOwn(file.path)));
    const weights = join(place, "weights-1-of-1.bin");
    for (const _ of ["at first", "over an earlier one"]) {
      await Deno.mkdir(weights);
      await assertRejects(() => exportTfjs(model, place), StudyError, "weights-1-of-1.bin");
      const { modelTopology } = JSON.parse(await Deno.readTextFile(join(place, "model.json")));
      assertEquals([modelTopology, await isOwn()], [undefined, [true, true]]);
      await Deno.remove(weights);
      await exportTfjs(model, place);
      assertEquals(await isOwn(), [true, true]);
      await Deno.remove(weights);
    }
  }));

Deno.test("plain tfjs loads exportTfjs()'s model, with equal logits", async () => {
  using model = await loadModel(folder);
  const path = join(results, "web");
  await exportTfjs(model, path);
  const ours = tf.tidy(() => {
    const inputs = model.transform(tf.tensor2d(images.subarray(0, 20 * 784), [20, 784]));
    return [inputs, model.forward(inputs)];
  });
  const [pixels, logits] = await Promise.all(ours.map((tensor) => tensor.data<"float32">()));
  tf.dispose(ours);
  const script = join(repositoryRoot(), "tests", "inference", "plain_tfjs.ts");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--lock=deno.full.lock", "--no-check", "--allow-read", script, path],
    cwd: repositoryRoot(),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new Uint8Array(pixels!.buffer));
  await writer.close();
  const { success, stdout } = await child.output();
  assert(success);
  assertClose(JSON.parse(new TextDecoder().decode(stdout)), logits!, 1e-4);
});

/** Every element within `tolerance`, and there are as many. */
function assertClose(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  assertEquals(found.length, expected.length);
  for (let i = 0; i < found.length; i++) {
    assert(Math.abs(found[i]! - expected[i]!) < tolerance, `${found[i]} is not ${expected[i]}`);
  }
}
