/**
 * Evaluation of a classifier on a test set.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { Engine } from "../engine/engine.ts";
import { sparseSoftmaxCrossEntropy } from "../engine/ops.ts";
import { eventTurn } from "../io/event_turn.ts";
import { requirePositiveWhole } from "../io/positive_whole.ts";
import { accuracy, weightedF1 } from "../metrics/classification.ts";
import { requireKnownLabels } from "./cross_entropy.ts";
import type { BatchSource, TrainableModel } from "./trainer.ts";

/** Images per call of a model that does not say how many it takes. */
const CHUNK = 500;

/** Examples with their classes. */
export interface LabelledBatches<Input> extends BatchSource<Input> {
  /** Classes, `[count]`. */
  readonly labels: Uint8Array;
}

/** Options of {@linkcode evaluate}. */
export interface EvaluateOptions {
  /**
   * Images over which a batch's mean loss is taken; see {@linkcode Evaluation.loss}. `chunk` sets how many
   * images the model takes at once, and so the memory.
   */
  batchSize: number;
  /**
   * Images per call: how many there are at once changes speed and memory only.
   *
   * @default {the model's batchSize, or 500}
   */
  chunk?: number;
  /** Called with images done and all images. */
  onProgress?: (done: number, total: number) => void;
  /** Aborts between two batches; its reason is the error's `cause`. */
  signal?: AbortSignal;
}

/** How a classifier did. */
export interface Evaluation {
  /** Mean of the mean losses of batches of `batchSize`, as the study reports it. */
  loss: number;
  /** Share of images classified correctly, 0..1. */
  accuracy: number;
  /** Support-weighted F1, 0..1. */
  f1: number;
  /** int32 `[n]`, predicted classes. */
  predictions: Int32Array;
  /** float32 `[n]`, softmax probability of the predicted class, 0..1. */
  scores: Float32Array;
  /**
   * Seconds of all that makes losses, predictions and scores: the batches, the model, and compiling at
   * the first of them.
   */
  seconds: number;
}

/**
 * Classifies every image of a source.
 *
 * @throws {InterruptedError} If aborted, with the signal's reason as its `cause`.
 * @throws {RangeError} If `batchSize` or `chunk` is not a positive whole number, a label not below the
 *   model's number of classes, or there is no example.
 */
export async function evaluate<Input>(
  engine: Engine,
  model: Pick<TrainableModel<Input>, "forward" | "precision" | "batchSize" | "numClasses">,
  test: LabelledBatches<Input>,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { batchSize, chunk = model.batchSize ?? CHUNK } = options;
  for (const [name, value] of Object.entries({ batchSize, chunk })) {
    requirePositiveWhole("evaluate", name, value);
  }
  requirePositiveWhole("evaluate", "the source's count", test.count);
  requireKnownLabels("evaluate", test, model);
  const losses = new Float32Array(test.count);
  const predictions = new Int32Array(test.count);
  const scores = new Float32Array(test.count);
  const classify = engine.compile((...tensors: tf.Tensor[]): tf.Tensor[] => {
    const { inputs, targets } = test.batch(tensors);
    const logits = model.forward(inputs);
    return [
      sparseSoftmaxCrossEntropy(logits, targets),
      logits.argMax(1),
      logits.softmax().max(1),
    ];
  }, { precision: model.precision });
  let seconds = 0;
  try {
    for (let start = 0; start < test.count; start += chunk) {
      await eventTurn(options.signal);
      const end = Math.min(start + chunk, test.count);
      const began = performance.now();
      tf.tidy(() => {
        const indices = Int32Array.from({ length: end - start }, (_, i) => start + i);
        const [loss, prediction, score] = classify(...test.tensors(indices));
        losses.set(loss!.dataSync<"float32">(), start);
        predictions.set(prediction!.dataSync<"int32">(), start);
        scores.set(score!.dataSync<"float32">(), start);
      });
      seconds += (performance.now() - began) / 1000;
      options.onProgress?.(end, test.count);
    }
  } finally {
    classify.dispose();
  }
  return {
    loss: meanOfBatchMeans(losses, batchSize),
    accuracy: accuracy(test.labels, predictions),
    f1: weightedF1(test.labels, predictions),
    predictions,
    scores,
    seconds,
  };
}

/**
 * Mean over batches of each batch's mean, the last one as short as it is.
 *
 * @param values `[n]`, in order.
 * @returns NaN for no values.
 */
export function meanOfBatchMeans(values: ArrayLike<number>, batchSize: number): number {
  const batches = Math.ceil(values.length / batchSize);
  let sum = 0;
  for (let batch = 0; batch < batches; batch++) {
    const start = batch * batchSize;
    const end = Math.min(start + batchSize, values.length);
    let batchSum = 0;
    for (let index = start; index < end; index++) batchSum += values[index]!;
    sum += batchSum / (end - start);
  }
  return sum / batches;
}
