/**
 * Judges the published values by ours.
 *
 * @module
 */

import { type ResultRow, scoredImages } from "../record/result_row.ts";
import type { Interval, Metric, TestScores, Verdict } from "./comparison.ts";
import type { SeedAggregate } from "./seed_aggregates.ts";
import { imageStep, seedSpread } from "./seed_spread.ts";
import {
  bootstrapF1,
  clipped,
  CONFIDENCE,
  oneMoreScore,
  oneMoreShare,
  predictionInterval,
} from "./statistics.ts";
import { findModel, type PublishedModel } from "./study_models.ts";
import { toPercent } from "./test_scores.ts";

/** What a model's verdicts rest on. */
export interface Evidence {
  /** Of a run that is ok. */
  row: ResultRow;
  model: PublishedModel;
  /** Why the run can't be compared with the published values. */
  differences: readonly string[];
  /** What is to be said of a run that is comparable; a run that has any gets other words. */
  caveats: readonly string[];
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

/** The verdict on a value inside an interval that is too wide for that to be evidence. */
export const TOO_FEW = "too few seeds to judge" satisfies Verdict["verdict"];

/**
 * Points of accuracy to either side of the mean beyond which an interval over seeds, of 95 %, is too wide
 * to call a value inside it reproduced; of F1, which is in 0..1, a hundredth of it. By two seeds of which
 * one failed every value there is would be.
 */
export const WIDEST = 2;

/** An untrained head is another guess with every seed, and guesses are points apart: so many times as far. */
const WIDER_FOR_GUESSES = 10;

/** Why a published value is not comparable that our rows have nothing beside. */
export const NO_VALUE = "no value of ours";

/** Accuracy's among some verdicts, else the first. */
export function leadingVerdict(verdicts: readonly Verdict[]): Verdict | undefined {
  return verdicts.find(({ metric }) => metric === "accuracy") ?? verdicts[0];
}

/** Of all the verdicts of a report on true values, at most this share of reports has a false one. */
const FALSE_REPORTS = 1 - CONFIDENCE;

/** Makes an interval of a given confidence. */
interface Method {
  name: string;
  interval: (confidence: number) => Interval;
  /**
   * How far from the mean an interval over seeds may reach: Infinity where there is no limit; left out of
   * one seed.
   */
  widest?: number;
}

/** How a published value will be judged. */
interface Plan extends Omit<Verdict, "interval" | "method" | "verdict"> {
  /** `null` if there is none, for one of the reasons. */
  method: Method | null;
  hasCaveat: boolean;
}

/** The verdicts of several models. */
export interface Judgements {
  /** One list for each model: a verdict for each of its published numbers. */
  verdicts: Verdict[][];
  /** How many of them rest on an interval, and the confidence that every interval has. */
  judged: { count: number; confidence: number };
}

/**
 * Judges the published values of all models.
 *
 * A value is *reproduced* if it lies inside our interval, its ends rounded as the study rounds, and
 * *differs* if not; *consistent* or *inconsistent* where our run has a caveat. The seeds are too few to
 * judge by if the value lies inside and their interval of 95 % reaches further than
 * {@linkcode WIDEST}. It is *not comparable* if the run was not the study's own setting, if there is no
 * interval, and if it is a time: those were taken on another machine.
 *
 * With several seeds the interval is the one in which a single further run is expected, such as the
 * study's; they count as no closer together than whole images can tell. With one seed it is where one
 * more run is expected if seeds differ about as much as samples of images do: Wilson's for accuracy and
 * the bootstrap's for F1, √2 times as wide, since the published value is one run's too. As there are
 * many verdicts, intervals are widened by Bonferroni's method, so that of reports on runs that do
 * reproduce the study at most 5 % have a verdict that says otherwise, with one seed as far as seeds do
 * differ so.
 */
export function judge(models: readonly Evidence[]): Judgements {
  const plans = models.map(plan);
  const count = plans.flat().filter(isJudged).length;
  const confidence = 1 - FALSE_REPORTS / Math.max(1, count);
  return {
    verdicts: plans.map((ofModel) => carryOut(ofModel, confidence)),
    judged: { count, confidence },
  };
}

function plan(evidence: Evidence): Plan[] {
  const { row, model: { published }, differences, caveats, setting } = evidence;
  const values = {
    test_loss: [published.testLoss, row.test_loss, setting?.testLoss, lossMethod],
    accuracy: [published.accuracy, row.accuracy, setting?.accuracy, accuracyMethod],
    f1: [published.f1, row.f1, setting?.f1, f1Method],
    training_time_s: [
      published.trainingTime,
      row.training_time_s,
      setting?.trainingTime,
      timeMethod,
    ],
    inference_ms_per_image: [
      published.inferenceMsPerImage,
      row.inference_ms_per_image,
      setting?.inference,
      timeMethod,
    ],
  } as const satisfies Record<Metric, unknown>;
  const plans: Plan[] = [];
  for (const [metric, [theirs, value, seeds, methodOf]] of Object.entries(values)) {
    if (typeof theirs !== "number") continue;
    const single = typeof value === "number" ? value : NaN;
    const ours = Number.isFinite(single) && seeds !== undefined && seeds.n > 1
      ? seeds.mean
      : single;
    const method = Number.isFinite(ours) ? methodOf(evidence) : NO_VALUE;
    plans.push({
      metric: metric as Metric,
      published: theirs,
      ours,
      difference: ours - theirs,
      method: typeof method === "string" ? null : method,
      reasons: typeof method === "string" ? [...differences, method] : [...differences],
      hasCaveat: caveats.length > 0,
    });
  }
  return plans;
}

function isJudged({ reasons }: Plan): boolean {
  return reasons.length === 0;
}

/** The verdicts on one model's values: seeds that are too few for one of them are so for all. */
function carryOut(plans: readonly Plan[], confidence: number): Verdict[] {
  const found = plans.map((plan) => {
    const interval = plan.method?.interval(confidence) ?? null;
    return { plan, interval, isInside: interval !== null && isInside(plan, interval) };
  });
  const areTooFew = found.some(({ plan, isInside }) =>
    isJudged(plan) && isInside && reach(plan) > (plan.method!.widest ?? Infinity)
  );
  return found.map(({ plan: { method, hasCaveat, ...plan }, interval, isInside }) => {
    const words = hasCaveat
      ? { inside: "consistent", outside: "inconsistent" } as const
      : { inside: "reproduced", outside: "differs" } as const;
    const inside = areTooFew && method?.widest !== undefined ? TOO_FEW : words.inside;
    return {
      ...plan,
      interval,
      method: method?.name ?? "",
      verdict: plan.reasons.length > 0 ? "not comparable" : isInside ? inside : words.outside,
    };
  });
}

function isInside({ metric, published }: Plan, { low, high }: Interval): boolean {
  const round = (value: number) => Number(value.toFixed(DIGITS[metric]));
  return round(low) <= published && published <= round(high);
}

/** How far a single value's interval goes to either side, however many values are judged beside it. */
function reach({ ours, method }: Plan): number {
  const { low, high } = method!.interval(CONFIDENCE);
  return Math.max(ours - low, high - ours);
}

/** How to judge, or why one can't. */
type MethodOrReason = Method | string;

const ONE_SEED = "one seed only, so no interval";
const ALIKE = "seeds without any spread, so no interval";

/** What scores are possible, and the score of all images correct, if it is a share of them. */
const SCORES = {
  testLoss: { possible: { low: 0, high: Infinity }, whole: null },
  accuracy: { possible: { low: 0, high: 100 }, whole: 100 },
  f1: { possible: { low: 0, high: 1 }, whole: 1 },
} as const;

function lossMethod({ model, setting }: Evidence): MethodOrReason {
  if (model.training === null) return "0 by definition, as nothing is trained";
  return overSeeds(setting, "testLoss") ?? ONE_SEED;
}

function accuracyMethod({ row, model, evaluation, setting }: Evidence): MethodOrReason {
  const method = overSeeds(setting, "accuracy");
  if (method !== null) return method;
  // An untrained head is another guess with every seed.
  if (model.training === null) return ONE_SEED;
  const images = evaluation?.evaluated ?? scoredImages(row) ?? NaN;
  const correct = evaluation?.correct ?? Math.round((row.accuracy ?? NaN) / 100 * images);
  if (!(images > 0 && correct >= 0 && correct <= images)) {
    return "number of evaluated images unknown";
  }
  return {
    name: "Wilson × √2, one seed",
    interval: (confidence) => toPercent(oneMoreShare(correct, images, confidence)),
  };
}

function f1Method({ model, evaluation, setting }: Evidence): MethodOrReason {
  const method = overSeeds(setting, "f1");
  if (method !== null) return method;
  if (model.training === null) return ONE_SEED;
  if (evaluation === null) return "no predictions to take an interval from";
  return {
    name: "bootstrap × √2, one seed",
    interval: (confidence) =>
      oneMoreScore(evaluation.f1, bootstrapF1(evaluation.confusion, confidence)),
  };
}

function timeMethod(): MethodOrReason {
  return "another machine";
}

/** The interval for one more seed, as far as it is possible; `null` for less than two seeds. */
function overSeeds(
  setting: SeedAggregate | undefined,
  score: keyof typeof SCORES,
): MethodOrReason | null {
  if (setting === undefined || setting[score].n < 2) return null;
  const { possible, whole } = SCORES[score];
  const step = whole === null ? null : imageStep(setting.scoredImages, whole);
  const spread = seedSpread(setting[score], step);
  if (spread === null) return ALIKE;
  const wider = findModel(setting.newest.model)?.training === null ? WIDER_FOR_GUESSES : 1;
  return {
    name: `${spread.n} seeds`,
    widest: whole === null ? Infinity : WIDEST * wider * whole / 100,
    interval: (confidence) => clipped(predictionInterval(spread, confidence)!, possible),
  };
}
