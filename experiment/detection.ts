/**
 * What a run does with a detector: train its box predictor, detect the digits of the test images, and
 * score them for its row.
 *
 * @module
 */

import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { StudyError } from "../io/errors.ts";
import { formatDuration } from "../io/reporter.ts";
import { stopsAfter } from "../io/stop_notice.ts";
import type { Detector } from "../models/faster_rcnn.ts";
import { writePredictions } from "../report/record/run_folder.ts";
import { BOXES_PER_IMAGE } from "../training/detection/digit_boxes.ts";
import {
  BOXES_VERSION,
  boxFeatureExtractor,
  FEATURES_PER_IMAGE,
  labelledBoxes,
} from "../training/detection/box_features.ts";
import {
  BoxBatches,
  boxLoss,
  boxPredictor,
  type TrainingBoxes,
} from "../training/detection/box_predictor.ts";
import {
  type DigitPredictions,
  type PixelTransform,
  predictDigits,
  scoreDigits,
} from "../training/detection/predict_digits.ts";
import { FeatureCache, type FeatureIdentity } from "../training/features/feature_cache.ts";
import { requireRoom } from "../training/features/feature_room.ts";
import { summarizeLatency } from "../training/latency.ts";
import { Trainer } from "../training/trainer.ts";
import type { TrainingSettings } from "../study.ts";
import {
  noPredictions,
  type PartialPredictions,
  readPartialPredictions,
  writePartialPredictions,
} from "./partial_predictions.ts";
import { ImageProgress } from "./progress.ts";
import type { Measured, Run } from "./run.ts";
import { trainEpochs, trainerOptions } from "./training.ts";

/** What helps where their features find no room. */
const FEWER_BOXES = { fewer: "use fewer images with --limit" };

/** What a run needs of a detector. */
export type DigitDetector =
  & Pick<Detector, "detect" | "boxFeatures" | "predictor" | "dispose">
  & Disposable;

/** How a detector is fed. */
export interface DetectorInput {
  /** Images for each call. */
  batchSize: number;
  /** From pixels to images. */
  transform: PixelTransform;
}

/** Milliseconds after which what has been detected is written down. */
const SAVE_INTERVAL = 5000;

/** Images of one file of features: what an interruption costs at most. */
const SHARD_IMAGES = 16;

/**
 * Trains `cls_score` and `bbox_pred` with Adam on features of the training images' boxes, which come
 * from the cache where they are there already.
 *
 * @throws {StudyError} If the loss is not finite.
 * @throws {InterruptedError} If aborted; features and finished epochs are kept.
 */
export async function trainBoxPredictor(
  run: Run,
  detector: DigitDetector,
  training: TrainingSettings,
  input: DetectorInput,
): Promise<void> {
  const { engine, plan: { seed } } = run;
  using boxes = new BoxBatches(await trainingBoxes(run, detector, input));
  const { predictor } = detector;
  const model = boxPredictor(predictor);
  using trainer = new Trainer(engine, model, boxes, {
    ...trainerOptions(training, { seed, count: boxes.count }),
    loss: boxLoss,
  });
  await trainEpochs(run, { parameters: predictor }, trainer, {
    epochs: training.epochs,
    resumed: (done) => `The predictor is trained up to epoch ${done} already`,
    epochsOnly: true,
    unit: "boxes",
  });
  // No later step looks at what the last one has left, and detections have no loss.
  const batch = Int32Array.from({ length: Math.min(training.batchSize, boxes.count) }, (_, i) => i);
  const loss = tf.tidy(() => {
    const { inputs, targets } = boxes.batch(boxes.tensors(batch));
    return boxLoss(model.forward(inputs), targets).loss.dataSync()[0]!;
  });
  if (Number.isFinite(loss)) return;
  throw new StudyError(
    `The loss is ${loss} after the last step: lower the learning rate with --lr`,
  );
}

/** Boxes with their features, computed or from the cache. */
async function trainingBoxes(
  run: Run,
  detector: DigitDetector,
  { batchSize, transform }: DetectorInput,
): Promise<TrainingBoxes> {
  const { dataset: { train }, reporter, signal, plan: { seed } } = run;
  const { boxes, labels, targets } = labelledBoxes(train, seed);
  using cache = new FeatureCache({
    identity: boxIdentity(run, batchSize),
    title: "training digits' boxes",
    count: train.count,
    columns: FEATURES_PER_IMAGE,
    shardRows: SHARD_IMAGES,
    // Calls begin at multiples of their size within a file.
    group: Math.min(batchSize, SHARD_IMAGES),
    without: FEWER_BOXES,
  });
  stopsAfter("batch");
  await cache.survey({ reporter, signal });
  await requireRoom(cache.missingBytes, dirname(cache.folder), { reporter, without: FEWER_BOXES });
  const cached = train.count - cache.missingRows;
  if (cached > 0) reporter.line(`Features of ${cached} of ${train.count} images are there already`);
  const extractor = boxFeatureExtractor(detector, train, { boxes, batchSize, transform });
  await cache.fill(extractor, { reporter, signal });
  run.featureSeconds = cache.seconds;
  reporter.line(
    `Features of ${labels.length} boxes of ${train.count} images: ${formatDuration(cache.seconds)}`,
  );
  const features = cache.read(Int32Array.from({ length: train.count }, (_, i) => i));
  return { features, labels, targets };
}

/** Everything that decides the features of a run's boxes. */
export function boxIdentity(
  { engine, dataset, weights, settings, plan: { seed } }: Pick<
    Run,
    "engine" | "dataset" | "weights" | "settings" | "plan"
  >,
  batchSize: number,
): FeatureIdentity {
  return {
    model: "fasterrcnn_resnet50_fpn box head",
    weights: weights?.sha256 || `random ${seed}`,
    dataset: dataset.sha256,
    normalise: settings.normalise!,
    boxes: `version ${BOXES_VERSION}, ${BOXES_PER_IMAGE} an image, seed ${seed}`,
    batch_size: batchSize,
    engine: `${engine.backend} ${engine.version}`,
    device: engine.device,
    precision: engine.precision,
    ...(engine.convolutions && { convolutions: engine.convolutions }),
  };
}

/**
 * Makes sure that an unfinished run has not done more test images than are asked for.
 *
 * @param wanted What is asked for; `epochs` only where the predictor is trained.
 * @returns How many it has done that count: those read before further epochs do not.
 * @throws {StudyError} If it has, and if what it has done is damaged.
 */
export async function checkPartialPredictions(
  folder: string,
  { testImages, epochs }: { testImages: number; epochs: number | undefined },
): Promise<number> {
  const found = await readPartialPredictions(folder);
  const done = found.epochs === epochs ? found.predictions.length : 0;
  if (done <= testImages) return done;
  throw new StudyError(
    `Cannot resume ${folder}: it has done ${done} images already, more than --test-limit ` +
      `${testImages}. Ask for ${done} or more, or start a new run without --resume`,
  );
}

/**
 * Detects the digits of the test images, after those that the run has done already.
 *
 * @throws {InterruptedError} If aborted; what is done is kept.
 */
export async function detectDigits(
  run: Run,
  detector: DigitDetector,
  { batchSize, transform }: DetectorInput,
): Promise<DigitPredictions> {
  const { dataset: { test }, reporter, signal, folder } = run;
  const found = await earlierPredictions(run, batchSize);
  if (found.predictions.length === test.count) return found;
  const progress = new ImageProgress(reporter, "Inference", test.count);
  stopsAfter(batchSize === 1 ? "image" : "batch");
  let savedAt = performance.now();
  let shown = found.predictions.length;
  const save = async () => {
    await writePartialPredictions(folder, found);
    run.testedImages = found.predictions.length;
    await run.keepResources();
    if (found.predictions.length > shown) await run.events?.detection(run.history.length, found);
    shown = found.predictions.length;
    savedAt = performance.now();
  };
  reporter.live("Inference: warming up");
  try {
    await predictDigits(detector, test, {
      batchSize,
      transform,
      found,
      onBatch: async () => {
        progress.show(found.predictions.length);
        if (performance.now() - savedAt > SAVE_INTERVAL) await save();
      },
      signal,
    });
  } finally {
    reporter.live("");
    if (found.predictions.length > 0) await save();
  }
  return found;
}

/** What the run to resume has done: whole batches, so that those to come are as in one go. */
async function earlierPredictions(run: Run, batchSize: number): Promise<PartialPredictions> {
  const { dataset: { test }, reporter, folder, plan: { columns } } = run;
  const { predictions, scores, milliseconds, epochs } = await readPartialPredictions(folder);
  const done = predictions.length;
  const none = noPredictions(columns.epochs);
  if (done === 0) return none;
  if (epochs !== columns.epochs) {
    // Earlier versions did not note it.
    const before = epochs === undefined ? "an unknown epoch" : `epoch ${epochs}`;
    reporter.line(
      `The first ${done} test images were read by the predictor as it was after ${before}, not ` +
        `${columns.epochs}: they are read again`,
    );
    return none;
  }
  const kept = done < test.count ? done - done % batchSize : done;
  run.testedImages = kept;
  reporter.line(`Going on with ${folder} after ${kept} of ${test.count} test images`);
  return {
    ...none,
    predictions: predictions.slice(0, kept),
    scores: scores.slice(0, kept),
    milliseconds: milliseconds.slice(0, kept),
  };
}

/**
 * Writes `predictions.csv` and returns what the row is to say; the manifest gets the rest.
 *
 * Accuracy and F1 of the study's own way are over the images with a detection; those of a trained
 * predictor are over all images, a missing detection being an error. The manifest has both.
 */
export async function testDetector(run: Run, found: DigitPredictions): Promise<Measured> {
  const { dataset: { test }, reporter, folder, plan } = run;
  const isTrained = plan.columns.epochs !== undefined;
  const { predictions, scores, milliseconds } = found;
  await writePredictions(folder, { targets: test.labels, predictions, scores });
  const { detected, accuracy, f1, accuracyOfAll, f1OfAll } = scoreDigits(test.labels, predictions);
  const timing = summarizeLatency(milliseconds);
  const missed = test.count - detected;
  run.events?.result(
    isTrained ? { accuracy: accuracyOfAll, f1: f1OfAll } : { accuracy, f1 },
    found,
  );
  if (detected === 0) {
    reporter.warn(
      `No digit was detected in any of ${test.count} images: accuracy and F1 are given as 0`,
    );
  }
  reporter.line(`No detection: ${missed} of ${test.count} images`);
  reporter.line(
    `Test set: ${isTrained ? "" : "average loss 0.0000, "}accuracy ` +
      `${Math.round(accuracy * detected)}/${detected} (${percent(accuracy)}) of images with a ` +
      `detection, F1 ${f1.toFixed(4)}; ${percent(accuracyOfAll)} of all images`,
  );
  reporter.line(
    `Inference: mean ${timing.mean_ms.toFixed(2)} ms/image, median ` +
      `${timing.median_ms.toFixed(2)}, 95th percentile ${timing.p95_ms.toFixed(2)}, over ` +
      `${timing.images} images`,
  );
  run.measured = {
    timing: { ...timing },
    detection: {
      detected_images: detected,
      no_detection_images: missed,
      accuracy_of_detected: 100 * accuracy,
      f1_of_detected: f1,
      accuracy_of_all: 100 * accuracyOfAll,
      f1_of_all: f1OfAll,
    },
  };
  return {
    // The study has no loss for a detector and prints 0.0000.
    test_loss: isTrained ? null : 0,
    accuracy: 100 * (isTrained ? accuracyOfAll : accuracy),
    f1: isTrained ? f1OfAll : f1,
    inference_ms_per_image: timing.mean_ms,
    evaluated_images: detected,
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}
