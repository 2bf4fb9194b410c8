/**
 * Part 2: is an object detector a classifier, when its box head is new and untrained and its best
 * detection is taken for the digit?
 *
 *     deno task part2
 *
 * The study normalises the images with ImageNet's statistics and feeds them to a detector that does
 * the same again. So do we, unless `--normalise once` is given.
 *
 * Expect what the runs on record found. FasterRCNN_Adapted (random weights, bfloat16): correct on
 * 10.07 % of 10,000 images, 713 ms an image, 1.4 GB of memory; 1 seed, on AMD EPYC, 2 cores.
 *
 * @module
 */

import { normalizeRgb224, toTensorRgb224 } from "../data/rgb224.ts";
import {
  checkPartialPredictions,
  detectDigits,
  type DigitDetector,
  testDetector,
  trainBoxPredictor,
} from "../experiment/detection.ts";
import { showDryRun } from "../experiment/dry_run.ts";
import { noteFailedStart } from "../experiment/failed_part.ts";
import { PART_2, seedList } from "../experiment/flags.ts";
import {
  type DetectionFlags,
  detectionModel,
  headSettings,
  planPart2,
} from "../experiment/plan.ts";
import { runExperiment, type RunPlan } from "../experiment/run.ts";
import { runEach, type RunningSetup, setUp } from "../experiment/set_up.ts";
import { trainingColumns } from "../experiment/training.ts";
import { UsageError } from "../io/errors.ts";
import { readCommandLine } from "../io/help_text.ts";
import { runScript } from "../io/run_script.ts";
import { adaptedFasterRcnn } from "../models/adapted_faster_rcnn.ts";
import { FASTER_RCNN_WEIGHTS, obtainWeights } from "../models/checkpoint/pretrained.ts";
import type { ResultRow } from "../report/record/results.ts";
import { DETECTION } from "../study.ts";
import type { PixelTransform } from "../training/detection/predict_digits.ts";

async function main(): Promise<void> {
  const flags = readCommandLine(PART_2);
  if (flags === undefined) return;
  const model = detectionModel(flags);
  if (flags.trainHead && flags.limit > DETECTION.maxHeadImages) {
    throw new UsageError(
      `--limit ${flags.limit}: --train-head takes at most ${DETECTION.maxHeadImages} images, ` +
        "whose features fit into memory",
    );
  }
  if (flags.dryRun) return await showDryRun([planPart2(flags)]);
  const seeds = seedList(flags);
  const limit = flags.trainHead ? flags.limit : undefined;
  const planned = { models: [model.name], seeds, file: "manifest.json" } as const;
  using setup = await setUp(model.part, { ...flags, limit, planned }).catch(async (error) => {
    const { out, resume } = flags;
    const start = { model, seeds, columns: columnsOf(flags), resume, command: Deno.args };
    await noteFailedStart(out, { ...start, error });
    throw error;
  });
  await runEach(
    setup,
    seeds.map((seed) => ({
      title: `${model.name} (seed ${seed})`,
      start: (setup) => detectAndTest(setup, { flags, seed }),
    })),
  );
}

/** What {@linkcode detectAndTest} runs. */
export interface DetectionRun {
  flags: DetectionFlags;
  seed: number;
  /** Makes the detector; a test may pass another. */
  build?: (...args: Parameters<typeof adaptedFasterRcnn>) => Promise<DigitDetector>;
  /** From pixels to images; a test may pass another. */
  transform?: PixelTransform;
}

/** One run: from a detector with a new predictor to a row. */
export function detectAndTest(setup: RunningSetup, options: DetectionRun): Promise<ResultRow> {
  const { reporter, dataset, signal } = setup;
  const { flags, seed, build = adaptedFasterRcnn } = options;
  const { batchSize, normalise, trainHead } = flags;
  const settings = headSettings(flags);
  const plan = {
    model: detectionModel(flags),
    seed,
    columns: columnsOf(flags, setup),
    settings: { normalise, ...(trainHead && { detector_batch_size: batchSize }) },
    weights: () => obtainWeights({ ...flags, source: FASTER_RCNN_WEIGHTS, reporter, signal }),
    resume: {
      file: "manifest.json",
      check: (folder: string) =>
        checkPartialPredictions(folder, {
          testImages: dataset.test.count,
          epochs: trainHead ? settings.epochs : undefined,
        }),
    },
  } as const;
  return runExperiment(plan, setup, async (run) => {
    // Model: the detector from its weights, with a new predictor of 11 classes.
    const { path, label } = run.weights!;
    if (path === undefined) {
      reporter.warn(
        "NO RESULT ABOUT FASTER R-CNN: with random weights the detector has learnt nothing",
      );
    }
    using detector = await build({ path, label, reporter }, seed);

    // Data: images of 224×224 in three channels.
    const { transform = normalise === "once" ? toTensorRgb224 : normalizeRgb224 } = options;

    // Training: none in the study; with --train-head the predictor, on features of boxes.
    if (trainHead) await trainBoxPredictor(run, detector, settings, { batchSize, transform });

    // Evaluation: the best detection of each test image is its digit.
    const found = await detectDigits(run, detector, { batchSize, transform });
    return await testDetector(run, found);
  });
}

/** The columns of a row that say how the predictor is trained or, where it is not, the detector fed. */
function columnsOf(flags: DetectionFlags, setup?: RunningSetup): RunPlan["columns"] {
  if (!flags.trainHead) return { batch_size: flags.batchSize };
  return trainingColumns(headSettings(flags), setup);
}

if (import.meta.main) await runScript(main);
