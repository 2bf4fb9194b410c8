/**
 * What a run of a classifier is to be: its plan, the flags that decide it, and where it happens.
 *
 * @module
 */

import type * as tf from "@tensorflow/tfjs";
import type { Dataset } from "../data/dataset.ts";
import type { Engine } from "../engine/engine.ts";
import type { Reporter } from "../io/reporter.ts";
import type { ObtainedWeights } from "../models/checkpoint/pretrained.ts";
import type { BatchSource, TrainableModel } from "../training/batch_source.ts";
import type { TrainingProgress } from "../training/checkpoint.ts";

/** The flags that decide a run. */
export interface ClassifierFlags {
  seed: number;
  epochs: number;
  batchSize: number;
  lr: number;
  out: string;
  resume: boolean;
}

/** Where a run happens. */
export interface RunContext {
  engine: Engine;
  dataset: Dataset;
  reporter: Reporter;
  /** The command line, for the manifest. */
  command: readonly string[];
  /** Aborts the run at the next batch. */
  signal: AbortSignal;
}

/** A model ready to be trained, and what it is trained and tested on. */
export interface PreparedRun extends Disposable {
  model: TrainableModel<tf.Tensor>;
  train: BatchSource<tf.Tensor>;
  test: BatchSource<tf.Tensor>;
  /** Images per call in the evaluation; as many as there by default. */
  chunk?: number;
  /** Seconds that features of the two sets took, if they are not computed in the calls. */
  extraction?: { train: number; test: number };
}

/** What {@linkcode ClassifierPlan.prepare} may know. */
export interface PreparationContext extends RunContext {
  flags: ClassifierFlags;
  weights: ObtainedWeights | undefined;
  /** Epochs that are to be trained. */
  epochsLeft: number;
  /** Seconds of the last epoch of the run that is gone on with. */
  lastEpochSeconds: number | undefined;
}

/** What is to be run. */
export interface ClassifierPlan {
  /** Part of the study. */
  part: number;
  /** The model's name in the results. */
  model: string;
  /** Finds the weights that the model starts from, where it has any. */
  weights?: (reporter: Reporter) => Promise<ObtainedWeights>;
  /** Settings of its own that decide the run's arithmetic. */
  settings?: TrainingProgress["settings"];
  /** Makes the model and its batches. */
  prepare: (context: PreparationContext) => Promise<PreparedRun>;
  /** Adam's L2 factor. */
  weightDecay: number;
  /** Learning rate of each step, from the flag and the steps of the run; constant if absent. */
  schedule?: (lr: number, totalSteps: number) => (step: number) => number;
  /**
   * What is kept of a run interrupted before its first epoch is finished.
   *
   * @default {"nothing is kept"}
   */
  keptEarly?: string;
}
