/**
 * How the fast recipe is chosen: candidates trained on MNIST's first 6,500 training digits and judged
 * on the 1,500 that follow. The test digits are not looked at. (It was chosen on other 8,000 of MNIST's
 * digits, before the suite had all of them.)
 *
 * Prints, for each candidate, the mean validation accuracy over the seeds, its standard error, and
 * the mean training time (epochs alone). Run it with
 * `deno run -q -P=bench bench/tune_fast.ts [seeds]`, for example `... 1,2,3`; six seeds take about
 * five minutes on two cores.
 *
 * @module
 */

import type { ImageSet } from "../data/dataset.ts";
import { IMAGE_PIXELS } from "../data/idx.ts";
import { loadDataset } from "../data/load_dataset.ts";
import { ImageBatches, normalizeMnist } from "../data/image_batches.ts";
import { type Engine, startEngine } from "../engine/engine.ts";
import { silentReporter } from "../io/reporter.ts";
import { meanAndSd } from "../metrics/descriptive_statistics.ts";
import { simpleCnn } from "../models/simple_cnn.ts";
import { SIMPLE_CNN, SIMPLE_CNN_FAST, type TrainingSettings } from "../study.ts";
import { evaluate } from "../training/evaluate.ts";
import { oneCycle } from "../training/one_cycle.ts";
import { Trainer } from "../training/trainer.ts";

type Candidate = Pick<TrainingSettings, "epochs" | "batchSize" | "learningRate"> & {
  /** One-cycle if given, with these settings besides PyTorch's defaults. */
  cycle?: { divFactor?: number; pctStart?: number };
};

const { weightDecay, ...PUBLISHED } = SIMPLE_CNN.training;
const { epochs, batchSize, learningRate } = SIMPLE_CNN_FAST.training;

const CANDIDATES: readonly Candidate[] = [
  PUBLISHED,
  { epochs: 3, batchSize: 128, learningRate: 0.003, cycle: {} },
  { epochs: 3, batchSize: 64, learningRate: 0.003, cycle: {} },
  { epochs: 3, batchSize: 64, learningRate: 0.003, cycle: { divFactor: 5, pctStart: 0.2 } },
  { epochs: 4, batchSize: 128, learningRate: 0.003, cycle: {} },
  { epochs, batchSize, learningRate, cycle: {} }, // the one that study.ts has
  { epochs: 4, batchSize: 96, learningRate: 0.003, cycle: { divFactor: 5, pctStart: 0.2 } },
  { epochs: 4, batchSize: 96, learningRate: 0.004, cycle: {} },
];

const TRAINING_DIGITS = 6500;

async function main(): Promise<void> {
  const seeds = (Deno.args[0] ?? "1,2,3,4,5,6").split(",").map(Number);
  const engine = await startEngine({ precision: "auto" });
  const { train } = await loadDataset({ data: "mnist", limit: 8000, reporter: silentReporter });
  const fitted = slice(train, 0, TRAINING_DIGITS);
  const validation = slice(train, TRAINING_DIGITS, train.count);
  console.log(`${engine.precision}, seeds ${seeds}`);
  for (const candidate of CANDIDATES) {
    const accuracies: number[] = [];
    let seconds = 0;
    for (const seed of seeds) {
      const result = await trial(engine, candidate, seed, fitted, validation);
      accuracies.push(100 * result.accuracy);
      seconds += result.seconds / seeds.length;
    }
    const { mean, sd } = meanAndSd(accuracies);
    const error = sd / Math.sqrt(seeds.length);
    console.log(
      `${JSON.stringify(candidate)}: ${mean.toFixed(2)} % ± ${error.toFixed(2)}, ` +
        `${seconds.toFixed(1)} s`,
    );
  }
  engine.dispose();
}

async function trial(
  engine: Engine,
  { epochs, batchSize, learningRate, cycle }: Candidate,
  seed: number,
  fitted: ImageSet,
  validation: ImageSet,
): Promise<{ accuracy: number; seconds: number }> {
  const totalSteps = epochs * Math.ceil(fitted.count / batchSize);
  const model = simpleCnn({ seed });
  using batches = new ImageBatches(fitted, normalizeMnist);
  const trainer = new Trainer(engine, model, batches, {
    batchSize,
    adam: {
      learningRate: cycle ? oneCycle({ maxLr: learningRate, totalSteps, ...cycle }) : learningRate,
      weightDecay,
    },
    seed,
  });
  let seconds = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    seconds += (await trainer.trainEpoch(epoch)).seconds;
  }
  using images = new ImageBatches(validation, normalizeMnist);
  const { accuracy } = await evaluate(engine, model, images, { batchSize });
  trainer.dispose();
  model.dispose();
  return { accuracy, seconds };
}

function slice({ images, labels }: ImageSet, start: number, end: number): ImageSet {
  return {
    images: images.slice(start * IMAGE_PIXELS, end * IMAGE_PIXELS),
    labels: labels.slice(start, end),
    count: end - start,
  };
}

if (import.meta.main) await main();
