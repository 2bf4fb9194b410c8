/**
 * The training loop: compiled steps, one epoch at a time.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { epochOrder } from "../data/shuffle.ts";
import type { CompiledFunction } from "../engine/compile.ts";
import type { Engine } from "../engine/engine.ts";
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from "../engine/ops.ts";
import { StudyError } from "../io/errors.ts";
import { eventTurn } from "../io/event_turn.ts";
import { requirePositiveWhole } from "../io/positive_whole.ts";
import { checkSeed, type Parameters } from "../models/parameters.ts";
import { Adam, type AdamOptions } from "./adam.ts";
import { crossEntropy, type Loss, requireKnownLabels } from "./cross_entropy.ts";
import { Muon, type MuonOptions } from "./muon.ts";
import { WeightAverage, type WeightAverageOptions } from "./weight_average.ts";

/**
 * Examples from which batches are made: images gathered on the device, features read from a cache,
 * or boxes. The loop is the same.
 */
export interface BatchSource<Input, Targets = Tensor1D> {
  /** How many examples there are. */
  readonly count: number;
  /** Classes, `[count]`, if these are the targets; they are checked before training. */
  readonly labels?: Uint8Array | undefined;
  /**
   * The arguments of a compiled function for one batch; called inside `tf.tidy()`.
   *
   * @param indices int32 `[n]`, each 0..count-1.
   */
  tensors(indices: Int32Array): Tensor[];
  /**
   * Makes the batch of those arguments; called inside the compiled function.
   *
   * @param key int32 `[2]`, only in training; what is random about a batch is drawn from it.
   * @returns What the model takes, `[n, ...]`, and what its outputs should be: classes, int32 `[n]`,
   *   as a rule.
   */
  batch(tensors: readonly Tensor[], key?: Tensor1D): { inputs: Input; targets: Targets };
}

/** A model that can be trained: a whole classifier, or the part of one that works on features. */
export interface TrainableModel<Input, Output = Tensor2D> {
  /** The variables that a step updates. */
  readonly parameters: Parameters;
  /** Number format of its products where it is not to be the engine's. */
  readonly precision?: "float32" | undefined;
  /**
   * How many inputs it takes at a time where memory is short; training takes as many as it is told to.
   *
   * @default {500 in evaluate()}
   */
  readonly batchSize?: number | undefined;
  /** Number of classes, the length of a row of logits, if its outputs are logits. */
  readonly numClasses?: number | undefined;
  /**
   * Computes outputs: logits, float32 `[n, numClasses]`, as a rule.
   *
   * @param inputs A batch, `[n, ...]`.
   * @param dropoutKey int32 `[2]`; when given, dropout is on and drawn from this key.
   */
  forward(inputs: Input, dropoutKey?: Tensor1D): Output;
}

/** Settings of {@linkcode Trainer}. */
export interface TrainerOptions<Output = Tensor2D, Targets = Tensor1D> {
  /**
   * What is minimised.
   *
   * @default {crossEntropy}
   */
  loss?: Loss<Output, Targets>;
  /** Images per step; the last step of an epoch takes what is left. */
  batchSize: number;
  /** Settings of the optimiser. */
  adam: AdamOptions;
  /** Parameters that stay as they are: no gradient is computed for them. All are trained if absent. */
  frozen?: readonly string[];
  /** Parameters that Muon updates in Adam's place, and how; none if absent. */
  muon?: MuonOptions & { parameters: readonly string[] };
  /** A running mean of the trained parameters to be made; none if absent. */
  average?: WeightAverageOptions;
  /** Seed of shuffling and dropout, an integer 0..2³¹-1. */
  seed: number;
  /**
   * Whether the model's dropout is on.
   *
   * @default {true}
   */
  dropout?: boolean;
  /**
   * Batches between two reads of what the steps have yielded, which are never more than a second
   * apart; in between the device runs ahead.
   *
   * @default {READ_INTERVAL}
   */
  readInterval?: number;
}

/** What an epoch amounted to. */
export interface EpochResult {
  /** Number of the epoch, from 1. */
  epoch: number;
  /** Mean of the batches' mean losses. */
  loss: number;
  /** Images classified correctly as they were trained on, dropout active. */
  correct: number;
  /** Examples in the epoch. */
  seen: number;
  /** Wall-clock time of the epoch. */
  seconds: number;
}

/** What is known after a batch. */
export interface BatchProgress {
  /** Number of the epoch, from 1. */
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
  /**
   * What the steps that were read back with this batch have yielded, oldest first, its own last; empty
   * where nothing was read.
   */
  outcomes: readonly BatchOutcome[];
}

/** A batch's mean loss before the step, and how many of its images were classified correctly. */
export type BatchOutcome = [loss: number, correct: number];

/** How often a training loop reads back: as often as the study logs. */
export const READ_INTERVAL = 100;

/** Seconds after which what the steps have yielded is read, so that what is shown is as new. */
const READ_SECONDS = 1;

/** Trains one model on one source of batches, which both stay the caller's. */
export class Trainer<Input = Tensor4D, Output = Tensor2D, Targets = Tensor1D>
  implements Disposable {
  /** What updates the parameters, but for those of {@linkcode Trainer.muon}. */
  readonly optimizer: Adam;
  /** What updates the parameters that Adam does not, if there are any. */
  readonly muon: Muon | undefined;
  /** The running mean of the parameters, if one is made. */
  readonly average: WeightAverage | undefined;
  /** Steps made so far; a checkpoint sets it. */
  step = 0;
  #options: TrainerOptions<Output, Targets>;
  #data: BatchSource<Input, Targets>;
  #run: CompiledFunction<tf.Tensor[], tf.Tensor1D>;

  /**
   * The step is compiled when first used.
   *
   * @throws {Error} If an option names a parameter that the model has not.
   * @throws {RangeError} If `batchSize` or `readInterval` is not a positive whole number, the seed no
   *   integer 0..2³¹-1, another option out of its range, or a label not below the model's number of
   *   classes.
   */
  constructor(
    engine: Engine,
    model: TrainableModel<Input, Output>,
    data: BatchSource<Input, Targets>,
    options: TrainerOptions<Output, Targets>,
  ) {
    const { batchSize, dropout = true, seed, readInterval = READ_INTERVAL } = options;
    for (const [name, value] of Object.entries({ batchSize, readInterval })) {
      requirePositiveWhole("train", name, value);
    }
    checkSeed(seed);
    requireKnownLabels("train", data, model);
    // The default fits the defaults of both types.
    const lossOf = options.loss ?? crossEntropy as unknown as Loss<Output, Targets>;
    this.#options = options;
    this.#data = data;
    const { muon, average, frozen = [] } = options;
    // Throws at a name that no parameter has.
    for (const name of [...frozen, ...muon?.parameters ?? []]) model.parameters.get(name);
    const named = [...model.parameters.variables].filter(([name]) => !frozen.includes(name));
    const isMuons = ([name]: [name: string, ...unknown[]]) => muon?.parameters.includes(name);
    using made = new DisposableStack();
    const keep = <T extends { dispose(): void }>(one: T) => made.adopt(one, () => one.dispose());
    const adams = new Map(named.filter((one) => !isMuons(one)));
    this.optimizer = keep(new Adam(adams, options.adam));
    this.muon = muon && keep(new Muon(new Map(named.filter(isMuons)), muon));
    this.average = average && keep(new WeightAverage(engine, new Map(named), average));
    made.move();
    const variables = named.map(([, variable]) => variable);
    this.#run = engine.compile((...args: tf.Tensor[]): tf.Tensor1D => {
      const [key, scalars, ...tensors] = args as [tf.Tensor1D, tf.Tensor1D, ...tf.Tensor[]];
      const { inputs, targets } = data.batch(tensors, key);
      let correct!: tf.Scalar;
      const { value, grads } = tf.variableGrads(() => {
        const outputs = model.forward(inputs, dropout ? key : undefined);
        const outcome = lossOf(outputs, targets);
        correct = tf.keep(outcome.correct);
        return outcome.loss;
      }, variables);
      this.#update(grads, scalars);
      const outcome = tf.stack([value, correct]) as tf.Tensor1D;
      correct.dispose();
      return outcome;
    }, { precision: model.precision });
  }

  /**
   * Trains for one epoch.
   *
   * @param epoch From 1; with the seed it fixes the order of the images.
   * @param onBatch Called after each batch.
   * @param signal Aborts between two batches; its reason is the error's `cause`.
   * @throws {RangeError} If the source has no examples.
   * @throws {StudyError} If a loss is not finite, naming the step.
   * @throws {InterruptedError} If aborted, with the signal's reason as its `cause`.
   */
  async trainEpoch(
    epoch: number,
    onBatch: (progress: BatchProgress) => void = () => {},
    signal?: AbortSignal,
  ): Promise<EpochResult> {
    const { batchSize, seed, readInterval = READ_INTERVAL } = this.#options;
    const total = this.#data.count;
    requirePositiveWhole("train", "the source's count", total);
    const batches = Math.ceil(total / batchSize);
    const order = epochOrder(total, seed, epoch);
    const started = performance.now();
    const outcomes: tf.Tensor1D[] = [];
    let lossSum = 0;
    let correctSum = 0;
    let loss = NaN;
    let readAt = 0;
    try {
      for (let batch = 0; batch < batches; batch++) {
        await eventTurn(signal);
        const seen = batch * batchSize;
        outcomes.push(this.#runStep(order.subarray(seen, seen + batchSize)));
        const since = (performance.now() - started) / 1000;
        const isDue = batch % readInterval === 0 || since - readAt >= READ_SECONDS;
        let read: BatchOutcome[] = [];
        if (isDue || batch === batches - 1) {
          readAt = since;
          const first = batch + 1 - outcomes.length;
          read = this.#read(outcomes);
          for (const [index, [batchLoss, correct]] of read.entries()) {
            this.#checkLoss(batchLoss, { epoch, batch: first + index, latest: batch, batches });
            lossSum += loss = batchLoss;
            correctSum += correct;
          }
        }
        const seconds = (performance.now() - started) / 1000;
        onBatch({ epoch, batch, batches, seen, total, loss, seconds, outcomes: read });
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
  trainBatch(indices: Int32Array): BatchOutcome {
    return this.#read([this.#runStep(indices)])[0]!;
  }

  /**
   * Exchanges the parameters and their running mean, if one is made; a second call undoes it.
   */
  swapAverage(): void {
    this.average?.swap(this.step);
  }

  /** Runs one step without waiting for it; the outcome stays on the device. */
  #runStep(indices: Int32Array): tf.Tensor1D {
    this.step++;
    const outcome = tf.tidy(() => {
      return this.#run(
        tf.tensor1d([this.#options.seed, this.step], "int32"),
        tf.tensor1d(this.#stepScalars()),
        ...this.#data.tensors(indices),
      );
    });
    this.average?.update(this.step);
    return outcome;
  }

  /** Adam's two, and Muon's learning rate where it has parameters. */
  #stepScalars(): Float32Array {
    const adam = this.optimizer.stepScalars(this.step);
    return this.muon ? Float32Array.of(...adam, this.muon.learningRate(this.step)) : adam;
  }

  /** Updates every parameter, inside the compiled step. */
  #update(gradients: tf.NamedTensorMap, scalars: tf.Tensor1D): void {
    if (this.muon === undefined) return this.optimizer.apply(gradients, scalars);
    const [adam, rate] = tf.split(scalars, [2, 1]) as [tf.Tensor1D, tf.Tensor1D];
    this.optimizer.apply(gradients, adam);
    this.muon.apply(gradients, rate.asScalar());
  }

  /** Reads the outcomes of steps in one go, frees them and empties the list. */
  #read(outcomes: tf.Tensor1D[]): BatchOutcome[] {
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
    this.muon?.dispose();
    this.average?.dispose();
  }

  /** The same, at the end of a `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
