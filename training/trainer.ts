/**
 * The training loop: compiled steps, one epoch at a time.
 *
 * @module
 */

import type * as TF from "@tensorflow/tfjs";
import { setImmediate } from "node:timers/promises";
import type { ImageSet } from "../data/dataset.ts";
import { epochOrder } from "../data/shuffle.ts";
import type { CompiledFunction } from "../engine/compile.ts";
import type { Engine } from "../engine/engine.ts";
import { sparseSoftmaxCrossEntropy } from "../engine/ops.ts";
import { InterruptedError, StudyError } from "../io/errors.ts";
import type { Classifier } from "../models/classifier.ts";
import { Adam, type AdamOptions } from "./adam.ts";
import { DeviceDataset, gatherBatch } from "./device_dataset.ts";

/** Settings of {@linkcode Trainer}. */
export interface TrainerOptions {
  /** Images per step; the last step of an epoch takes what is left. */
  batchSize: number;
  /** Adam's settings. */
  adam: AdamOptions;
  /** Seed of shuffling and dropout, an integer 0..2³¹-1. */
  seed: number;
  /** From pixels `[n, 784]`, 0..255, to what the model takes. */
  transform: (pixels: TF.Tensor) => TF.Tensor4D;
  /**
   * Whether the model's dropout is on.
   *
   * @default {true}
   */
  dropout?: boolean;
}

/** What an epoch amounted to. */
export interface EpochResult {
  /** From 1. */
  epoch: number;
  /** Mean of the batches' mean losses. */
  loss: number;
  /** Images classified correctly as they were trained on, dropout active. */
  correct: number;
  /** Images seen. */
  seen: number;
  /** Seconds. */
  seconds: number;
}

/** What is known after a batch. */
export interface BatchProgress {
  /** From 1. */
  epoch: number;
  /** Index of the batch, from 0. */
  batch: number;
  /** Batches in the epoch. */
  batches: number;
  /** Images seen before this batch. */
  seen: number;
  /** Images in the epoch. */
  total: number;
  /** The batch's mean loss. */
  loss: number;
  /** Seconds since the epoch began. */
  seconds: number;
}

type Step = CompiledFunction<
  [TF.Tensor, TF.Tensor, TF.Tensor1D, TF.Tensor1D, TF.Tensor1D],
  [TF.Tensor]
>;

/** Trains one classifier on one set. */
export class Trainer {
  /** Adam, for checkpoints. */
  readonly optimizer: Adam;
  /** Steps made so far; a checkpoint sets it. */
  step = 0;
  #tf: Engine["tf"];
  #options: TrainerOptions;
  #data: DeviceDataset;
  #run: Step;

  /** Puts the set on the device; the step is compiled when first used. */
  constructor(engine: Engine, model: Classifier, train: ImageSet, options: TrainerOptions) {
    const { tf } = engine;
    const { dropout = true } = options;
    this.#tf = tf;
    this.#options = options;
    this.#data = new DeviceDataset(train);
    this.optimizer = new Adam(model.parameters.variables, options.adam);
    const variables = [...model.parameters.variables.values()];
    this.#run = engine.compile((images, labels, indices, key, scalars): [TF.Tensor] => {
      const { pixels, targets } = gatherBatch(images, labels, indices);
      const inputs = options.transform(pixels);
      let logits!: TF.Tensor2D;
      const { value, grads } = tf.variableGrads(() => {
        logits = tf.keep(model.forward(inputs, dropout ? key : undefined));
        return sparseSoftmaxCrossEntropy(logits, targets).mean();
      }, variables);
      this.optimizer.apply(grads, scalars);
      const correct = logits.argMax(1).equal(targets).cast("float32").sum();
      logits.dispose();
      return [tf.stack([value, correct])];
    });
  }

  /**
   * Trains for one epoch.
   *
   * @param epoch From 1; with the seed it fixes the order of the images.
   * @param onBatch Called after each batch.
   * @param signal Aborts between two batches.
   * @throws {StudyError} If a loss is not finite, naming the step.
   * @throws {InterruptedError} If aborted.
   */
  async trainEpoch(
    epoch: number,
    onBatch: (progress: BatchProgress) => void = () => {},
    signal?: AbortSignal,
  ): Promise<EpochResult> {
    const { batchSize, seed } = this.#options;
    const total = this.#data.count;
    const batches = Math.ceil(total / batchSize);
    const order = epochOrder(total, seed, epoch);
    const started = performance.now();
    let lossSum = 0;
    let correctSum = 0;
    for (let batch = 0; batch < batches; batch++) {
      // A call into TensorFlow blocks: give signals and timers their turn.
      await setImmediate();
      if (signal?.aborted) throw new InterruptedError("Interrupted");
      const seen = batch * batchSize;
      const [loss, correct] = this.trainBatch(order.subarray(seen, seen + batchSize));
      if (!Number.isFinite(loss)) {
        throw new StudyError(
          `The loss became ${loss} at step ${this.step} (epoch ${epoch}, batch ${batch + 1} of ` +
            `${batches}): lower the learning rate with --lr`,
        );
      }
      lossSum += loss;
      correctSum += correct;
      const seconds = (performance.now() - started) / 1000;
      onBatch({ epoch, batch, batches, seen, total, loss, seconds });
    }
    const seconds = (performance.now() - started) / 1000;
    return { epoch, loss: lossSum / batches, correct: correctSum, seen: total, seconds };
  }

  /**
   * Makes one step.
   *
   * @param indices int32 `[n]`, which images of the set.
   * @returns The batch's mean loss before the step, and how many images were classified correctly.
   */
  trainBatch(indices: Int32Array): [loss: number, correct: number] {
    const tf = this.#tf;
    this.step++;
    return tf.tidy(() => {
      const [result] = this.#run(
        this.#data.images,
        this.#data.labels,
        // A copy: tfjs uploads later, and the order goes on being used.
        tf.tensor1d(indices.slice(), "int32"),
        tf.tensor1d([this.#options.seed, this.step], "int32"),
        tf.tensor1d(this.optimizer.stepScalars(this.step)),
      );
      const [loss, correct] = result.dataSync();
      return [loss!, correct!];
    });
  }

  /** Frees the set, the optimiser and the compiled step; the model stays. */
  dispose(): void {
    this.#run.dispose();
    this.optimizer.dispose();
    this.#data.dispose();
  }
}
