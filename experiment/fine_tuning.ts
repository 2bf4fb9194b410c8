/**
 * A frozen-feature model made ready for a run: weights, features from the cache, expected time.
 *
 * @module
 */

import { basename, dirname } from "node:path";
import type * as tf from "@tensorflow/tfjs";
import { normalizeGrey224, normalizeRgb224 } from "../data/transforms.ts";
import { formatDuration } from "../io/reporter.ts";
import type { FrozenFeatureClassifier } from "../models/classifier.ts";
import type { FrozenFeatureClassifierOptions } from "../models/frozen_feature_classifier.ts";
import type { PinnedWeights } from "../models/checkpoint/pretrained.ts";
import { describeLoadedLayers } from "../models/loaded_layers.ts";
import type { BatchSource, TrainableModel } from "../training/batch_source.ts";
import {
  classifierOn,
  FeatureBatches,
  rowsInMemory,
} from "../training/features/feature_batches.ts";
import { FeatureCache } from "../training/features/feature_cache.ts";
import { requireRoom } from "../training/features/feature_room.ts";
import { EXTRACTION_BATCH, FeatureExtractor } from "../training/features/feature_extractor.ts";
import { ImageBatches } from "../training/image_batches.ts";
import { Trainer } from "../training/trainer.ts";
import type { PreparationContext, PreparedRun } from "./classifier_plan.ts";
import { roundDuration } from "./expected_time.ts";

/** A model that part 4 can fine-tune. */
export interface FineTunedModel {
  /** The model's name in the results. */
  model: string;
  /** Its name for people. */
  title: string;
  /** Its published weights. */
  source: PinnedWeights;
  build: (options: FrozenFeatureClassifierOptions) => FrozenFeatureClassifier;
}

/** How it is to be fine-tuned. */
export interface FineTuning {
  inChannels: 1 | 3;
  /** Compute features once and keep them on disk, rather than anew in every epoch. */
  featureCache: boolean;
  /** Adam's L2 factor, for measuring a step. */
  weightDecay: number;
}

/** Steps that an epoch's time is measured by. */
const MEASURED_STEPS = 2;

/** Images per call where features are computed in the evaluation: VGG16's take 13 MB each. */
const IMAGE_CHUNK = 32;

/**
 * Builds the model, loads its weights, and computes its features where they are cached.
 *
 * Before long work it says how long that and the epochs will take, measured on a few batches.
 *
 * @throws {StudyError} If the weights do not fit or the disk has no room for the features.
 * @throws {InterruptedError} If aborted; features computed so far are kept.
 */
export async function prepareFineTuning(
  { title, build }: FineTunedModel,
  tuning: FineTuning,
  context: PreparationContext,
): Promise<PreparedRun> {
  const { dataset, reporter, flags, weights } = context;
  const { inChannels, featureCache } = tuning;
  using stack = new DisposableStack();
  const model = stack.adopt(
    build({ seed: flags.seed, inChannels }),
    (model) => model.dispose(),
  );
  if (weights?.path !== undefined) {
    const loaded = await model.loadPretrainedFile(weights.path);
    const source = basename(weights.path);
    reporter.line(describeLoadedLayers(loaded, { title, source, seed: flags.seed }));
  } else {
    reporter.line(`${title}: random features: this is not a result about a pretrained ${title}`);
  }
  const transform = inChannels === 1 ? normalizeGrey224 : normalizeRgb224;
  using images = new DisposableStack();
  const train = images.use(new ImageBatches(dataset.train, transform));
  const test = images.use(new ImageBatches(dataset.test, transform));
  if (featureCache) {
    const run = await cachedRun(model, { train, test }, tuning, context);
    const owner = stack.move();
    return {
      ...run,
      [Symbol.dispose]() {
        run[Symbol.dispose]();
        owner.dispose();
      },
    };
  }
  showExpectedTime(0, epochSeconds(model, train, tuning, context), context);
  stack.use(images.move());
  const owner = stack.move();
  return { model, train, test, chunk: IMAGE_CHUNK, [Symbol.dispose]: () => owner.dispose() };
}

type ImageSource = Record<"train" | "test", ImageBatches>;

async function cachedRun(
  model: FrozenFeatureClassifier,
  images: ImageSource,
  tuning: FineTuning,
  context: PreparationContext,
): Promise<PreparedRun> {
  const { engine, dataset, reporter, signal } = context;
  using stack = new DisposableStack();
  const features = await model.featuresSha256();
  const cacheOf = (part: "train" | "test", words: string) =>
    stack.use(
      new FeatureCache({
        identity: { ...identityOf(model, part, context), features },
        title: `the ${words} images`,
        count: dataset[part].count,
        columns: model.featureCount,
      }),
    );
  const train = cacheOf("train", "training");
  const test = cacheOf("test", "test");
  await train.survey({ reporter, signal });
  await test.survey({ reporter, signal });
  await requireRoom(train.missingBytes + test.missingBytes, dirname(train.folder), reporter);
  {
    using trainExtractor = new FeatureExtractor(engine, model, images.train);
    using testExtractor = new FeatureExtractor(engine, model, images.test);
    await announce({ extractor: trainExtractor, train, test, model }, tuning, context);
    if (train.missingRows === 0) {
      reporter.line(
        "Features of the training images are in the cache: the " +
          `${formatDuration(train.seconds)} that they took then count as training time`,
      );
    }
    await train.fill(trainExtractor, { reporter, signal });
    await test.fill(testExtractor, { reporter, signal });
  }
  const owner = stack.move();
  return {
    model: classifierOn(model),
    train: new FeatureBatches(train, dataset.train.labels),
    test: new FeatureBatches(test, dataset.test.labels),
    extraction: { train: train.seconds, test: test.seconds },
    [Symbol.dispose]: () => owner.dispose(),
  };
}

/** What decides features besides the parameters that compute them. */
function identityOf(
  model: FrozenFeatureClassifier,
  part: string,
  { engine, dataset }: PreparationContext,
) {
  return {
    model: model.name,
    data: dataset.sha256,
    part,
    transform: model.inChannels === 1 ? "grey224" : "rgb224",
    precision: engine.precision,
    device: engine.device,
    tensorflow: engine.version,
  };
}

/** Measures features and steps on a few batches, and says how long all of them will take. */
async function announce(
  { extractor, train, test, model }: {
    extractor: FeatureExtractor;
    train: FeatureCache;
    test: FeatureCache;
    model: FrozenFeatureClassifier;
  },
  tuning: FineTuning,
  context: PreparationContext,
): Promise<void> {
  const { dataset, signal, reporter } = context;
  const missing = train.missingRows + test.missingRows;
  reporter.live("Measuring how long it will take");
  let rows = train as Pick<FeatureCache, "columns" | "read">;
  let seconds = 0;
  let { labels } = dataset.train;
  if (missing > 0) {
    const count = Math.min(2 * EXTRACTION_BATCH, dataset.train.count);
    await extractor.extract(0, 1, { signal });
    const started = performance.now();
    const values = await extractor.extract(0, count, { signal });
    const batches = Math.ceil(count / EXTRACTION_BATCH);
    seconds = (performance.now() - started) / 1000 / (batches * EXTRACTION_BATCH) * missing;
    rows = rowsInMemory(values, model.featureCount);
    labels = labels.subarray(0, count);
  }
  const source = new FeatureBatches(rows, labels);
  showExpectedTime(seconds, epochSeconds(classifierOn(model), source, tuning, context), context);
}

/**
 * Seconds of an epoch: as the run's last one took or, before its first, by steps whose learning rate
 * of 0 leaves the parameters as they are.
 */
function epochSeconds<Input extends tf.Tensor>(
  model: TrainableModel<Input>,
  source: BatchSource<Input>,
  { weightDecay }: FineTuning,
  { engine, dataset, flags: { batchSize }, lastEpochSeconds }: PreparationContext,
): number {
  if (lastEpochSeconds !== undefined) return lastEpochSeconds;
  const trainer = new Trainer(engine, model, source, {
    batchSize,
    adam: { learningRate: 0, weightDecay },
    seed: 0,
  });
  const indices = Int32Array.from({ length: batchSize }, (_, i) => i % source.count);
  try {
    // The first step compiles.
    trainer.trainBatch(indices);
    const started = performance.now();
    for (let step = 0; step < MEASURED_STEPS; step++) trainer.trainBatch(indices);
    const seconds = (performance.now() - started) / 1000 / MEASURED_STEPS;
    return seconds * Math.ceil(dataset.train.count / batchSize);
  } finally {
    trainer.dispose();
  }
}

function showExpectedTime(
  featureSeconds: number,
  epochSeconds: number,
  { reporter, epochsLeft }: PreparationContext,
): void {
  const seconds = epochsLeft * epochSeconds;
  const parts = [
    ...(featureSeconds > 0 ? [`features ${roundDuration(featureSeconds)}`] : []),
    `${epochsLeft} epoch${epochsLeft === 1 ? "" : "s"} ${roundDuration(seconds)}`,
  ];
  reporter.line(`Expected: about ${roundDuration(featureSeconds + seconds)}: ${parts.join(", ")}`);
}
