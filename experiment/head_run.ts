/**
 * The training of a detector's predictor within a run: features, epochs, checkpoints.
 *
 * @module
 */

import { join } from "node:path";
import { exists } from "../io/exists.ts";
import { formatDuration } from "../io/reporter.ts";
import type { StateDict } from "../models/checkpoint/state_dict.ts";
import { writeHistory } from "../report/record/run_folder.ts";
import { restoreTraining, saveTraining } from "../training/checkpoint.ts";
import { BOXES_PER_IMAGE } from "../training/detection/digit_boxes.ts";
import { FeatureCache } from "../training/features/feature_cache.ts";
import {
  BOXES_VERSION,
  boxFeatureExtractor,
  FEATURES_PER_IMAGE,
  labelledBoxes,
} from "../training/detection/head_features.ts";
import { HeadTrainer, type TrainingBoxes } from "../training/detection/head_training.ts";
import { historyRows } from "./classifier_row.ts";
import type { DigitDetector, HeadPlan, HeadRun } from "./detector_plan.ts";
import { showEpoch } from "./training_log.ts";
import { CHECKPOINT } from "./unfinished_runs.ts";

/** Adam's L2 factor, the study's own. */
const WEIGHT_DECAY = 1e-4;

/** Images of one file of features: what an interruption costs at most. */
const SHARD_IMAGES = 16;

/** The flags that decide the training. */
export interface HeadFlags {
  epochs: number;
  lr: number;
  /** Boxes per step. */
  headBatchSize: number;
}

/** Trains `cls_score` and `bbox_pred` with Adam on features of the training images' boxes. */
export function headPlan({ epochs, lr, headBatchSize }: HeadFlags): HeadPlan {
  return {
    settings: {
      epochs,
      learning_rate: lr,
      weight_decay: WEIGHT_DECAY,
      head_batch_size: headBatchSize,
    },
    train: async (detector, run) => {
      const boxes = await trainingBoxes(detector, run);
      await trainPredictor(detector, boxes, run);
    },
  };
}

/** Boxes with their features, computed or from the cache; their seconds become epoch 0. */
async function trainingBoxes(detector: DigitDetector, run: HeadRun): Promise<TrainingBoxes> {
  const { context: { engine, dataset, reporter, signal }, flags, plan, history } = run;
  const { train } = dataset;
  const { boxes, labels, targets } = labelledBoxes(train, flags.seed);
  using cache = new FeatureCache({
    identity: {
      model: "fasterrcnn_resnet50_fpn box head",
      weights: plan.weights.sha256 || `random ${flags.seed}`,
      dataset: dataset.sha256,
      normalise: plan.normalise,
      boxes: `version ${BOXES_VERSION}, ${BOXES_PER_IMAGE} an image, seed ${flags.seed}`,
      batch_size: flags.batchSize,
      engine: `${engine.backend} ${engine.version}`,
      device: engine.device,
      precision: engine.precision,
    },
    title: "training digits' boxes",
    count: train.count,
    columns: FEATURES_PER_IMAGE,
    shardRows: SHARD_IMAGES,
  });
  await cache.survey({ reporter, signal });
  const cached = train.count - cache.missingRows;
  if (cached > 0) reporter.line(`Features of ${cached} of ${train.count} images are there already`);
  const extractor = boxFeatureExtractor(engine, detector, train, {
    boxes,
    batchSize: flags.batchSize,
    transform: plan.transform,
  });
  await cache.fill(extractor, { reporter, signal });
  history.push({ epoch: 0, loss: NaN, correct: NaN, seen: labels.length, seconds: cache.seconds });
  reporter.line(
    `Features of ${labels.length} boxes of ${train.count} images: ${formatDuration(cache.seconds)}`,
  );
  const features = cache.read(Int32Array.from({ length: train.count }, (_, i) => i));
  return { features, labels, targets };
}

async function trainPredictor(
  detector: DigitDetector,
  boxes: TrainingBoxes,
  { context: { engine, reporter, signal }, flags, plan, folder, settings, history }: HeadRun,
): Promise<void> {
  const { epochs, learning_rate, weight_decay, head_batch_size } = plan.head!.settings;
  const { predictor } = detector;
  const model = {
    parameters: predictor,
    stateDict: () => predictor.stateDict(),
    loadStateDict: (state: StateDict) => predictor.load(state, "the predictor"),
  };
  const trainer = new HeadTrainer(engine, predictor, boxes, {
    batchSize: head_batch_size,
    adam: { learningRate: learning_rate, weightDecay: weight_decay },
    seed: flags.seed,
  });
  const checkpoint = join(folder, CHECKPOINT);
  try {
    if (await exists(checkpoint)) {
      const { history: finished } = await restoreTraining(checkpoint, model, trainer);
      history.push(...finished);
      reporter.line(`The predictor is trained up to epoch ${finished.length} already`);
    }
    for (let epoch = history.length; epoch <= epochs; epoch++) {
      const result = await trainer.trainEpoch(epoch, signal);
      history.push(result);
      showEpoch(reporter, result);
      await saveTraining(checkpoint, model, trainer, { settings, history: history.slice(1) });
      await writeHistory(folder, historyRows(history.slice(1), history[0]!.seconds));
    }
  } finally {
    trainer.dispose();
  }
}
