/**
 * What a run of a detector is made of.
 *
 * @module
 */

import type { Dataset } from "../data/dataset.ts";
import type { Engine } from "../engine/engine.ts";
import type { Reporter } from "../io/reporter.ts";
import type { Detector } from "../models/faster_rcnn.ts";
import type { ObtainedWeights } from "../models/checkpoint/pretrained.ts";
import type { PixelTransform } from "../training/detection/read_digits.ts";
import type { EpochResult } from "../training/trainer.ts";

/** What a run needs of a detector. */
export type DigitDetector = Pick<Detector, "detect" | "boxFeatures" | "predictor" | "dispose">;

/** What is to be run. */
export interface DetectorPlan {
  /** The model's name in the results. */
  model: string;
  /** Makes the detector with the run's weights and a new predictor. */
  build: (seed: number) => Promise<DigitDetector>;
  /** Which weights those are. */
  weights: ObtainedWeights;
  /** From pixels to what the detector is fed. */
  transform: PixelTransform;
  /** How often images are normalised: by the transform and the detector, or by the latter only. */
  normalise: "twice" | "once";
  /** How the predictor is trained before digits are read; absent where it is not. */
  head?: HeadPlan;
}

/** How the predictor is trained. */
export interface HeadPlan {
  /** Settings that decide the training. */
  settings: {
    epochs: number;
    learning_rate: number;
    weight_decay: number;
    head_batch_size: number;
  };
  /** Trains it, adding what is finished to `history`. */
  train(detector: DigitDetector, run: HeadRun): Promise<void>;
}

/** The run that a predictor is trained in. */
export interface HeadRun {
  context: DetectorContext;
  flags: DetectorFlags;
  plan: DetectorPlan;
  /** The run's folder. */
  folder: string;
  /** Settings of the run: what is resumed shares them. */
  settings: Readonly<Record<string, string | number>>;
  /** Finished epochs; the first, 0, is the computing of features. */
  history: EpochResult[];
}

/** The flags that decide a run. */
export interface DetectorFlags {
  seed: number;
  batchSize: number;
  out: string;
  resume: boolean;
}

/** Where a run happens. */
export interface DetectorContext {
  engine: Engine;
  dataset: Dataset;
  reporter: Reporter;
  /** The command line, for the manifest. */
  command: readonly string[];
  /** Aborts the run at the next batch. */
  signal: AbortSignal;
}
