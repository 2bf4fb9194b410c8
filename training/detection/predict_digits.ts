/**
 * Evaluation of a detector as part 2 does it: the best detection of each image is taken for its digit.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { ImageSet } from "../../data/dataset.ts";
import { IMAGE_PIXELS } from "../../data/idx.ts";
import { eventTurn } from "../../io/event_turn.ts";
import type { Detector } from "../../models/faster_rcnn.ts";
import { type Detection, mapDetectionsToDigit } from "../../models/label_mapping.ts";
import { accuracy, weightedF1 } from "../../metrics/classification.ts";

/** From float32 pixels `[n, 784]`, 0..255, to float32 images `[n, h, w, 3]`. */
export type PixelTransform = (pixels: tf.Tensor) => tf.Tensor4D;

/** What was detected in the first images of a set, in their order. */
export interface DigitPredictions {
  /** Digits; −1 where none was detected. */
  predictions: number[];
  /** Scores of the detections taken, 0..1; NaN where there is none. */
  scores: number[];
  /** Milliseconds of the detector's call, divided among the images of the call. */
  milliseconds: number[];
}

/** Options of {@linkcode predictDigits}. */
export interface PredictDigitsOptions {
  /** Images for each call of the detector. */
  batchSize: number;
  /** From pixels to what the detector is fed. */
  transform: PixelTransform;
  /** Those of the first images, a whole number of batches; the rest is added here. */
  found: DigitPredictions;
  /** Called before the first batch and after each, and waited for. */
  onBatch?: () => void | Promise<void>;
  /** Aborts between two batches. */
  signal?: AbortSignal;
}

/**
 * Detects the digits of a set.
 *
 * What a call of the detector does only the first time, once for each number of images, is done
 * before on images that are then thrown away. Only the detector's call is timed: it ends when the
 * detections are in memory, so the device has finished.
 *
 * @throws {InterruptedError} If aborted; the predictions so far stay.
 */
export async function predictDigits(
  detector: Pick<Detector, "detect">,
  test: ImageSet,
  options: PredictDigitsOptions,
): Promise<void> {
  const { batchSize, transform, found, onBatch, signal } = options;
  const call = async (start: number): Promise<{ detections: Detection[]; ms: number }> => {
    await eventTurn(signal);
    const end = Math.min(start + batchSize, test.count);
    const images = imageTensors(test, { start, end, transform });
    try {
      // The transform has finished before the clock starts.
      for (const image of images) tf.tidy(() => image.slice([0, 0, 0], [1, 1, 1]).dataSync());
      const began = performance.now();
      const detections = await detector.detect(images);
      return { detections, ms: performance.now() - began };
    } finally {
      tf.dispose(images);
    }
  };
  const first = found.predictions.length;
  for (const start of warmUpStarts(first, test.count, batchSize)) await call(start);
  await onBatch?.();
  for (let start = first; start < test.count; start += batchSize) {
    const { detections, ms } = await call(start);
    for (const detection of detections) {
      const digit = mapDetectionsToDigit(detection);
      found.predictions.push(digit);
      found.scores.push(scoreOf(detection, digit));
      found.milliseconds.push(ms / detections.length);
    }
    await onBatch?.();
  }
}

/** Images `start` to `end` of a set, as a detector takes them; to be disposed of. */
export function imageTensors(
  { images }: ImageSet,
  { start, end, transform }: { start: number; end: number; transform: PixelTransform },
): tf.Tensor3D[] {
  const pixels = images.subarray(start * IMAGE_PIXELS, end * IMAGE_PIXELS);
  return tf.tidy(() => {
    const values = tf.tensor2d(Float32Array.from(pixels), [end - start, IMAGE_PIXELS]);
    return tf.unstack(transform(values)) as tf.Tensor3D[];
  });
}

/** First images of one batch of each size that is to come. */
function warmUpStarts(first: number, count: number, batchSize: number): number[] {
  if (first >= count) return [];
  const last = count - 1 - (count - 1) % batchSize;
  const isShort = count - last < batchSize;
  return isShort && first < last ? [first, last] : [first];
}

/** The best score among detections of the digit; NaN for −1. */
function scoreOf({ scores, labels }: Detection, digit: number): number {
  if (digit === -1) return NaN;
  return Math.max(...scores.filter((_, i) => labels[i] === digit + 1));
}

/** How predictions compare with the truth. */
export interface DigitScores {
  /** Images in which a digit was detected. */
  detected: number;
  /** Share of the detected images that were classified correctly, 0..1; 0 if there are none. */
  accuracy: number;
  /** Support-weighted F1 over the detected images, 0..1; 0 if there are none. */
  f1: number;
  /** Share of all images that were classified correctly: a missing detection is an error. */
  accuracyOfAll: number;
  /** Support-weighted F1 over all images, a missing detection being a class that is never true. */
  f1OfAll: number;
}

/**
 * Scores predictions both ways: over the images with a detection, as the study does, and over all.
 *
 * @param targets True digits `[n]`.
 * @param predictions Digits `[n]`, −1 for none.
 */
export function scoreDigits(
  targets: ArrayLike<number>,
  predictions: readonly number[],
): DigitScores {
  const detected = predictions.keys().filter((i) => predictions[i] !== -1).toArray();
  const truth = detected.map((i) => targets[i]!);
  const predicted = detected.map((i) => predictions[i]!);
  const NO_DIGIT = 10;
  const all = predictions.map((digit) => digit === -1 ? NO_DIGIT : digit);
  return {
    detected: detected.length,
    accuracy: accuracy(truth, predicted),
    f1: weightedF1(truth, predicted),
    accuracyOfAll: accuracy(targets, all),
    f1OfAll: weightedF1(targets, all),
  };
}
