/** Training and evaluation of SimpleCNN on a few real digits. */

import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { ImageSet } from "../../data/dataset.ts";
import { loadMnist } from "../data/mnist.ts";
import { epochOrder } from "../../data/shuffle.ts";
import { ImageBatches, mnist28, normalizeMnist } from "../../data/image_batches.ts";
import { InterruptedError, StudyError } from "../../io/errors.ts";
import type { Classifier } from "../../models/classifier.ts";
import { simpleCnn } from "../../models/simple_cnn.ts";
import { loadCheckpoint } from "../../models/checkpoint/open_checkpoint.ts";
import { saveCheckpoint } from "../../models/checkpoint/safetensors.ts";
import { smoothedCrossEntropy } from "../../training/cross_entropy.ts";
import { readProgress, restoreTraining, saveTraining } from "../../training/checkpoint.ts";
import { evaluate, meanOfBatchMeans } from "../../training/evaluate.ts";
import { FeatureBatches, rowsInMemory } from "../../training/features/feature_batches.ts";
import { type BatchProgress, Trainer, type TrainerOptions } from "../../training/trainer.ts";
import { nativeTensors, testEngine } from "../engine/engine.ts";

const engine = await testEngine();
const mnist = await loadMnist();

/** The first images of a set. */
function first({ images, labels }: ImageSet, count: number): ImageSet {
  return { images: images.slice(0, count * 784), labels: labels.slice(0, count), count };
}

function testImages(count: number): ImageBatches {
  return new ImageBatches(first(mnist.test, count), normalizeMnist);
}

const OPTIONS: TrainerOptions = {
  batchSize: 64,
  adam: { learningRate: 0.001, weightDecay: 1e-4 },
  seed: 3,
};

/** A fresh model with its trainer, freed at the end of the block. */
class Run implements Disposable {
  readonly model: Classifier;
  readonly trainer: Trainer;
  #images: ImageBatches;

  constructor(count: number, options: Partial<TrainerOptions> = {}) {
    const all = { ...OPTIONS, ...options };
    this.model = simpleCnn({ seed: all.seed });
    this.#images = new ImageBatches(first(mnist.train, count), normalizeMnist);
    this.trainer = new Trainer(engine, this.model, this.#images, all);
  }

  /** Bytes of all parameters and moments. */
  bits(): Map<string, Uint8Array> {
    const state = [...this.model.stateDict()];
    for (const [name, { m, v }] of this.trainer.optimizer.moments) {
      state.push([`${name}/m`, this.model.parameters.toState(m, name)]);
      state.push([`${name}/v`, this.model.parameters.toState(v, name)]);
    }
    return new Map(state.map(([name, { data }]) => [name, new Uint8Array(data.buffer)]));
  }

  [Symbol.dispose](): void {
    this.trainer.dispose();
    this.#images[Symbol.dispose]();
    this.model.dispose();
  }
}

Deno.test("epochOrder() is a permutation that differs by epoch and by seed", () => {
  const order = epochOrder(1000, 1, 1);
  assertEquals(order.toSorted(), Int32Array.from({ length: 1000 }, (_, index) => index));
  assertEquals(epochOrder(1000, 1, 1), order);
  for (const [seed, epoch] of [[1, 2], [2, 1], [2, 2]] as const) {
    const other = epochOrder(1000, seed, epoch);
    const fixed = other.filter((value, index) => value === order[index]).length;
    // Two independent permutations agree in one place on average.
    assert(fixed < 10, `seed ${seed}, epoch ${epoch}: ${fixed} in the same place`);
  }
});

Deno.test("trainEpoch() learns", async () => {
  using run = new Run(512);
  const results = [];
  for (let epoch = 1; epoch <= 4; epoch++) results.push(await run.trainer.trainEpoch(epoch));
  assert(results[3]!.loss < results[0]!.loss / 2, `${results.map(({ loss }) => loss)}`);
  assert(results[3]!.correct > 0.8 * 512, `${results[3]!.correct} of 512`);
});

Deno.test("Trainer gives the same bits for the same seed, others for another", async () => {
  const outcome = async (seed: number) => {
    using run = new Run(256, { seed });
    const losses = [];
    for (const epoch of [1, 2]) losses.push((await run.trainer.trainEpoch(epoch)).loss);
    using test = testImages(200);
    const { predictions, scores } = await evaluate(engine, run.model, test, OPTIONS);
    return { losses, predictions, scores, bits: run.bits() };
  };
  const once = await outcome(3);
  assertEquals(await outcome(3), once);
  const other = await outcome(4);
  assertNotEquals(other.losses, once.losses);
  assertNotEquals(other.predictions, once.predictions);
});

Deno.test("Trainer's dropout depends on the step and can be off", () => {
  // Without learning, only dropout can change the loss of the same batch.
  const losses = (dropout: boolean) => {
    using run = new Run(64, { dropout, adam: { learningRate: 0 } });
    const batch = Int32Array.from({ length: 64 }, (_, index) => index);
    return [1, 2, 3].map(() => run.trainer.trainBatch(batch)[0]);
  };
  assertEquals(new Set(losses(true)).size, 3);
  assertEquals(new Set(losses(false)).size, 1);
});

Deno.test("Trainer leaves frozen parameters as they are and the others' first step unchanged", () => {
  const frozen = ["conv1.weight", "conv1.bias"];
  const batch = Int32Array.from({ length: 64 }, (_, index) => index);
  using whole = new Run(64);
  using part = new Run(64, { frozen });
  const start = whole.model.stateDict();
  for (const { trainer } of [whole, part]) trainer.trainBatch(batch);
  const trained = whole.model.stateDict();
  for (const [name, { data }] of part.model.stateDict()) {
    assertEquals(data, (frozen.includes(name) ? start : trained).get(name)!.data, name);
    assertEquals(part.trainer.optimizer.moments.has(name), !frozen.includes(name), name);
  }
  using images = testImages(1);
  const misspelt = { ...OPTIONS, frozen: ["conv9.weight"] };
  assertThrows(() => new Trainer(engine, part.model, images, misspelt), Error, "conv9.weight");
});

Deno.test("restoreTraining() goes on to the same bits with Muon, a running mean and frozen parameters", async () => {
  const path = await Deno.makeTempFile({ suffix: ".safetensors" });
  const recipe: Partial<TrainerOptions> = {
    frozen: ["conv1.bias"],
    muon: { parameters: ["conv1.weight", "fc2.weight"], learningRate: 0.03 },
    average: { decay: 0.9, every: 2 },
    loss: smoothedCrossEntropy(0.1),
  };
  try {
    using whole = new Run(192, recipe);
    const history = [await whole.trainer.trainEpoch(1)];
    await saveTraining(path, whole.model, whole.trainer, { settings: {}, history });
    await whole.trainer.trainEpoch(2);
    whole.trainer.swapAverage();

    using resumed = new Run(192, recipe);
    await resumed.trainer.trainEpoch(7);
    await restoreTraining(path, resumed.model, resumed.trainer);
    await resumed.trainer.trainEpoch(2);
    resumed.trainer.swapAverage();
    assertEquals(resumed.bits(), whole.bits());
    assertEquals(whole.trainer.optimizer.moments.has("fc2.weight"), false);

    // The model alone comes back from the same file.
    using alone = simpleCnn({ seed: 9 });
    alone.loadStateDict(await loadCheckpoint(path));
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("restoreTraining() goes on to the same bits as a run never interrupted", async () => {
  const path = await Deno.makeTempFile({ suffix: ".safetensors" });
  try {
    using whole = new Run(256);
    const history = [await whole.trainer.trainEpoch(1)];
    const progress = { settings: { batchSize: 64, seed: 3 }, history };
    await saveTraining(path, whole.model, whole.trainer, progress);
    const second = await whole.trainer.trainEpoch(2);

    using resumed = new Run(256);
    // Elsewhere, and a step ahead, so that everything must come from the file.
    await resumed.trainer.trainEpoch(7);
    resumed.trainer.trainBatch(Int32Array.of(0));
    assertEquals(await readProgress(path), { ...progress, step: 4 });
    const restored = await restoreTraining(path, resumed.model, resumed.trainer);
    assertEquals(restored.settings, progress.settings);
    assertEquals(restored.history, progress.history);
    assertEquals(resumed.trainer.step, 4);
    const again = await resumed.trainer.trainEpoch(2);
    assertEquals({ ...again, seconds: 0 }, { ...second, seconds: 0 });
    assertEquals(resumed.bits(), whole.bits());
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("restoreTraining() refuses weights that hold no run", async () => {
  const path = await Deno.makeTempFile({ suffix: ".safetensors" });
  try {
    using run = new Run(64);
    await saveCheckpoint(path, run.model.stateDict());
    await assertRejects(
      () => restoreTraining(path, run.model, run.trainer),
      StudyError,
      "holds no training run",
    );
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("trainEpoch() keeps the last short batch", async () => {
  using run = new Run(20, { batchSize: 8, readInterval: 1 });
  const batches: BatchProgress[] = [];
  const result = await run.trainer.trainEpoch(1, (progress) => batches.push(progress));
  assertEquals(batches.map(({ batch, seen }) => [batch, seen]), [[0, 0], [1, 8], [2, 16]]);
  for (const progress of batches) {
    assertEquals([progress.epoch, progress.batches, progress.total], [1, 3, 20]);
  }
  assertEquals(run.trainer.step, 3);
  assertEquals(result.seen, 20);
  // The mean of the batches' means, the short one counting as much as the others.
  assertEquals(result.loss, batches.reduce((sum, { loss }) => sum + loss, 0) / 3);
});

Deno.test("trainEpoch() trains on every image once, in epochOrder()'s order", async () => {
  // Without learning and dropout, an epoch counts what the model classifies correctly.
  using run = new Run(50, {
    batchSize: 16,
    dropout: false,
    adam: { learningRate: 0 },
    readInterval: 1,
  });
  const losses: number[] = [];
  const result = await run.trainer.trainEpoch(2, ({ loss }) => losses.push(loss));
  const each = Array.from({ length: 50 }, (_, i) => run.trainer.trainBatch(Int32Array.of(i)));
  assertEquals(result.correct, each.reduce((sum, [, correct]) => sum + correct, 0));
  const order = epochOrder(50, OPTIONS.seed, 2);
  for (const [batch, loss] of losses.entries()) {
    const members = Array.from(order.subarray(16 * batch, 16 * (batch + 1)));
    const mean = members.reduce((sum, i) => sum + each[i]![0], 0) / members.length;
    assert(Math.abs(loss - mean) < 1e-6, `batch ${batch}: ${loss}, not ${mean}`);
  }
});

Deno.test("trainEpoch() gives the same result however seldom it reads back", async () => {
  const results = [];
  for (const readInterval of [1, 3, 100]) {
    using run = new Run(70, { batchSize: 10, readInterval });
    const losses: number[] = [];
    const { loss, correct } = await run.trainer.trainEpoch(1, ({ loss }) => losses.push(loss));
    results.push({ loss, correct, first: losses[0], last: losses.at(-1) });
  }
  assertEquals(results[1], results[0]);
  assertEquals(results[2], results[0]);
});

Deno.test("trainEpoch() shows a loss that is about a second old at most, with the same result", async () => {
  const count = 7;
  const train = async (readInterval: number, pauseMs: number) => {
    using run = new Run(count * 8, { batchSize: 8, readInterval });
    const shown: number[] = [];
    let soFar = NaN;
    const { loss, correct, seconds } = await run.trainer.trainEpoch(1, (progress) => {
      shown.push(progress.loss);
      soFar = progress.seconds;
      wait(pauseMs);
    });
    return { result: { loss, correct }, shown, soFar, seconds };
  };
  const exact = await train(1, 0);
  const slow = await train(1000, 400);
  assertEquals(slow.result, exact.result);
  // Seven pauses of 0.4 s, the last one after what was said last; thousands in milliseconds.
  assert(slow.seconds > 2.7 && slow.seconds < 270, `${slow.seconds}`);
  assert(slow.soFar > 2.3 && slow.soFar < slow.seconds - 0.3, `${slow.soFar}`);
  for (const [batch, loss] of slow.shown.entries()) {
    const age = batch - exact.shown.indexOf(loss);
    // Batches are 0.4 s apart.
    assert(age >= 0 && age <= 2, `the loss after batch ${batch} is ${age} batches old`);
  }
});

Deno.test("trainEpoch() stops at a loss that is not finite and names the step", async () => {
  using run = new Run(64, { batchSize: 16, adam: { learningRate: 1e30 } });
  const error = await assertRejects(() => run.trainer.trainEpoch(1), StudyError);
  assert(/ at step 2 \(epoch 1, batch 2 of 4\).*--lr/.test(error.message), error.message);
});

Deno.test("trainEpoch() and evaluate() stop when aborted, and say why in the cause", async () => {
  using run = new Run(64, { batchSize: 16 });
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new Error("enough");
  const stop = () => controller.abort(reason);
  const trained = await assertRejects(
    () => run.trainer.trainEpoch(1, stop, signal),
    InterruptedError,
  );
  assertEquals(run.trainer.step, 1);
  using test = testImages(20);
  const evaluated = await assertRejects(
    () => evaluate(engine, run.model, test, { ...OPTIONS, signal }),
    InterruptedError,
  );
  assertEquals([trained.cause, evaluated.cause], [reason, reason]);
});

Deno.test("Trainer and evaluate() refuse batches and parts that are no positive whole number", async () => {
  using run = new Run(64);
  using test = testImages(20);
  for (const value of [0, -1, 1.5, NaN, Infinity]) {
    const refusal = `must be a positive whole number: current value is ${value}`;
    const batchSize = { ...OPTIONS, batchSize: value };
    assertThrows(
      () => new Trainer(engine, run.model, test, batchSize),
      RangeError,
      `Cannot train as batchSize ${refusal}`,
    );
    await assertRejects(
      () => evaluate(engine, run.model, test, batchSize),
      RangeError,
      `Cannot evaluate as batchSize ${refusal}`,
    );
    await assertRejects(
      () => evaluate(engine, run.model, test, { ...OPTIONS, chunk: value }),
      RangeError,
      `Cannot evaluate as chunk ${refusal}`,
    );
  }
});

Deno.test("Trainer takes an option that is there but undefined for one that is not", () => {
  const batch = Int32Array.from({ length: 64 }, (_, index) => index);
  const [learningRate, absent] = [0.001, undefined];
  const muon = { parameters: ["conv2.weight", "fc2.weight"], learningRate };
  const outcome = (options: Partial<TrainerOptions>) => {
    using run = new Run(64, options);
    run.trainer.trainBatch(batch);
    return run.bits();
  };
  const named = outcome({
    adam: { learningRate, weightDecay: absent, beta1: absent, beta2: absent, epsilon: absent },
    muon: { ...muon, momentum: absent, weightDecay: absent },
  });
  assertEquals(named, outcome({ adam: { learningRate }, muon }));
});

Deno.test("Trainer refuses settings that would make the parameters worthless, and leaves nothing behind", () => {
  using model = simpleCnn();
  using images = testImages(2);
  const before = tf.memory().numTensors;
  const refuse = (options: Partial<TrainerOptions>, refusal: string) => {
    const all = { ...OPTIONS, ...options };
    assertThrows(() => new Trainer(engine, model, images, all), RangeError, refusal);
    assertEquals(tf.memory().numTensors, before);
  };
  const [learningRate, parameters] = [0.1, ["fc2.weight"]];
  for (const value of [-1, NaN, Infinity]) {
    const finite = `must be finite and >= 0: current value is ${value}`;
    refuse({ adam: { learningRate: value } }, `learningRate ${finite}`);
    refuse({ adam: { learningRate, weightDecay: value } }, `weightDecay ${finite}`);
    refuse({ adam: { learningRate, epsilon: value } }, `epsilon ${finite}`);
    refuse({ muon: { parameters, learningRate: value } }, `learningRate ${finite}`);
    refuse({ muon: { parameters, learningRate, weightDecay: value } }, `weightDecay ${finite}`);
  }
  for (const value of [-0.1, 1, NaN]) {
    const share = `must be in [0, 1): current value is ${value}`;
    refuse({ adam: { learningRate, beta1: value } }, `beta1 ${share}`);
    refuse({ adam: { learningRate, beta2: value } }, `beta2 ${share}`);
    refuse({ muon: { parameters, learningRate, momentum: value } }, `momentum ${share}`);
  }
  for (const value of [-0.1, 1.1, NaN]) {
    const decay = `decay must be in [0, 1]: current value is ${value}`;
    refuse({ average: { decay: value, every: 1 } }, decay);
  }
  for (const value of [0, -1, 2.5, NaN]) {
    const count = `must be a positive whole number: current value is ${value}`;
    refuse({ average: { decay: 0.9, every: value } }, `every ${count}`);
    refuse({ readInterval: value }, `readInterval ${count}`);
  }
});

Deno.test("trainEpoch() and evaluate() refuse a source of no examples", async () => {
  using model = simpleCnn();
  using none = new ImageBatches(first(mnist.test, 0), normalizeMnist);
  using trainer = new Trainer(engine, model, none, OPTIONS);
  const refusal = "as the source's count must be a positive whole number: current value is 0";
  await assertRejects(() => trainer.trainEpoch(1), RangeError, refusal);
  await assertRejects(() => evaluate(engine, model, none, OPTIONS), RangeError, refusal);
});

Deno.test("Trainer and evaluate() refuse labels that the model has no class for", async () => {
  using model = simpleCnn({ numClasses: 3 });
  using known = new ImageBatches(
    { ...first(mnist.test, 2), labels: Uint8Array.of(0, 2) },
    normalizeMnist,
  );
  using images = new ImageBatches(
    { ...first(mnist.test, 2), labels: Uint8Array.of(3, 0) },
    normalizeMnist,
  );
  const refusal =
    "each label must be < 3, the model's numClasses: current value of the largest is 3";
  assertThrows(() => new Trainer(engine, model, images, OPTIONS), RangeError, refusal);
  await assertRejects(() => evaluate(engine, model, images, OPTIONS), RangeError, refusal);
  using trainer = new Trainer(engine, model, known, OPTIONS);
  await trainer.trainEpoch(1);
  await evaluate(engine, model, known, OPTIONS);
});

Deno.test("training holds no more tensors after 100 steps, and none when freed", async () => {
  const counts = () => [nativeTensors(), tf.memory().numTensors] as const;
  const before = counts();
  {
    using run = new Run(16, { batchSize: 4 });
    await run.trainer.trainEpoch(1);
    using test = testImages(8);
    await evaluate(engine, run.model, test, OPTIONS);
    const [native, ours] = counts();
    for (let epoch = 2; epoch <= 26; epoch++) await run.trainer.trainEpoch(epoch);
    await evaluate(engine, run.model, test, OPTIONS);
    assertEquals(run.trainer.step, 104);
    assert(counts()[0] <= native, `${native} grew to ${counts()[0]} in TensorFlow`);
    assert(counts()[1] <= ours, `${ours} grew to ${counts()[1]} in tfjs`);
  }
  assert(counts()[0] <= before[0], `${counts()[0] - before[0]} left in TensorFlow`);
  assert(counts()[1] <= before[1], `${counts()[1] - before[1]} left in tfjs`);
});

Deno.test("meanOfBatchMeans() by hand", () => {
  assertEquals(meanOfBatchMeans([1, 2, 3, 4, 9], 2), (1.5 + 3.5 + 9) / 3);
  assertEquals(meanOfBatchMeans([1, 2, 3], 3), 2);
  assertEquals(meanOfBatchMeans([1, 2, 3], 100), 2);
  assertEquals(meanOfBatchMeans([], 2), NaN);
});

Deno.test("evaluate() times the making of batches too, as the report says", async () => {
  using run = new Run(64);
  using test = testImages(20);
  const slow = {
    count: test.count,
    labels: test.labels,
    batch: test.batch.bind(test),
    tensors: (indices: Int32Array) => {
      wait(100);
      return test.tensors(indices);
    },
  };
  const { seconds } = await evaluate(engine, run.model, slow, { ...OPTIONS, chunk: 10 });
  // A timer may be a little early.
  assert(seconds > 0.19 && seconds < 20, `${seconds} s`);
});

Deno.test("evaluate() equals what the logits say", async () => {
  // More than evaluate() takes at a time, so that its parts must be put together rightly.
  const test = first(mnist.test, 510);
  using run = new Run(256);
  await run.trainer.trainEpoch(1);
  const logits = tf.tidy(() => run.model.forward(mnist28(test.images)).arraySync());
  const rows = logits.map((row) => {
    const largest = Math.max(...row);
    const sum = row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
    const logNorm = largest + Math.log(sum);
    return { row, prediction: row.indexOf(largest), score: Math.exp(largest - logNorm), logNorm };
  });
  let loss = 0;
  for (let start = 0; start < 510; start += 100) {
    const batch = rows.slice(start, start + 100);
    loss += batch.reduce((sum, { row, logNorm }, i) =>
      sum + logNorm - row[test.labels[start + i]!]!, 0) / batch.length / 6;
  }

  const done: number[] = [];
  using images = new ImageBatches(test, normalizeMnist);
  const result = await evaluate(engine, run.model, images, {
    ...OPTIONS,
    batchSize: 100,
    onProgress: (n, total) => done.push(n / total),
  });
  assertEquals(result.predictions, Int32Array.from(rows, ({ prediction }) => prediction));
  // Float32 logits of some 1, summed in another order for another batch.
  assert(Math.abs(result.loss - loss) < 1e-5, `${result.loss}, not ${loss}`);
  for (const [index, { score }] of rows.entries()) {
    assert(Math.abs(result.scores[index]! - score) < 1e-5, `score of ${index}`);
  }
  const right = rows.filter(({ prediction }, index) => prediction === test.labels[index]).length;
  assertEquals(result.accuracy, right / 510);
  assert(result.f1 > 0 && result.f1 <= 1);
  assert(result.seconds > 0);
  assertEquals(done.at(-1), 1);
});

Deno.test("evaluate() takes what is true first", async () => {
  // Logits of three images, each of another class; class 0 is right for all.
  const rows = rowsInMemory(Float32Array.of(9, 0, 0, 0, 9, 0, 0, 0, 9), 3);
  const images = new FeatureBatches(rows, new Uint8Array(3));
  const model = { forward: (logits: tf.Tensor2D) => logits };
  const { f1, predictions } = await evaluate(engine, model, images, OPTIONS);
  assertEquals(predictions, Int32Array.of(0, 1, 2));
  // Only class 0 is true: F1 = 2·1/(2·1 + 2) = 1/2 of weight 3. The other way round it is 1/6.
  assertEquals(f1, 1 / 2);
});

Deno.test("evaluate() takes as many images at a time as the model says, unless it is told", async () => {
  const images = new FeatureBatches(rowsInMemory(new Float32Array(9), 3), new Uint8Array(3));
  const doneAfterCalls = async (model: { batchSize?: number }, chunk: { chunk?: number }) => {
    const done: number[] = [];
    const forward = (logits: tf.Tensor2D) => logits;
    await evaluate(engine, { ...model, forward }, images, {
      ...{ batchSize: 1, ...chunk },
      onProgress: (count) => done.push(count),
    });
    return done;
  };
  assertEquals(await doneAfterCalls({}, {}), [3]);
  assertEquals(await doneAfterCalls({ batchSize: 2 }, {}), [2, 3]);
  assertEquals(await doneAfterCalls({ batchSize: 2 }, { chunk: 1 }), [1, 2, 3]);
});

/** Does nothing, and lets nothing else be done meanwhile. */
function wait(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
