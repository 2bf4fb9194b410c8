/**
 * What many runs say together: how a setting's accuracy spreads over seeds, how it grows with the
 * number of training images, and which of several settings is best.
 *
 * @module
 */

import type { MeanAndSd } from "../../metrics/descriptive_statistics.ts";
import { type ResultRow, settingKey } from "../record/result_row.ts";
import type { Interval, ModelComparison } from "./comparison.ts";
import { testSetKey } from "./rankings.ts";
import type { SeedAggregate } from "./seed_aggregates.ts";
import { imageStep, seedSpread } from "./seed_spread.ts";
import { differencesFromStudy } from "./differences_from_study.ts";
import {
  clipped,
  holm,
  meanDifference,
  meanInterval,
  predictionInterval,
  welchTest,
} from "./statistics.ts";
import { findModel } from "./study_models.ts";

/** Fewer seeds show no distribution. */
export const LEAST_SEEDS = 3;

/** A setting's accuracy over its seeds. */
export interface SeedDistribution {
  /** The newest of the runs: the setting. */
  row: ResultRow;
  /** In percent, 0..100, lowest first. */
  accuracies: number[];
  accuracy: MeanAndSd;
  /** 95 % interval of the mean; `null` without any spread, where no number of images is known. */
  mean: Interval | null;
  /** Where one more seed is expected, with 95 %; likewise. */
  next: Interval | null;
  /** The published accuracy and how many seeds are below it; `null` unless the setting is the study's. */
  published: { accuracy: number; below: number } | null;
}

/** How accuracy grows with the number of training images, all else being equal. */
export interface LearningSetCurve {
  /** The newest run of the most images. */
  row: ResultRow;
  /** That of the fewest images first. */
  points: LearningSetPoint[];
}

/** One number of training images. */
export interface LearningSetPoint {
  images: number;
  /** In percent, 0..100. */
  accuracy: MeanAndSd;
  accuracies: number[];
  /** 95 % interval of the mean; `null` of a single seed, or without any spread. */
  mean: Interval | null;
}

/** Settings of one architecture that were trained on as many images and tested on the same ones. */
export interface SettingContest {
  /** The architecture, as it is called for people. */
  title: string;
  /** The most accurate first. */
  settings: ContestedSetting[];
  /** Settings with a single seed, which say nothing about chance and are left out. */
  leftOut: number;
}

/** A setting beside the best. */
export interface ContestedSetting {
  row: ResultRow;
  accuracy: MeanAndSd;
  /** Percentage points by which it is behind the best, the means over the seeds. */
  behind: number;
  /** Of Welch's test against the best, after Holm's correction; NaN for the best, or without spread. */
  p: number;
}

/** All that many runs say together. */
export interface Sweeps {
  distributions: SeedDistribution[];
  curves: LearningSetCurve[];
  contests: SettingContest[];
}

/** Finds what the settings of a comparison's models say together; empty lists where there is too little. */
export function analyseSweeps(models: readonly ModelComparison[]): Sweeps {
  const settings = models.flatMap(({ settings }) => settings.filter(isPlausible));
  return {
    distributions: settings.filter(({ accuracy }) => accuracy.n >= LEAST_SEEDS).map(distribution),
    curves: findCurves(settings),
    contests: findContests(settings),
  };
}

/** Whether there is an accuracy, and all of them are percentages. */
function isPlausible({ accuracies }: SeedAggregate): boolean {
  return accuracies.length > 0 && accuracies.every((value) => value >= 0 && value <= 100);
}

function distribution(setting: SeedAggregate): SeedDistribution {
  const { newest, accuracy, accuracies } = setting;
  const spread = spreadOf(setting);
  const published = differencesFromStudy(newest).length === 0
    ? findModel(newest.model)?.published?.accuracy
    : undefined;
  return {
    row: newest,
    accuracies: accuracies.toSorted((a, b) => a - b),
    accuracy,
    mean: spread && possible(meanInterval(spread)!),
    next: spread && possible(predictionInterval(spread)!),
    published: published === undefined ? null : {
      accuracy: published,
      below: accuracies.filter((value) => value < published).length,
    },
  };
}

/** The accuracies over the seeds, as intervals and tests take them. */
function spreadOf({ accuracy, scoredImages }: SeedAggregate): MeanAndSd | null {
  return seedSpread(accuracy, imageStep(scoredImages));
}

/** An interval as far as there are such percentages. */
function possible(interval: Interval): Interval {
  return clipped(interval, { low: 0, high: 100 });
}

function findCurves(settings: readonly SeedAggregate[]): LearningSetCurve[] {
  const trained = settings.filter(({ newest }) => (newest.train_images ?? 0) > 0);
  const groups = Map.groupBy(
    trained,
    ({ newest }) => `${newest.model}\n${settingKey({ ...newest, train_images: null })}`,
  );
  return [...groups.values()].filter((group) => group.length > 1).map((group) => {
    const bySize = group.toSorted((a, b) => a.newest.train_images! - b.newest.train_images!);
    return {
      row: bySize.at(-1)!.newest,
      points: bySize.map((setting) => {
        const { newest, accuracy, accuracies } = setting;
        const spread = spreadOf(setting);
        const mean = spread && possible(meanInterval(spread)!);
        return { images: newest.train_images!, accuracy, accuracies, mean };
      }),
    };
  });
}

function findContests(settings: readonly SeedAggregate[]): SettingContest[] {
  const titleOf = ({ model }: ResultRow) => findModel(model)?.title ?? model;
  const groups = Map.groupBy(
    settings,
    ({ newest }) => [titleOf(newest), newest.train_images, testSetKey(newest)].join("\n"),
  );
  return [...groups.values()].flatMap((group) => {
    const seeded = group.filter(({ accuracy }) => accuracy.n > 1)
      .sort((a, b) => b.accuracy.mean - a.accuracy.mean);
    if (seeded.length < 2) return [];
    return [{
      title: titleOf(seeded[0]!.newest),
      settings: beside(seeded),
      leftOut: group.length - seeded.length,
    }];
  });
}

/** @param ranked The most accurate first. */
function beside(ranked: readonly SeedAggregate[]): ContestedSetting[] {
  const [best, ...rivals] = ranked;
  const ofBest = spreadOf(best!);
  const tests = rivals.map((rival) => {
    const spread = spreadOf(rival);
    // Seeds that are all alike say nothing about how far others may be.
    return ofBest && spread ? welchTest(meanDifference(ofBest, spread)!) : NaN;
  });
  const corrected = holm(tests.map((p) => Number.isNaN(p) ? 1 : p));
  return ranked.map(({ newest, accuracy }, i) => ({
    row: newest,
    accuracy,
    behind: best!.accuracy.mean - accuracy.mean,
    p: i === 0 || Number.isNaN(tests[i - 1]!) ? NaN : corrected[i - 1]!,
  }));
}
