/**
 * Judges a model's published values by ours.
 *
 * @module
 */

import type { MeanAndSd } from "../../metrics/descriptive_statistics.ts";
import type { ResultRow } from "../record/result_row.ts";
import type { Interval, Metric, TestScores, Verdict } from "./comparison.ts";
import type { SeedAggregate } from "./seed_aggregates.ts";
import { predictionInterval, wilsonInterval } from "./statistics.ts";
import type { PublishedModel } from "./study_models.ts";
import { toPercent } from "./test_scores.ts";

/** What a model's verdicts rest on. */
export interface Evidence {
  /** Of a run that is ok. */
  row: ResultRow;
  model: PublishedModel;
  /** Why the run can't be compared with the published values. */
  differences: readonly string[];
  /** What the run's predictions say. */
  evaluation: TestScores | null;
  /** All seeds with the row's setting. */
  setting: SeedAggregate | undefined;
}

/** Decimals that the study prints of each metric; values are compared as rounded to them. */
export const DIGITS: Readonly<Record<Metric, number>> = {
  test_loss: 4,
  accuracy: 2,
  f1: 4,
  training_time_s: 2,
  inference_ms_per_image: 2,
};

/** How far another value may be from ours before it counts as different. */
interface Uncertainty {
  interval: Interval | null;
  /** What kind of interval it is. */
  method: string;
  /** Why there is none, or why it says nothing. */
  reason?: string;
}

/**
 * One verdict for each published number.
 *
 * A value is *reproduced* if the published one lies inside our 95 % interval, its ends rounded as the
 * study rounds, and *differs* if not.
 * It is *not comparable* if the run was not the study's own setting, if there is no interval, and if
 * it is a time: those were taken on another machine.
 */
export function judge(evidence: Evidence): Verdict[] {
  const { row, model: { published }, differences } = evidence;
  const values = {
    test_loss: [published.testLoss, row.test_loss, lossUncertainty],
    accuracy: [published.accuracy, row.accuracy, accuracyUncertainty],
    f1: [published.f1, row.f1, f1Uncertainty],
    training_time_s: [published.trainingTime, row.training_time_s, timeUncertainty],
    inference_ms_per_image: [
      published.inferenceMsPerImage,
      row.inference_ms_per_image,
      timeUncertainty,
    ],
  } as const satisfies Record<Metric, unknown>;
  const verdicts: Verdict[] = [];
  for (const [metric, [theirs, value, uncertainty]] of Object.entries(values)) {
    if (typeof theirs !== "number") continue;
    const ours = typeof value === "number" ? value : NaN;
    const { interval, method, reason } = Number.isFinite(ours)
      ? uncertainty(evidence)
      : { interval: null, method: "", reason: "no value of ours" };
    const reasons = [...differences, ...(reason === undefined ? [] : [reason])];
    const round = (value: number) => Number(value.toFixed(DIGITS[metric as Metric]));
    const isInside = interval !== null && round(interval.low) <= theirs &&
      theirs <= round(interval.high);
    verdicts.push({
      metric: metric as Metric,
      published: theirs,
      ours,
      difference: ours - theirs,
      interval,
      method,
      verdict: reasons.length > 0 ? "not comparable" : isInside ? "reproduced" : "differs",
      reasons,
    });
  }
  return verdicts;
}

function lossUncertainty({ model, setting }: Evidence): Uncertainty {
  if (model.training === null) {
    return { interval: null, method: "", reason: "0 by definition, as nothing is trained" };
  }
  return overSeeds(setting?.testLoss);
}

function accuracyUncertainty({ row, model, evaluation, setting }: Evidence): Uncertainty {
  if (model.training === null) return overSeeds(setting?.accuracy);
  const method = "Wilson";
  if (evaluation !== null) return { interval: evaluation.accuracyInterval, method };
  const { accuracy, evaluated_images: images } = row;
  const correct = Math.round((accuracy ?? NaN) / 100 * (images ?? NaN));
  if (!(images! > 0 && correct >= 0 && correct <= images!)) {
    return { interval: null, method: "", reason: "number of evaluated images unknown" };
  }
  return { interval: toPercent(wilsonInterval(correct, images!)), method };
}

function f1Uncertainty({ model, evaluation, setting }: Evidence): Uncertainty {
  if (model.training === null) return overSeeds(setting?.f1);
  return evaluation === null
    ? { interval: null, method: "", reason: "no predictions to take an interval from" }
    : { interval: evaluation.f1Interval, method: "bootstrap" };
}

function timeUncertainty(): Uncertainty {
  return { interval: null, method: "", reason: "another machine" };
}

/** For values that another seed changes more than other images would. */
function overSeeds(seeds: MeanAndSd | undefined): Uncertainty {
  const interval = seeds === undefined ? null : predictionInterval(seeds);
  return interval === null
    ? { interval, method: "", reason: "one seed only, so no interval" }
    : { interval, method: `${seeds!.n} seeds` };
}
