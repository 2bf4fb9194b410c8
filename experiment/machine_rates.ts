/**
 * How fast this machine does what the parts of the study consist of, measured in a few seconds.
 *
 * A script of its own, with the permissions of the parts: `deno task all` runs it and reads the one
 * line of JSON that it prints, a {@linkcode MachineRates}.
 *
 * @module
 */

import type * as TF from "@tensorflow/tfjs";
import { loadDataset } from "../data/load_dataset.ts";
import { normalizeMnist } from "../data/transforms.ts";
import { type Engine, startEngine } from "../engine/engine.ts";
import { createReporter } from "../io/reporter.ts";
import { simpleCnn } from "../models/simple_cnn.ts";
import { Adam } from "../training/adam.ts";
import { ImageBatches } from "../training/image_batches.ts";
import { Trainer } from "../training/trainer.ts";
import type { MachineRates } from "./expected_time.ts";
import { parseFlags, PRECISIONS, runFlags } from "./flags.ts";
import { runScript } from "../io/run_script.ts";

/** Seconds that each rate is measured for, at least. */
const SECONDS = 0.7;
const ADAM = { learningRate: 0.001, weightDecay: 1e-4 } as const;
/** Batch of part 1, and of part 4. */
const BATCH_SIZES = { scratch: 128, fineTuning: 32 } as const;

async function main(): Promise<void> {
  const { data, device, precision, libtensorflow, strict } = runFlags({
    epochs: 1,
    batchSize: 1,
    lr: 1,
  });
  const flags = parseFlags(Deno.args, { data, device, precision, libtensorflow, strict });
  const reporter = createReporter({ stream: "stderr" });
  const engine = await startEngine({
    ...flags,
    precision: PRECISIONS[flags.precision ?? "fp32"],
    reporter,
  });
  const startSeconds = performance.now() / 1000;
  const { train, test } = await loadDataset({ ...flags, reporter });
  const rates: MachineRates = {
    startSeconds,
    trainImages: train.count,
    testImages: test.count,
    trainingImagesPerSecond: await trainingRate(engine),
    convolutionFlopPerSecond: convolutionRate(engine),
    secondsPerParameter: stepRate(engine),
  };
  console.log(JSON.stringify(rates));
  engine.dispose();
}

/** Images a second that SimpleCNN is trained on; what is in them does not matter. */
async function trainingRate(engine: Engine): Promise<number> {
  const count = 8 * BATCH_SIZES.scratch;
  const images = {
    images: Uint8Array.from({ length: count * 784 }, (_, i) => i * 7919 % 251),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 10),
    count,
  };
  const model = simpleCnn();
  using batches = new ImageBatches(images, normalizeMnist);
  const trainer = new Trainer(engine, model, batches, {
    batchSize: BATCH_SIZES.scratch,
    adam: ADAM,
    seed: 1,
  });
  await trainer.trainEpoch(1);
  let seconds = 0;
  let epochs = 0;
  while (seconds < SECONDS) seconds += (await trainer.trainEpoch(1 + ++epochs)).seconds;
  trainer.dispose();
  model.dispose();
  return epochs * count / seconds;
}

/** Operations a second of a 3×3 convolution as VGG16 has them. */
function convolutionRate(engine: Engine): number {
  const { tf } = engine;
  const [images, size, channels, kernel] = [8, 56, 128, 3];
  const convolve = engine.compile((x: TF.Tensor4D, weight: TF.Tensor4D) =>
    tf.conv2d(x, weight, 1, "same").slice([0, 0, 0, 0], [1, 1, 1, 1])
  );
  return tf.tidy(() => {
    const x = tf.randomNormal<TF.Rank.R4>([images, size, size, channels]);
    const weight = tf.randomNormal<TF.Rank.R4>([kernel, kernel, channels, channels]);
    const seconds = secondsPerCall(tf, () => void convolve(x, weight).dataSync());
    convolve.dispose();
    return 2 * images * (size * channels * kernel) ** 2 / seconds;
  });
}

/** Seconds of a training step of a linear layer, for each of its parameters. */
function stepRate(engine: Engine): number {
  const { tf } = engine;
  const width = 4096;
  const weight = tf.variable(tf.randomNormal([width, width], 0, 0.01));
  const adam = new Adam(new Map([["weight", weight]]), ADAM);
  const step = engine.compile((x: TF.Tensor2D, scalars: TF.Tensor1D) => {
    const { value, grads } = tf.variableGrads(
      () => tf.matMul(x, weight as TF.Tensor2D).square().mean(),
      [weight],
    );
    adam.apply(grads, scalars);
    return value;
  });
  const seconds = tf.tidy(() => {
    const x = tf.randomNormal<TF.Rank.R2>([BATCH_SIZES.fineTuning, width]);
    const scalars = tf.tensor1d(adam.stepScalars(1));
    return secondsPerCall(tf, () => void step(x, scalars).dataSync());
  });
  step.dispose();
  adam.dispose();
  weight.dispose();
  return seconds / width ** 2;
}

/** The first call, which compiles, is not timed. */
function secondsPerCall(tf: Engine["tf"], call: () => void): number {
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

if (import.meta.main) await runScript(main);
