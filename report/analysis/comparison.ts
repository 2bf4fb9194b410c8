/**
 * What a comparison of runs with the study consists of: all that the report says, as data.
 *
 * Everything here is plain JSON, but that numbers which are not available are NaN (`null` in JSON).
 *
 * @module
 */

import type { MeanAndSd } from "../../metrics/descriptive_statistics.ts";
import type { PublishedResult } from "../../study.ts";
import type { PeerRun } from "../record/peer_runs.ts";
import type { Problem } from "../record/problems.ts";
import type { ResultRow } from "../record/result_row.ts";
import type { SeedRun } from "../record/run_files.ts";
import type { EvaluationRow, HistoryRow, Manifest } from "../record/run_folder.ts";
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
  /**
   * Those that the scores are of: those with a prediction, or of a detector whose head was trained all,
   * one without being wrong.
   */
  evaluated: number;
  /** Those without a prediction: no detection. */
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
  /** `confusion[target][prediction]`, counts of predictions; as many rows and columns as classes. */
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

/** A seed's accuracy, and what guessing gets on the images that it is of. */
export type SeedGuessing = Pick<TestScores, "accuracy" | "largestClass" | "chanceBand">;

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
  /** The mean over the seeds. */
  ours: number;
  /** Ours minus the published one. */
  difference: number;
  /**
   * Where the published value is expected, with the comparison's confidence; `null` if there is no
   * interval to judge by.
   */
  interval: Interval | null;
  /** What kind of interval it is; `""` if there is none. */
  method: string;
  /**
   * *Consistent* and *inconsistent* are the words for a run with a caveat; the seeds are too few where
   * the interval is so wide that a value inside is no evidence.
   */
  verdict:
    | "reproduced"
    | "differs"
    | "consistent"
    | "inconsistent"
    | "too few seeds to judge"
    | "not comparable";
  /** Why it is not comparable, one phrase each; empty if it is. */
  reasons: string[];
}

/** Seeds of a setting of which no run has a result that counts in its place. */
export interface FailedSeeds {
  /** A run of the setting: its newest ok one, or where none is ok one of these, without its epochs. */
  setting: ResultRow;
  /** Seeds that the setting was run with, the failed ones among them. */
  seeds: number;
  /** One for each seed that failed. */
  failed: {
    /** The run that failed, the newest of several. */
    row: ResultRow;
    /** Whether an older run of the seed counts instead. */
    hasResult: boolean;
  }[];
}

/** What was published of a model and what our runs found. */
export interface ModelComparison {
  model: string;
  /** The study's result, or `null` for a model that it does not have. */
  published: PublishedResult | null;
  /** Weights and biases in the model; `null` if the architecture is not known. */
  parameters: number | null;
  /**
   * Of the setting nearest to the study's the newest ok run; if none is ok the newest run; `null` if
   * there is none.
   */
  row: ResultRow | null;
  /** Results folder that `row` was read from, as it was named; `""` without a row. */
  folder: string;
  /** The row's `manifest.json`, if it has a readable one. */
  manifest: Manifest | null;
  /** The row's `history.csv`, epoch by epoch; empty if it has none. */
  history: HistoryRow[];
  /** The same of the runs that differ from the row in nothing but the seed, newest first. */
  seedHistories: HistoryRow[][];
  /**
   * The runs that differ from the row in nothing but the seed, of each other seed the newest one, newest
   * first.
   */
  seedRuns: SeedRun[];
  /** The ok runs of every setting, of each seed the newest one, newest first. */
  counted: SeedRun[];
  /** `evaluations.csv` of the row and of those runs, where they have one. */
  evaluations: EvaluationRow[][];
  /** The row's `predictions.csv`, if it is ok and has one that fits it. */
  evaluation: TestScores | null;
  /** The same seeds as in `seedRuns` beside guessing, behind that of the row, as far as they can be. */
  guessing: SeedGuessing[];
  /** The newest run, if it ended in an error or was interrupted and `row` is of another. */
  newerFailure: ResultRow | null;
  /** The seeds without a result, of every setting that has some; empty if no run is ok. */
  failedSeeds: FailedSeeds[];
  /** Why `row` can't be compared with the published values; empty if it can. */
  differences: string[];
  /** What is to be said of `row` although it can be compared: a new classifier, another precision. */
  caveats: string[];
  /** One for each published number; empty unless `row` is ok and the study has the model. */
  verdicts: Verdict[];
  /** The ok runs of every setting, that of `row` first, then by their distance from the study's. */
  settings: SeedAggregate[];
}

/** Ours and PyTorch's runs of one setting. */
export interface PeerComparison {
  model: string;
  /** The newest of our runs: the setting. */
  row: ResultRow;
  ours: { accuracy: MeanAndSd; f1: MeanAndSd; trainingTime: MeanAndSd };
  /** Times are those of the runs that were timed as the newest was. */
  theirs: { accuracy: MeanAndSd; f1: MeanAndSd; trainingTime: MeanAndSd };
  /** Whether PyTorch's runs that were timed computed the frozen features once, as ours does. */
  cachedFeatures: boolean;
  /** What PyTorch was timed on; `null` if that is known to be what ours was timed on. */
  device: string | null;
  /** Accuracies less than this many percentage points apart count as equal; `null` if none is set. */
  margin: number | null;
  verdict: "equivalent" | "different" | "undecided" | "not tested";
  /** 90 % interval of our accuracy minus PyTorch's; `null` with fewer than two seeds on a side. */
  interval: Interval | null;
  /** Of the two one-sided tests; NaN without them. */
  p: number;
}

/** The answers of ours and of PyTorch from the same weights, image by image. */
export interface AnswerComparison {
  /** The run of ours whose weights both have. */
  row: ResultRow;
  /** Images that both have answered, the first ones of the test set. */
  images: number;
  /** Images that both have the same answer for; none at all is an answer too. */
  same: number;
  /** PyTorch's graphics card; `null` if it computed on the processor. */
  device: string | null;
}

/** What the committed runs found of a model. */
export interface ReferenceResult {
  model: string;
  /** The setting nearest to the study's. */
  setting: SeedAggregate;
  /** Of its newest run. */
  manifest: Manifest | null;
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
  verdict: "supported" | "supported in part" | "contradicted" | "undecided" | "not tested";
  /** The numbers that decide, or what is missing: a sentence. */
  because: string;
  /** What is not as in the study of the models that decide, each after their names. */
  caveats: string[];
  /** Differences in accuracy that were tested for it. */
  tests: number;
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
  /** Published values that are judged by an interval, and the confidence that each interval has. */
  judged: { count: number; confidence: number };
  /** PyTorch's runs beside ours, in the order of the models. */
  peers: PeerComparison[];
  /** PyTorch's answers from the weights of one of ours, beside those of ours. */
  answers: AnswerComparison[];
  /** Those of PyTorch's runs that none of ours has the setting or the weights of. */
  peersAlone: PeerRun[];
  /** What the committed runs found, where others are compared; empty where they are the ones. */
  reference: ReferenceResult[];
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
  /** How to read it: stands under it. */
  caption: string;
}
