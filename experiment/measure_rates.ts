/**
 * How fast a started engine does what the parts of the study consist of, measured in a few seconds.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { ImageBatches, normalizeMnist } from "../data/image_batches.ts";
import type { Engine } from "../engine/engine.ts";
import { simpleCnn } from "../models/simple_cnn.ts";
import { SIMPLE_CNN, VGG16 } from "../study.ts";
import { Adam } from "../training/adam.ts";
import { Trainer } from "../training/trainer.ts";
import type { MachineRates } from "./forecast.ts";

/** Seconds that each rate is measured for, at least. */
const SECONDS = 0.7;

/** Where a first step takes longer, it is all that is measured. */
const PATIENCE_SECONDS = 10;

const { batchSize: BATCH_SIZE, ...ADAM } = SIMPLE_CNN.training;

/** What is measured of an engine. */
export type EngineRates = Pick<
  MachineRates,
  "trainingImagesPerSecond" | "convolutionFlopPerSecond" | "secondsPerParameter"
>;

/** Measures an engine; nothing is left in it. */
export async function measureRates(engine: Engine): Promise<EngineRates> {
  return {
    trainingImagesPerSecond: await trainingRate(engine),
    convolutionFlopPerSecond: convolutionRate(engine),
    secondsPerParameter: stepRate(engine),
  };
}

/** Images a second that SimpleCNN is trained on; what is in them does not matter. */
async function trainingRate(engine: Engine): Promise<number> {
  const count = 8 * BATCH_SIZE;
  const digits = {
    images: Uint8Array.from({ length: count * 784 }, (_, i) => i * 7919 % 251),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 10),
    count,
  };
  using model = simpleCnn();
  using batches = new ImageBatches(digits, normalizeMnist);
  using trainer = new Trainer(engine, model, batches, {
    batchSize: BATCH_SIZE,
    adam: ADAM,
    seed: 1,
  });
  const step = Int32Array.from({ length: BATCH_SIZE }, (_, i) => i);
  const stepSeconds = () => {
    const started = performance.now();
    trainer.trainBatch(step);
    return (performance.now() - started) / 1000;
  };
  const first = stepSeconds();
  // A software adapter takes minutes for what others do in a second.
  if (first >= PATIENCE_SECONDS) return BATCH_SIZE / first;
  let seconds = stepSeconds();
  let images: number = BATCH_SIZE;
  if (seconds * count / BATCH_SIZE >= SECONDS) {
    for (; seconds < SECONDS; images += BATCH_SIZE) seconds += stepSeconds();
    return images / seconds;
  }
  // Steps that wait for nothing, as in training.
  await trainer.trainEpoch(1);
  seconds = images = 0;
  for (let epoch = 2; seconds < SECONDS; epoch++, images += count) {
    seconds += (await trainer.trainEpoch(epoch)).seconds;
  }
  return images / seconds;
}

/** Operations a second of a 3×3 convolution as VGG16 has them. */
function convolutionRate(engine: Engine): number {
  const [images, size, channels, kernel] = [8, 56, 128, 3];
  const convolve = engine.compile((x: tf.Tensor4D, weight: tf.Tensor4D) =>
    tf.conv2d(x, weight, 1, "same").slice([0, 0, 0, 0], [1, 1, 1, 1])
  );
  return tf.tidy(() => {
    const x = tf.randomNormal<tf.Rank.R4>([images, size, size, channels]);
    const weight = tf.randomNormal<tf.Rank.R4>([kernel, kernel, channels, channels]);
    const seconds = secondsPerCall(() => void convolve(x, weight).dataSync());
    convolve.dispose();
    return 2 * images * (size * channels * kernel) ** 2 / seconds;
  });
}

/** Seconds of a training step of a linear layer as `classifierOn` has them, for each of its parameters. */
function stepRate(engine: Engine): number {
  const width = 4096;
  const weight = tf.variable(tf.randomNormal([width, width], 0, 0.01));
  const adam = new Adam(new Map([["weight", weight]]), ADAM);
  const step = engine.compile((x: tf.Tensor2D, scalars: tf.Tensor1D) => {
    const { value, grads } = tf.variableGrads(
      () => tf.matMul(x, weight as tf.Tensor2D).square().mean(),
      [weight],
    );
    adam.apply(grads, scalars);
    return value;
  }, { precision: "float32" });
  const seconds = tf.tidy(() => {
    const x = tf.randomNormal<tf.Rank.R2>([VGG16.training.batchSize, width]);
    const scalars = tf.tensor1d(adam.stepScalars(1));
    return secondsPerCall(() => void step(x, scalars).dataSync());
  });
  step.dispose();
  adam.dispose();
  weight.dispose();
  return seconds / width ** 2;
}

/** The first call, which compiles, is not timed. */
function secondsPerCall(call: () => void): number {
  tf.tidy(call);
  const started = performance.now();
  let calls = 0;
  let seconds = 0;
  while (seconds < SECONDS) {
    tf.tidy(call);
    calls++;
    seconds = (performance.now() - started) / 1000;
  }
  return seconds / calls;
}
