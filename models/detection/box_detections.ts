/**
 * From the box predictor's output for each proposal to an image's detections: torchvision's
 * `RoIHeads.postprocess_detections`.
 *
 * @module
 */

import {
  batchedNms,
  BOX_WEIGHTS,
  clipBoxes,
  decodeBoxes,
  type ImageSize,
  largeBoxes,
  takeBoxes,
} from "./boxes.ts";
import type { Detection } from "../label_mapping.ts";

/** A detection's score must be above this. */
const SCORE_THRESHOLD = 0.05;
/** Overlap of detections of one class above which the worse is dropped. */
const NMS_THRESHOLD = 0.5;
/** Shortest side of a detection in pixels. */
const MIN_SIZE = 1e-2;
/** Most detections per image. */
const DETECTIONS_PER_IMAGE = 100;

/** The box predictor's output for n proposals. */
export interface BoxPredictorOutput {
  /** `[n*classes]`; class 0 is the background. */
  logits: Float32Array;
  /** `[n*classes*4]` dx, dy, dw, dh for each class. */
  codes: Float32Array;
  /** Number of classes, background included. */
  numClasses: number;
}

/**
 * Detections of one image, best first, in pixels of the resized image.
 *
 * @param proposals `[n*4]` corners.
 * @param imageSize Size of the resized image, without its padding.
 */
export function postprocessDetections(
  { logits, codes, numClasses }: BoxPredictorOutput,
  proposals: Float32Array,
  imageSize: ImageSize,
): Detection {
  // Each class of each proposal is a candidate, except the background.
  const probabilities = softmaxRows(logits, numClasses);
  const likely: number[] = [];
  for (let i = 0; i < probabilities.length; i++) {
    if (i % numClasses !== 0 && probabilities[i]! > Math.fround(SCORE_THRESHOLD)) likely.push(i);
  }
  const sources = takeBoxes(proposals, likely.map((i) => Math.floor(i / numClasses)));
  const boxes = decodeBoxes(takeBoxes(codes, likely), sources, BOX_WEIGHTS);
  clipBoxes(boxes, imageSize);
  const large = largeBoxes(boxes, MIN_SIZE);
  const candidates = takeBoxes(boxes, large);
  const scores = Float32Array.from(large, (i) => probabilities[likely[i]!]!);
  const labels = Int32Array.from(large, (i) => likely[i]! % numClasses);
  const kept = batchedNms(candidates, scores, labels, {
    threshold: NMS_THRESHOLD,
    limit: DETECTIONS_PER_IMAGE,
  });
  return {
    boxes: takeBoxes(candidates, kept),
    scores: Float32Array.from(kept, (i) => scores[i]!),
    labels: Int32Array.from(kept, (i) => labels[i]!),
  };
}

function softmaxRows(logits: Float32Array, columns: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += columns) {
    const row = logits.subarray(start, start + columns);
    const largest = Math.max(...row);
    const powers = Float64Array.from(row, (logit) => Math.exp(logit - largest));
    const sum = powers.reduce((a, b) => a + b);
    for (let i = 0; i < columns; i++) probabilities[start + i] = powers[i]! / sum;
  }
  return probabilities;
}
