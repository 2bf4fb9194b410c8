/**
 * Judges a model's published values by ours.
 *
 * @module
 */

import type { Evaluation, Interval, Measure, Verdict } from "./comparison.ts";
import { percent } from "./evaluation.ts";
import type { PublishedResult } from "../published.ts";
import type { ResultRow } from "../record/result_row.ts";
import type { SettingResult, Spread } from "./settings.ts";
import { predictionInterval, wilsonInterval } from "./statistics.ts";

/** What a model's verdicts rest on. */
export interface Evidence {
  /** An ok run. */
  row: ResultRow;
  published: PublishedResult;
  /** Why the run can't be held against the published values. */
  differences: readonly string[];
  /** What the run's predictions say. */
  evaluation: Evaluation | null;
  /** All seeds with the row's setting. */
  setting: SettingResult | undefined;
}

/** Decimals that the study prints of each measure; values are compared as rounded to them. */
export const DIGITS: Readonly<Record<Measure, number>> = {
  test_loss: 4,
  accuracy: 2,
  f1: 4,
  training_time_s: 2,
  inference_ms_per_image: 2,
};

/** How far our value may be from another without telling of a difference. */
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
  const { row, published, differences } = evidence;
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
  } as const satisfies Record<Measure, unknown>;
  const verdicts: Verdict[] = [];
  for (const [measure, [theirs, value, uncertainty]] of Object.entries(values)) {
    if (typeof theirs !== "number") continue;
    const ours = typeof value === "number" ? value : NaN;
    const { interval, method, reason } = Number.isFinite(ours)
      ? uncertainty(evidence)
      : { interval: null, method: "", reason: "no value of ours" };
    const reasons = [...differences, ...(reason === undefined ? [] : [reason])];
    const round = (value: number) => Number(value.toFixed(DIGITS[measure as Measure]));
    const isInside = interval !== null && round(interval.low) <= theirs &&
      theirs <= round(interval.high);
    verdicts.push({
      measure: measure as Measure,
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

function lossUncertainty({ published, setting }: Evidence): Uncertainty {
  if (published.training === undefined) {
    return { interval: null, method: "", reason: "0 by definition, as nothing is trained" };
  }
  return overSeeds(setting?.testLoss);
}

function accuracyUncertainty({ row, published, evaluation, setting }: Evidence): Uncertainty {
  if (published.training === undefined) return overSeeds(setting?.accuracy);
  const method = "Wilson";
  if (evaluation !== null) return { interval: evaluation.accuracyInterval, method };
  const { accuracy, evaluated_images: images } = row;
  const correct = Math.round((accuracy ?? NaN) / 100 * (images ?? NaN));
  if (!(images! > 0 && correct >= 0 && correct <= images!)) {
    return { interval: null, method: "", reason: "number of evaluated images unknown" };
  }
  return { interval: percent(wilsonInterval(correct, images!)), method };
}

function f1Uncertainty({ published, evaluation, setting }: Evidence): Uncertainty {
  if (published.training === undefined) return overSeeds(setting?.f1);
  return evaluation === null
    ? { interval: null, method: "", reason: "no predictions to take an interval from" }
    : { interval: evaluation.f1Interval, method: "bootstrap" };
}

function timeUncertainty(): Uncertainty {
  return { interval: null, method: "", reason: "another machine" };
}

/** For what another seed changes more than other images would. */
function overSeeds(spread: Spread | undefined): Uncertainty {
  const interval = spread === undefined ? null : predictionInterval(spread);
  return interval === null
    ? { interval, method: "", reason: "one seed only, so no interval" }
    : { interval, method: `${spread!.n} seeds` };
}
