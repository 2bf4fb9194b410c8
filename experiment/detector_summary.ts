/**
 * What a detector's run amounts to, once every image is read.
 *
 * @module
 */

import type { ResultRow } from "../report/record/results.ts";
import { type Json, writePredictions } from "../report/record/run_folder.ts";
import { summarizeLatency } from "../training/latency.ts";
import { type DigitReadings, scoreReadings } from "../training/detection/read_digits.ts";
import type { EpochResult } from "../training/trainer.ts";
import { trainingTime as secondsOf } from "./classifier_row.ts";
import type { DetectorContext, DetectorPlan } from "./detector_plan.ts";

/**
 * Fills in the row of a run that has read every image, and returns what else is to be said of it.
 *
 * Accuracy and F1 of the study's own way are over the images with a detection; those of a trained
 * predictor are over all images, a missing detection being an error. The manifest has both.
 */
export async function summarize(
  { plan, context, folder, readings, history }: {
    plan: DetectorPlan;
    context: DetectorContext;
    folder: string;
    readings: DigitReadings;
    history: readonly EpochResult[];
  },
  row: ResultRow,
): Promise<{ [name: string]: Json }> {
  const { dataset: { test }, reporter } = context;
  const { predictions, scores, milliseconds } = readings;
  await writePredictions(folder, { targets: test.labels, predictions, scores });
  const { detected, accuracy, f1, accuracyOfAll, f1OfAll } = scoreReadings(
    test.labels,
    predictions,
  );
  const timing = summarizeLatency(milliseconds);
  const missed = test.count - detected;
  if (detected === 0) {
    reporter.warn(
      `No digit was detected in any of ${test.count} images: accuracy and F1 are given as 0`,
    );
  }
  reporter.line(`No detection: ${missed} of ${test.count} images`);
  reporter.line(
    `Test set: ${plan.head ? "" : "average loss 0.0000, "}accuracy ${
      Math.round(accuracy * detected)
    }/${detected} ` +
      `(${percent(accuracy)}) of images with a detection, F1 ${f1.toFixed(4)}; ` +
      `${percent(accuracyOfAll)} of all images`,
  );
  reporter.line(
    `Inference: mean ${timing.mean_ms.toFixed(2)} ms/image, median ` +
      `${timing.median_ms.toFixed(2)}, 95th percentile ${timing.p95_ms.toFixed(2)}, over ` +
      `${timing.images} images`,
  );
  const reported = plan.head ? [accuracyOfAll, f1OfAll] as const : [accuracy, f1] as const;
  Object.assign(row, {
    // The study has no loss for a detector and prints 0.0000.
    test_loss: plan.head ? null : 0,
    accuracy: 100 * reported[0],
    f1: reported[1],
    training_time_s: trainingTime(plan, history),
    inference_ms_per_image: timing.mean_ms,
    evaluated_images: detected,
  });
  return {
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
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}

/** Seconds of computing features and training; the study's words where nothing is trained. */
export function trainingTime(
  { head }: DetectorPlan,
  history: readonly EpochResult[],
): number | string {
  if (head === undefined) return "N/A (Inference Only)";
  return secondsOf(history);
}
