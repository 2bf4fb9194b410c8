/**
 * How long it takes to turn a test set's detections into digits and metrics.
 *
 * @module
 */

import { accuracy, confusionMatrix, weightedF1 } from "../metrics/classification.ts";
import { median } from "../metrics/descriptive_statistics.ts";
import { type Detection, mapDetectionsToDigit } from "../models/label_mapping.ts";
import type { Measurement } from "../report/record/bench_results.ts";
import { DATA } from "../study.ts";

const IMAGES = DATA.testImages;
/** As many as the detector yields at most. */
const DETECTIONS = 100;
const LABELS = 11;
const REPEATS = 5;

/** Times it over {@linkcode IMAGES} made-up detections; the median of a few times. */
export function measureMapping(): Measurement {
  const detections = Array.from({ length: IMAGES }, (_, image) => madeUp(image));
  const targets = Uint8Array.from(detections, (_, image) => image % 10);
  const seconds = Array.from({ length: REPEATS }, () => {
    const started = performance.now();
    const predictions = detections.map((detection) => mapDetectionsToDigit(detection, LABELS));
    accuracy(targets, predictions);
    weightedF1(targets, predictions);
    confusionMatrix(targets, predictions, 10);
    return (performance.now() - started) / 1000;
  });
  return {
    case: "mapping",
    title: `Mapping and metrics of ${IMAGES} images with ${DETECTIONS} detections each`,
    unit: "s",
    value: median(seconds),
    samples: seconds.map((value) => ({ seconds: value })),
  };
}

/** Detections with a digit among them, the same for the same image. */
function madeUp(image: number): Pick<Detection, "scores" | "labels"> {
  return {
    scores: Float32Array.from({ length: DETECTIONS }, (_, i) => ((image + 7 * i) % 101) / 101),
    labels: Int32Array.from({ length: DETECTIONS }, (_, i) => (image + i) % LABELS),
  };
}
