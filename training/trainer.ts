/**
 * The training loop: compiled steps, one epoch at a time.
 *
 * @module
 */

import type * as TF from "@tensorflow/tfjs";
import { eventTurn } from "../io/event_turn.ts";
import { epochOrder } from "../data/shuffle.ts";
import type { CompiledFunction } from "../engine/compile.ts";
import type { Engine } from "../engine/engine.ts";
import { sparseSoftmaxCrossEntropy } from "../engine/ops.ts";
import { InterruptedError, StudyError } from "../io/errors.ts";
import { Adam, type AdamOptions } from "./adam.ts";
import type { BatchSource, TrainableModel } from "./batch_source.ts";

/** Settings of {@linkcode Trainer}. */
export interface TrainerOptions {
  /** Images per step; the last step of an epoch takes what is left. */
  batchSize: number;
  /** Adam's settings. */
  adam: AdamOptions;
  /** Seed of shuffling and dropout, an integer 0..2³¹-1. */
  seed: number;
  /**
   * Whether the model's dropout is on.
   *
   * @default {true}
   */
  dropout?: boolean;
  /**
   * Batches between two reads of what the steps have yielded; in between the device runs ahead.
   *
   * @default {READ_INTERVAL}
   */
  readInterval?: number;
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
  /** Mean loss of the batch last read back; see {@linkcode TrainerOptions.readInterval}. */
  loss: number;
  /** Seconds since the epoch began. */
  seconds: number;
}

/** A batch's mean loss before the step, and how many of its images were classified correctly. */
type Outcome = [loss: number, correct: number];

/** How often a training loop reads back: as often as the study logs. */
export const READ_INTERVAL = 100;

type Step = CompiledFunction<TF.Tensor[], [TF.Tensor]>;

/** Trains one model on one source of batches, which both stay the caller's. */
export class Trainer<Input extends TF.Tensor = TF.Tensor4D> {
  /** Adam, for checkpoints. */
  readonly optimizer: Adam;
  /** Steps made so far; a checkpoint sets it. */
  step = 0;
  #tf: Engine["tf"];
  #options: TrainerOptions;
  #data: BatchSource<Input>;
  #run: Step;

  /** The step is compiled when first used. */
  constructor(
    engine: Engine,
    model: TrainableModel<Input>,
    data: BatchSource<Input>,
    options: TrainerOptions,
  ) {
    const { tf } = engine;
    const { dropout = true } = options;
    this.#tf = tf;
    this.#options = options;
    this.#data = data;
    this.optimizer = new Adam(model.parameters.variables, options.adam);
    const variables = [...model.parameters.variables.values()];
    this.#run = engine.compile((...args: TF.Tensor[]): [TF.Tensor] => {
      const [key, scalars, ...tensors] = args as [TF.Tensor1D, TF.Tensor1D, ...TF.Tensor[]];
      const { inputs, targets } = data.batch(tensors);
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
    const { batchSize, seed, readInterval = READ_INTERVAL } = this.#options;
    const total = this.#data.count;
    const batches = Math.ceil(total / batchSize);
    const order = epochOrder(total, seed, epoch);
    const started = performance.now();
    const outcomes: TF.Tensor1D[] = [];
    let lossSum = 0;
    let correctSum = 0;
    let loss = NaN;
    try {
      for (let batch = 0; batch < batches; batch++) {
        // A call into TensorFlow blocks: give signals and timers their turn.
        await eventTurn();
        if (signal?.aborted) throw new InterruptedError("Interrupted");
        const seen = batch * batchSize;
        outcomes.push(this.#runStep(order.subarray(seen, seen + batchSize)));
        if (batch % readInterval === 0 || batch === batches - 1) {
          const first = batch + 1 - outcomes.length;
          for (const [index, [batchLoss, correct]] of this.#read(outcomes).entries()) {
            this.#checkLoss(batchLoss, { epoch, batch: first + index, latest: batch, batches });
            lossSum += loss = batchLoss;
            correctSum += correct;
          }
        }
        const seconds = (performance.now() - started) / 1000;
        onBatch({ epoch, batch, batches, seen, total, loss, seconds });
      }
    } finally {
      for (const outcome of outcomes) outcome.dispose();
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
  trainBatch(indices: Int32Array): Outcome {
    return this.#read([this.#runStep(indices)])[0]!;
  }

  /** Runs one step without waiting for it; the outcome stays on the device. */
  #runStep(indices: Int32Array): TF.Tensor1D {
    const tf = this.#tf;
    this.step++;
    return tf.tidy(() => {
      const [outcome] = this.#run(
        tf.tensor1d([this.#options.seed, this.step], "int32"),
        tf.tensor1d(this.optimizer.stepScalars(this.step)),
        ...this.#data.tensors(indices),
      );
      return outcome as TF.Tensor1D;
    });
  }

  /** Reads the outcomes of steps in one go, frees them and empties the list. */
  #read(outcomes: TF.Tensor1D[]): Outcome[] {
    const tf = this.#tf;
    const stacked = tf.stack(outcomes);
    for (const outcome of outcomes.splice(0)) outcome.dispose();
    const values = stacked.dataSync();
    stacked.dispose();
    return Array.from(
      { length: values.length / 2 },
      (_, index) => [values[2 * index]!, values[2 * index + 1]!],
    );
  }

  #checkLoss(
    loss: number,
    { epoch, batch, latest, batches }: Record<"epoch" | "batch" | "latest" | "batches", number>,
  ): void {
    if (Number.isFinite(loss)) return;
    throw new StudyError(
      `The loss became ${loss} at step ${this.step - latest + batch} (epoch ${epoch}, batch ` +
        `${batch + 1} of ${batches}): lower the learning rate with --lr`,
    );
  }

  /** Frees the optimiser and the compiled step. */
  dispose(): void {
    this.#run.dispose();
    this.optimizer.dispose();
  }
}
