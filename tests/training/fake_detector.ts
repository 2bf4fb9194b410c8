/** A detector without a network, for the tests of what is around it. */

import * as tf from "@tensorflow/tfjs";
import { BOXES_PER_IMAGE } from "../../training/detection/digit_boxes.ts";
import { BOX_FEATURES } from "../../models/detection/faster_rcnn_layout.ts";
import type { Detection } from "../../models/label_mapping.ts";
import { bias, defaultInitializer, linearWeight, Parameters } from "../../models/parameters.ts";
import type { DigitDetector } from "../../experiment/detection.ts";

/** What a fake detector says of an image, from the mean of its pixels. */
export type Answer = (mean: number) => { labels: number[]; scores: number[] };

/** An answer that differs between images, and that some images lack. */
export const answer: Answer = (mean) => {
  const place = Math.round(mean * 1e4);
  if (place % 5 === 0) return { labels: [0], scores: [0.9] };
  return { labels: [0, 1 + place % 10, 4], scores: [0.95, 0.1 + (place % 800) / 1000, 0.05] };
};

/**
 * Makes a detector that says what `answer` does; `calls` lists the images of each call, which `onDetect`
 * is given.
 */
export function fakeDetector(
  answer: Answer,
  { calls = [], onDetect = () => {} }: {
    calls?: number[];
    onDetect?: (images: readonly tf.Tensor3D[]) => void;
  } = {},
): DigitDetector {
  const outputs = { cls_score: 11, bbox_pred: 44 };
  const predictor = new Parameters(
    new Map(
      (["cls_score", "bbox_pred"] as const).flatMap((name) => [
        [
          `roi_heads.box_predictor.${name}.weight`,
          linearWeight(BOX_FEATURES, outputs[name]),
        ] as const,
        [`roi_heads.box_predictor.${name}.bias`, bias(outputs[name], BOX_FEATURES)] as const,
      ]),
    ),
    defaultInitializer(1),
  );
  const meanOf = (image: tf.Tensor3D) => tf.tidy(() => image.mean().dataSync()[0]!);
  return {
    predictor,
    detect(images): Promise<Detection[]> {
      calls.push(images.length);
      onDetect(images);
      return Promise.resolve(images.map((image) => {
        const { labels, scores } = answer(meanOf(image));
        return {
          boxes: new Float32Array(4 * labels.length),
          labels: Int32Array.from(labels),
          scores: Float32Array.from(scores),
        };
      }));
    },
    boxFeatures(images): Promise<Float32Array> {
      const values = new Float32Array(images.length * BOXES_PER_IMAGE * BOX_FEATURES);
      for (const [i, image] of images.entries()) {
        const mean = meanOf(image);
        const size = values.length / images.length;
        for (let at = 0; at < size; at++) values[i * size + at] = Math.sin(mean * at);
      }
      return Promise.resolve(values);
    },
    dispose: () => predictor.dispose(),
    [Symbol.dispose]: () => predictor.dispose(),
  };
}

/** The smallest and the largest value of some images. */
export function rangeOf(images: readonly tf.Tensor3D[]): [low: number, high: number] {
  return tf.tidy(() => {
    const values = tf.stack([...images]);
    return [values.min().dataSync()[0]!, values.max().dataSync()[0]!];
  });
}
