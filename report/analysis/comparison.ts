/**
 * What a comparison of runs with the study consists of: all that the report says, as data.
 *
 * Everything here is plain JSON, but that numbers which could not be had are NaN (`null` in JSON).
 *
 * @module
 */

import type { PublishedResult } from "../../study.ts";
import type { Problem } from "../record/problems.ts";
import type { ResultRow } from "../record/result_row.ts";
import type { HistoryRow, Manifest } from "../record/run_folder.ts";
import type { SeedAggregate } from "./seed_aggregates.ts";

/** From `low` to `high`, both included. */
export interface Interval {
  low: number;
  high: number;
}

/** Precision, recall and F1 of one class. */
export interface ClassScores {
  /** The class, from 0. */
  label: number;
  /** Evaluated images that are of this class. */
  support: number;
  /** Of the images predicted to be of this class, the fraction that are; 0 if there are none. */
  precision: number;
  /** Of the images of this class, the fraction predicted to be; 0 if there are none. */
  recall: number;
  /** Harmonic mean of the two. */
  f1: number;
}

/** An image that was predicted to be of another class than its own. */
export interface Mistake {
  /** Index in the test set, from 0. */
  index: number;
  target: number;
  prediction: number;
  /** Score of the prediction, 0..1. */
  score: number;
}

/** What a run's `predictions.csv` says of its model. */
export interface TestScores {
  /** Test images, those without a prediction among them. */
  images: number;
  /** Those with a prediction: all that follows is about them. */
  evaluated: number;
  /** Those without: no detection. */
  undetected: number;
  /** Those whose prediction is correct. */
  correct: number;
  /** Percent of the evaluated images, 0..100. */
  accuracy: number;
  /** Wilson's 95 % interval of the accuracy, in percent. */
  accuracyInterval: Interval;
  /** Support-weighted F1, 0..1. */
  f1: number;
  /** Bootstrap's 95 % interval of F1. */
  f1Interval: Interval;
  /** `confusion[target][prediction]`, counts; as many rows and columns as classes. */
  confusion: number[][];
  /** One entry per class. */
  classes: ClassScores[];
  /** The class that most of the evaluated images are of, and its share of them in percent. */
  largestClass: { label: number; share: number };
  /** The class predicted most often, and its share of the predictions in percent. */
  favourite: { label: number; share: number };
  /** Accuracy in percent of 95 % of all guesses made without looking at the images. */
  chanceBand: Interval;
  /** The wrong predictions with the highest scores, highest first. */
  mistakes: Mistake[];
}

/** The columns of {@linkcode ResultRow} that the study publishes. */
export type Metric =
  | "test_loss"
  | "accuracy"
  | "f1"
  | "training_time_s"
  | "inference_ms_per_image";

/** A published value beside ours. */
export interface Verdict {
  metric: Metric;
  published: number;
  ours: number;
  /** Ours minus the published one. */
  difference: number;
  /** Ours, give or take: 95 %. `null` if there is no interval to judge by. */
  interval: Interval | null;
  /** What kind of interval it is; `""` if there is none. */
  method: string;
  verdict: "reproduced" | "differs" | "not comparable";
  /** Why it is not comparable, one phrase each; empty if it is. */
  reasons: string[];
}

/** What was published of a model and what our runs found. */
export interface ModelComparison {
  model: string;
  /** The study's result, or `null` for a model that it does not have. */
  published: PublishedResult | null;
  /** Weights and biases in the model; `null` if the architecture is not known. */
  parameters: number | null;
  /** The newest ok run; if none is ok the newest run; `null` if there is none. */
  row: ResultRow | null;
  /** Results folder that `row` was read from, as it was named; `""` without a row. */
  folder: string;
  /** The row's `manifest.json`, if it has a readable one. */
  manifest: Manifest | null;
  /** The row's `history.csv`, epoch by epoch; empty if it has none. */
  history: HistoryRow[];
  /** The same of the runs that differ from the row in nothing but the seed, newest first. */
  seedHistories: HistoryRow[][];
  /** The row's `predictions.csv`, if it is ok and has one that fits it. */
  evaluation: TestScores | null;
  /** A run that ended in an error or was interrupted after the one in `row`. */
  newerFailure: ResultRow | null;
  /** Why `row` can't be compared with the published values; empty if it can. */
  differences: string[];
  /** One for each published number; empty unless `row` is ok and the study has the model. */
  verdicts: Verdict[];
  /** The ok runs of every setting, that with the newest run first. */
  settings: SeedAggregate[];
}

/** Two models that were tested on the same images, compared by McNemar's exact test. */
export interface PairTest {
  models: [string, string];
  /** Images that both were tested on; one without a prediction counts as wrong. */
  images: number;
  /** Images on which only the first is correct. */
  onlyFirst: number;
  /** Images on which only the second is. */
  onlySecond: number;
  /** Probability of a difference at least as large if both were equally good. */
  p: number;
  /** The same after Holm's correction for the number of pairs. */
  pHolm: number;
}

/** The models that were tested on the same images, and how they rank. */
export interface Ranking {
  dataset: string;
  images: number;
  /** Names, the most accurate first. */
  models: string[];
}

/** A conclusion of the study, tested on our runs. */
export interface Claim {
  /** The claim in a sentence. */
  claim: string;
  verdict: "supported" | "contradicted" | "undecided" | "not tested";
  /** The numbers that decide, or what is missing: a sentence. */
  because: string;
}

/** All models, what follows from them, and what was odd on the way. */
export interface Comparison {
  /** The results folders read, as they were named. */
  folders: string[];
  /** The study's models in its order, then others in the order in which they were first seen. */
  models: ModelComparison[];
  /** Every pair of models that were tested on the same images. */
  pairs: PairTest[];
  /** One per set of test images, that with the most models first. */
  rankings: Ranking[];
  claims: Claim[];
  /** How the rows shown side by side differ in code or test images, a sentence each. */
  mixed: string[];
  /** What was odd in the files. */
  problems: Problem[];
}

/** A picture in the report. */
export interface Figure {
  /** Path below the folder that the report is in, `figures/learning_curves.svg` for one. */
  file: string;
  title: string;
  /** What it shows, in words, for those who can't see it. */
  alt: string;
}
