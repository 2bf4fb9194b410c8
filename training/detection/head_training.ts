/**
 * Training of a detector's box predictor on features computed once.
 *
 * @module
 */

import { eventTurn } from "../../io/event_turn.ts";
import type * as TF from "@tensorflow/tfjs";
import { epochOrder } from "../../data/shuffle.ts";
import type { CompiledFunction } from "../../engine/compile.ts";
import type { Engine } from "../../engine/engine.ts";
import { InterruptedError, StudyError } from "../../io/errors.ts";
import { linear } from "../../models/layers.ts";
import type { Parameters } from "../../models/parameters.ts";
import { Adam, type AdamOptions } from "../adam.ts";
import { fastRcnnLoss } from "./fast_rcnn_loss.ts";
import type { EpochResult } from "../trainer.ts";

/** Boxes that a predictor is trained on. */
export interface TrainingBoxes {
  /** What the box head makes of each box: `[n * 1024]`. */
  features: Float32Array;
  /** Classes `[n]`: 0 is background, k is the digit k − 1. */
  labels: Int32Array;
  /** Deltas from each box to the digit's, `[n * 4]`; zeros for background. */
  targets: Float32Array;
}

/** Settings of {@linkcode HeadTrainer}. */
export interface HeadTrainerOptions {
  /** Boxes per step; the last step of an epoch takes what is left. */
  batchSize: number;
  /** Adam's settings. */
  adam: AdamOptions;
  /** Seed of the order of the boxes. */
  seed: number;
}

const PREDICTOR = "roi_heads.box_predictor";

type Step = CompiledFunction<
  [TF.Tensor2D, TF.Tensor1D, TF.Tensor2D, TF.Tensor1D, TF.Tensor1D],
  [TF.Tensor]
>;

/** Trains `cls_score` and `bbox_pred` of a predictor; what is before them stays as it is. */
export class HeadTrainer {
  /** Adam, for checkpoints. */
  readonly optimizer: Adam;
  /** Steps made so far; a checkpoint sets it. */
  step = 0;
  #tf: Engine["tf"];
  #options: HeadTrainerOptions;
  #data: { features: TF.Tensor2D; labels: TF.Tensor1D; targets: TF.Tensor2D };
  #run: Step;

  /** Puts the boxes on the device, 4 KiB each; the step is compiled when first used. */
  constructor(
    engine: Engine,
    predictor: Parameters,
    { features, labels, targets }: TrainingBoxes,
    options: HeadTrainerOptions,
  ) {
    const { tf } = engine;
    const count = labels.length;
    this.#tf = tf;
    this.#options = options;
    this.#data = {
      features: tf.tensor2d(features, [count, features.length / count]),
      labels: tf.tensor1d(labels, "int32"),
      targets: tf.tensor2d(targets, [count, 4]),
    };
    this.optimizer = new Adam(predictor.variables, options.adam);
    const variables = [...predictor.variables.values()];
    this.#run = engine.compile((features, labels, targets, indices, scalars): [TF.Tensor] => {
      const batch = tf.gather(features, indices);
      const classes = tf.gather(labels, indices);
      const deltas = tf.gather(targets, indices);
      let logits!: TF.Tensor2D;
      const { value, grads } = tf.variableGrads(() => {
        logits = tf.keep(linear(batch, predictor, `${PREDICTOR}.cls_score`));
        const regression = linear(batch, predictor, `${PREDICTOR}.bbox_pred`);
        return fastRcnnLoss(logits, regression, classes, deltas);
      }, variables);
      this.optimizer.apply(grads, scalars);
      const correct = logits.argMax(1).equal(classes).cast("float32").sum();
      logits.dispose();
      return [tf.stack([value, correct])];
    });
  }

  /**
   * Trains for one epoch.
   *
   * @param epoch From 1; with the seed it fixes the order of the boxes.
   * @param signal Aborts between two steps.
   * @returns Loss and counts are of boxes, those of background among them.
   * @throws {StudyError} If a loss is not finite, naming the step.
   * @throws {InterruptedError} If aborted.
   */
  async trainEpoch(epoch: number, signal?: AbortSignal): Promise<EpochResult> {
    const { batchSize, seed } = this.#options;
    const total = this.#data.labels.size;
    const order = epochOrder(total, seed, epoch);
    const batches = Math.ceil(total / batchSize);
    const started = performance.now();
    let lossSum = 0;
    let correct = 0;
    for (let batch = 0; batch < batches; batch++) {
      // A call into TensorFlow blocks: give signals and timers their turn.
      await eventTurn();
      if (signal?.aborted) throw new InterruptedError("Interrupted");
      const start = batch * batchSize;
      const outcome = this.trainBatch(order.slice(start, start + batchSize));
      if (!Number.isFinite(outcome.loss)) {
        throw new StudyError(
          `The loss became ${outcome.loss} at step ${this.step} (epoch ${epoch}, batch ` +
            `${batch + 1} of ${batches}): lower the learning rate with --lr`,
        );
      }
      lossSum += outcome.loss;
      correct += outcome.correct;
    }
    const seconds = (performance.now() - started) / 1000;
    return { epoch, loss: lossSum / batches, correct, seen: total, seconds };
  }

  /**
   * Makes one step.
   *
   * @param indices int32 `[n]`, which boxes.
   * @returns The loss before the step, and how many boxes were classified correctly.
   */
  trainBatch(indices: Int32Array): { loss: number; correct: number } {
    const tf = this.#tf;
    const { features, labels, targets } = this.#data;
    this.step++;
    const [loss, correct] = tf.tidy(() => {
      const scalars = tf.tensor1d(this.optimizer.stepScalars(this.step));
      const places = tf.tensor1d(indices, "int32");
      const [outcome] = this.#run(features, labels, targets, places, scalars);
      return outcome.dataSync<"float32">();
    });
    return { loss: loss!, correct: correct! };
  }

  /** Frees the boxes, the optimiser and the compiled step; the predictor stays. */
  dispose(): void {
    this.#run.dispose();
    this.optimizer.dispose();
    this.#tf.dispose(this.#data);
  }
}
