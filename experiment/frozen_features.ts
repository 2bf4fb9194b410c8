/**
 * The features that a run's classifier is trained on: computed once and kept on disk, or in every
 * epoch, with a forecast of how long it will all take.
 *
 * @module
 */

import { dirname } from "node:path";
import type * as tf from "@tensorflow/tfjs";
import { contentBox } from "../data/content_box.ts";
import { IMAGE_PIXELS } from "../data/dataset.ts";
import { normalizeGrey224, normalizeRgb224, RESIZED_SIDE, resizedBox } from "../data/rgb224.ts";
import { formatDuration } from "../io/reporter.ts";
import { ALEXNET, VGG16 } from "../study.ts";
import { stopsAfter } from "../io/stop_notice.ts";
import type { FrozenFeatureClassifier } from "../models/classifier.ts";
import type { LabelledBatches } from "../training/evaluate.ts";
import {
  classifierOn,
  FeatureBatches,
  type FeatureRows,
  rowsInMemory,
} from "../training/features/feature_batches.ts";
import { FeatureCache, type FeatureIdentity } from "../training/features/feature_cache.ts";
import {
  EXTRACTION_BATCH,
  FeatureExtractor,
  WINDOWED_GROUP,
} from "../training/features/feature_extractor.ts";
import { requireRoom } from "../training/features/feature_room.ts";
import type { SharedBackground } from "../training/features/windowed_extraction.ts";
import { ImageBatches, transformImages } from "../data/image_batches.ts";
import { type BatchSource, type TrainableModel, Trainer } from "../training/trainer.ts";
import { roundDuration } from "./forecast.ts";
import type { Run } from "./run.ts";
import type { TestClassifierOptions } from "./training.ts";

/** What a frozen-feature model is trained and tested by: itself on images, or a half on features. */
export interface TrainableHalf extends Disposable {
  model: TrainableModel<tf.Tensor>;
  train: LabelledBatches<tf.Tensor>;
  test: LabelledBatches<tf.Tensor>;
  /** How it is tested. */
  testing: Omit<TestClassifierOptions, "batchSize">;
}

/** Steps that an epoch's time is measured by, after one that compiles. */
const MEASURED_STEPS = 2;

/** Images whose features are computed for a forecast, once to compile and once to measure. */
const MEASURED_IMAGES = 2 * EXTRACTION_BATCH;

/**
 * The model's classifier on features from the cache, which is filled first where it lacks any.
 *
 * Before long work it says how long that and the epochs will take, measured on a few batches.
 *
 * @throws {StudyError} If the disk has no room for the features.
 * @throws {InterruptedError} If aborted; features computed so far are kept.
 */
export async function cachedFeatures(
  run: Run,
  model: FrozenFeatureClassifier,
): Promise<TrainableHalf> {
  const { dataset, reporter, signal } = run;
  stopsAfter("batch");
  using stack = new DisposableStack();
  const features = await model.featuresSha256();
  const cacheOf = (part: "train" | "test", words: string) =>
    stack.use(
      new FeatureCache({
        identity: featureIdentity(run, { model, part, features }),
        title: `the ${words} images`,
        count: dataset[part].count,
        columns: model.featureCount,
        ...(isWindowed(run.engine, model) && { group: WINDOWED_GROUP }),
      }),
    );
  const train = cacheOf("train", "training");
  const test = cacheOf("test", "test");
  await train.survey({ reporter, signal });
  await test.survey({ reporter, signal });
  await requireRoom(train.missingBytes + test.missingBytes, dirname(train.folder), { reporter });
  await announce(run, { train, test, model });
  if (train.missingRows === 0) {
    reporter.line(
      "Features of the training images are in the cache: the " +
        `${formatDuration(train.seconds)} that it took to compute them count as training time`,
    );
  }
  for (const [part, cache] of [["train", train], ["test", test]] as const) {
    if (cache.missingRows === 0) continue;
    await withExtractor(
      run,
      model,
      part,
      (extractor) => cache.fill(extractor, { reporter, signal }),
    );
  }
  run.featureSeconds = train.seconds;
  const owner = stack.move();
  return {
    model: classifierOn(model),
    train: new FeatureBatches(train, dataset.train.labels),
    test: new FeatureBatches(test, dataset.test.labels),
    testing: { featureSeconds: test.seconds },
    [Symbol.dispose]: () => owner.dispose(),
  };
}

/** The whole model on images: features are computed in every epoch, as the study does. */
export function featuresEveryEpoch(
  run: Run,
  model: FrozenFeatureClassifier,
): TrainableHalf {
  const images = imageSource(run, model);
  if (!isShorterThanForecast(run, 0)) showForecast(run, 0, epochSeconds(run, model, images.train));
  return { model, ...images, testing: {} };
}

/** The run's images as the model takes them, on the device. */
function imageSource({ dataset }: Run, model: FrozenFeatureClassifier) {
  using stack = new DisposableStack();
  const transform = transformFor(model);
  const train = stack.use(new ImageBatches(dataset.train, transform));
  const test = stack.use(new ImageBatches(dataset.test, transform));
  const owner = stack.move();
  return { train, test, [Symbol.dispose]: () => owner.dispose() };
}

/**
 * Has images on the device, and compiled functions of the convolutions, for as long as features of one
 * part are computed: those of VGG16's windows take some 8 MB each.
 */
async function withExtractor<T>(
  run: Run,
  model: FrozenFeatureClassifier,
  part: "train" | "test",
  work: (extractor: FeatureExtractor) => Promise<T>,
): Promise<T> {
  using images = new ImageBatches(run.dataset[part], transformFor(model));
  const background = sharedBackground(run, model, part);
  using extractor = new FeatureExtractor(run.engine, model, images, background);
  return await work(extractor);
}

/** The black around the digits, where features are computed but for that. */
function sharedBackground(
  { engine, dataset }: Run,
  model: FrozenFeatureClassifier,
  part: "train" | "test",
): SharedBackground | undefined {
  if (!isWindowed(engine, model)) return undefined;
  const { images } = dataset[part];
  return {
    imageSide: RESIZED_SIDE,
    boxOf: (index) => resizedBox(contentBox(images, index)),
    image: () => transformImages(new Uint8Array(IMAGE_PIXELS), transformFor(model)),
  };
}

/**
 * Whether features are computed in windows: VGG16's on the CPU, in five sixths of the time. AlexNet's
 * first layers take so large steps that it gains nothing; graphics processors choose kernels by
 * measuring, which they would do for each size of windows.
 */
function isWindowed(
  { backend, device }: Run["engine"],
  { name }: Pick<FrozenFeatureClassifier, "name">,
): boolean {
  return backend === "tensorflow" && device === "CPU" && name === VGG16.name;
}

function transformFor(
  { inChannels }: FrozenFeatureClassifier,
): (pixels: tf.Tensor) => tf.Tensor4D {
  return inChannels === 1 ? normalizeGrey224 : normalizeRgb224;
}

/** Everything that decides the features of a part of a run's images, parameters by their SHA-256. */
export function featureIdentity(
  { engine, dataset }: Pick<Run, "engine" | "dataset">,
  { model, part, features }: {
    model: Pick<FrozenFeatureClassifier, "name" | "inChannels">;
    part: "train" | "test";
    features: string;
  },
): FeatureIdentity {
  return {
    model: model.name,
    features,
    data: dataset.sha256,
    part,
    transform: model.inChannels === 1 ? "grey224" : "rgb224",
    precision: engine.precision,
    device: engine.device,
    [engine.backend]: engine.version,
    // AlexNet alone has a filter of 5×5, which once was not transformed.
    ...(engine.convolutions && {
      convolutions: `${engine.convolutions}${model.name === ALEXNET.name ? " 3×3 5×5" : ""}`,
    }),
    ...(isWindowed(engine, model) && { group: WINDOWED_GROUP }),
  };
}

/** Whether a run has no more to do than is measured to say how long it takes. */
function isShorterThanForecast({ row, earlier, dataset }: Run, missingImages: number): boolean {
  const epochs = row.epochs! - earlier.length;
  const steps = epochs * Math.ceil(dataset.train.count / row.batch_size!);
  return steps <= 1 + MEASURED_STEPS && missingImages <= 2 * MEASURED_IMAGES;
}

/** Measures features and steps on a few batches, and says how long all of them will take. */
async function announce(
  run: Run,
  { train, test, model }: {
    train: FeatureCache;
    test: FeatureCache;
    model: FrozenFeatureClassifier;
  },
): Promise<void> {
  const { dataset, signal, reporter } = run;
  const missing = train.missingRows + test.missingRows;
  if (isShorterThanForecast(run, missing)) return;
  reporter.live("Measuring how long it will take");
  let rows: FeatureRows = train;
  let seconds = 0;
  let { labels } = dataset.train;
  if (missing > 0) {
    const count = Math.min(MEASURED_IMAGES, dataset.train.count);
    const values = await withExtractor(run, model, "train", async (extractor) => {
      // The first time compiles.
      await extractor.extract(0, count, { signal });
      const started = performance.now();
      const values = await extractor.extract(0, count, { signal });
      const batches = Math.ceil(count / EXTRACTION_BATCH);
      seconds = (performance.now() - started) / 1000 / (batches * EXTRACTION_BATCH) * missing;
      return values;
    });
    rows = rowsInMemory(values, model.featureCount);
    labels = labels.subarray(0, count);
  }
  const source = new FeatureBatches(rows, labels);
  showForecast(run, seconds, epochSeconds(run, classifierOn(model), source));
}

/**
 * Seconds of an epoch: as the run's last one took or, before its first, by steps whose learning rate
 * of 0 leaves the parameters as they are.
 */
function epochSeconds<Input>(
  { engine, dataset, row, earlier }: Run,
  model: TrainableModel<Input>,
  source: BatchSource<Input>,
): number {
  const last = earlier.at(-1);
  if (last !== undefined) return last.seconds;
  const batchSize = row.batch_size!;
  using trainer = new Trainer(engine, model, source, {
    batchSize,
    adam: { learningRate: 0, weightDecay: row.weight_decay! },
    seed: 0,
  });
  const indices = Int32Array.from({ length: batchSize }, (_, i) => i % source.count);
  // The first step compiles.
  trainer.trainBatch(indices);
  const started = performance.now();
  for (let step = 0; step < MEASURED_STEPS; step++) trainer.trainBatch(indices);
  const seconds = (performance.now() - started) / 1000 / MEASURED_STEPS;
  return seconds * Math.ceil(dataset.train.count / batchSize);
}

function showForecast(run: Run, featureSeconds: number, secondsAnEpoch: number): void {
  const left = run.row.epochs! - run.earlier.length;
  const seconds = left * secondsAnEpoch;
  const parts = [
    ...(featureSeconds > 0 ? [`features ${roundDuration(featureSeconds)}`] : []),
    `${left} epoch${left === 1 ? "" : "s"} ${roundDuration(seconds)}`,
  ];
  run.reporter.line(
    `Expected: about ${roundDuration(featureSeconds + seconds)}: ${parts.join(", ")}`,
  );
}
