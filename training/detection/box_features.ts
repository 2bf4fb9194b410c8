/**
 * What a detector's head is trained on: boxes of training digits, their classes and deltas, and the
 * features that the frozen layers make of them.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { ImageSet } from "../../data/dataset.ts";
import { IMAGE_PIXELS } from "../../data/idx.ts";
import { RESIZED_SIDE } from "../../data/rgb224.ts";
import { eventTurn } from "../../io/event_turn.ts";
import { BOX_WEIGHTS, encodeBoxes } from "../../models/detection/boxes.ts";
import type { Detector } from "../../models/faster_rcnn.ts";
import { BOX_FEATURES } from "../../models/detection/faster_rcnn_layout.ts";
import { BOXES_PER_IMAGE, digitBox, sampleBoxes } from "./digit_boxes.ts";
import type { FeatureSource } from "../features/feature_extractor.ts";
import { imageTensors, type PixelTransform } from "./predict_digits.ts";

/** Features of an image: those of its boxes, one after the other. */
export const FEATURES_PER_IMAGE = BOXES_PER_IMAGE * BOX_FEATURES;

/** Bytes that they take. */
export const BOX_FEATURE_BYTES = Float32Array.BYTES_PER_ELEMENT * FEATURES_PER_IMAGE;

/** Counts up when boxes of the same images change. */
export const BOXES_VERSION = 1;

/** Boxes of a set's images and what a predictor is to say of them. */
export interface LabelledBoxes {
  /** Corners of each image's boxes, `[BOXES_PER_IMAGE * 4]`, in pixels of its 224×224 form. */
  boxes: Float32Array[];
  /** Classes `[n]` of all boxes: 0 is background, k is the digit k − 1. */
  labels: Int32Array;
  /** Deltas from each box to the digit's, `[n * 4]`; zeros for background. */
  targets: Float32Array;
}

/** Samples boxes for each image: a pure function of its arguments. */
export function labelledBoxes(
  { images, labels: digits, count }: ImageSet,
  seed: number,
): LabelledBoxes {
  const labels = new Int32Array(count * BOXES_PER_IMAGE);
  const targets = new Float32Array(count * BOXES_PER_IMAGE * 4);
  const boxes = Array.from({ length: count }, (_, image) => {
    const pixels = images.subarray(image * IMAGE_PIXELS, (image + 1) * IMAGE_PIXELS);
    const digit = digitBox(pixels, RESIZED_SIDE);
    const sampled = sampleBoxes(digit, { side: RESIZED_SIDE, seed, image });
    const corners = Float32Array.from(sampled.boxes.flat());
    const first = image * BOXES_PER_IMAGE;
    const { positives } = sampled;
    labels.fill(1 + digits[image]!, first, first + positives);
    const truth = Float32Array.from({ length: 4 * positives }, (_, i) => digit[i % 4]!);
    const deltas = encodeBoxes(truth, corners.subarray(0, 4 * positives), BOX_WEIGHTS);
    targets.set(deltas, 4 * first);
    return corners;
  });
  return { boxes, labels, targets };
}

/** Options of {@linkcode boxFeatureExtractor}. */
export interface BoxFeatureOptions {
  /** Boxes of each image; see {@linkcode LabelledBoxes}. */
  boxes: readonly Float32Array[];
  /** Images for each call of the detector. */
  batchSize: number;
  /** From pixels to what the detector is fed. */
  transform: PixelTransform;
}

/** Computes features of images' boxes, for a cache of {@linkcode FEATURES_PER_IMAGE} columns. */
export function boxFeatureExtractor(
  detector: Pick<Detector, "boxFeatures">,
  train: ImageSet,
  { boxes, batchSize, transform }: BoxFeatureOptions,
): FeatureSource {
  return {
    async extract(first, rows, { onProgress, signal } = {}) {
      const values = new Float32Array(rows * FEATURES_PER_IMAGE);
      for (let done = 0; done < rows;) {
        await eventTurn(signal);
        const [start, end] = [first + done, first + Math.min(done + batchSize, rows)];
        const images = imageTensors(train, { start, end, transform });
        try {
          const features = await detector.boxFeatures(images, boxes.slice(start, end));
          values.set(features, done * FEATURES_PER_IMAGE);
        } finally {
          tf.dispose(images);
        }
        done += end - start;
        onProgress?.(done);
      }
      return values;
    },
  };
}
