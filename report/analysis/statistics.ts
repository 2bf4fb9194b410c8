/**
 * Intervals and tests for proportions and for runs that differ in their seed. Distributions are
 * R's, in its port lib-r-math.js, good to about eight digits. An interval is one of 95 % unless another
 * confidence is asked for.
 *
 * @module
 */

import { pbinom, pt, qbinom, qnorm, qt } from "./r_distributions.ts";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { type ClassCounts, weightedMeanF1 } from "../../metrics/classification.ts";
import { type MeanAndSd, percentile } from "../../metrics/descriptive_statistics.ts";
import type { Interval } from "./comparison.ts";

/** Of a single interval; many together need more, see `verdicts.ts`. */
export const CONFIDENCE = 0.95;

/** More resamples than these are drawn where fewer than `beyond` would lie outside each end. */
const BOOTSTRAP = { resamples: 2000, beyond: 40, seed: 1 } as const;

/** Upper end of a two-sided interval, as a probability. */
function upper(confidence: number): number {
  return (1 + confidence) / 2;
}

/**
 * Wilson's score interval of a proportion.
 *
 * E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
 * the American Statistical Association 22 (1927), 209–212; statsmodels'
 * `proportion_confint(method="wilson")`.
 *
 * @param successes In 0..trials.
 * @param trials With 0 the interval is 0..1.
 * @returns Fractions in 0..1.
 */
export function wilsonInterval(
  successes: number,
  trials: number,
  confidence = CONFIDENCE,
): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const z = qnorm(upper(confidence));
  const share = successes / trials;
  const centre = share + z * z / (2 * trials);
  const reach = z * Math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2);
  const scale = 1 + z * z / trials;
  return {
    low: successes === 0 ? 0 : (centre - reach) / scale,
    high: successes === trials ? 1 : (centre + reach) / scale,
  };
}

/**
 * Where the share of one more run is expected, on as many trials, if it is as much by chance as this one:
 * the two may be apart by √2 times what either is from the truth, so that it is Wilson's interval with z
 * times √2, which is that of half as many trials.
 *
 * @param successes Whole number in 0..trials.
 * @param trials Whole number; with 0 the interval is 0..1.
 * @returns Fractions in 0..1.
 */
export function oneMoreShare(
  successes: number,
  trials: number,
  confidence = CONFIDENCE,
): Interval {
  return wilsonInterval(successes / 2, trials / 2, confidence);
}

/** The same of a score in 0..1 and its interval: √2 times as far from the score, as far as there are such. */
export function oneMoreScore(score: number, { low, high }: Interval): Interval {
  const wider = {
    low: score - Math.SQRT2 * (score - low),
    high: score + Math.SQRT2 * (high - score),
  };
  return clipped(wider, { low: 0, high: 1 });
}

/** An interval as far as there are such values. */
export function clipped({ low, high }: Interval, possible: Interval): Interval {
  return { low: Math.max(low, possible.low), high: Math.min(high, possible.high) };
}

/**
 * McNemar's exact test, two-sided: whether two models that were tested on the same images differ in
 * how often they are correct. Only images that one of them classified correctly and the other did not
 * say anything; if both were equally good, each of these would fall to either with probability 1/2.
 *
 * Q. McNemar, Psychometrika 12 (1947), 153–157; statsmodels' `mcnemar(exact=True)`.
 *
 * @param onlyFirst Images on which only the first model is correct.
 * @param onlySecond Images on which only the second is.
 * @returns The p-value; 1 if there is no such image.
 */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  const fewer = Math.min(onlyFirst, onlySecond);
  return Math.min(1, 2 * pbinom(fewer, onlyFirst + onlySecond, 0.5));
}

/**
 * p-values corrected for their number by Holm's step-down method.
 *
 * S. Holm, Scandinavian Journal of Statistics 6 (1979), 65–70; statsmodels'
 * `multipletests(method="holm")`.
 *
 * @returns As many p-values, in the order given.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((p, i) => ({ p, i })).sort((a, b) => a.p - b.p);
  const corrected = new Array<number>(pValues.length);
  let largest = 0;
  for (const [rank, { p, i }] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (order.length - rank) * p));
    corrected[i] = largest;
  }
  return corrected;
}

/**
 * What guessing gets: the number of correct answers of someone who does not look at the images is
 * binomial, with a probability between the shares of the rarest and the most frequent class,
 * depending on which classes are named how often. The interval is from the 2.5 % quantile of the one to the 97.5 %
 * quantile of the other.
 *
 * @param support How many images there are of each class that there is.
 * @returns Fractions in 0..1; 0..1 if there is no image.
 */
export function guessingInterval(support: readonly number[]): Interval {
  const counts = support.filter((count) => count > 0);
  const images = counts.reduce((sum, count) => sum + count, 0);
  if (images === 0) return { low: 0, high: 1 };
  return {
    low: qbinom(1 - upper(CONFIDENCE), images, Math.min(...counts) / images) / images,
    high: qbinom(upper(CONFIDENCE), images, Math.max(...counts) / images) / images,
  };
}

/**
 * Where one more run, with another seed, is expected: Student's prediction interval, which takes the
 * runs' values as normally distributed.
 *
 * mean ± t · sd · √(1 + 1/n), t with n − 1 degrees of freedom: G. J. Hahn and W. Q. Meeker,
 * "Statistical Intervals" (Wiley 1991), section 4.8.
 *
 * @returns `null` for fewer than two runs.
 */
export function predictionInterval(
  { n, mean, sd }: MeanAndSd,
  confidence = CONFIDENCE,
): Interval | null {
  if (n < 2) return null;
  const reach = qt(upper(confidence), n - 1) * sd * Math.sqrt(1 + 1 / n);
  return { low: mean - reach, high: mean + reach };
}

/**
 * Where the mean of all possible runs is, seeds being drawn at random: Student's interval.
 *
 * mean ± t · sd / √n, t with n − 1 degrees of freedom: Hahn and Meeker, section 4.2.
 *
 * @returns `null` for fewer than two runs.
 */
export function meanInterval({ n, mean, sd }: MeanAndSd, confidence = CONFIDENCE): Interval | null {
  if (n < 2) return null;
  const reach = qt(upper(confidence), n - 1) * sd / Math.sqrt(n);
  return { low: mean - reach, high: mean + reach };
}

/**
 * Whether the mean of all possible runs is above a bound: Student's t-test, one-sided, as
 * `scipy.stats.ttest_1samp(alternative="greater")`.
 *
 * @returns The p-value; NaN for fewer than two runs.
 */
export function meanAboveTest({ n, mean, sd }: MeanAndSd, bound: number): number {
  if (n < 2) return NaN;
  if (sd === 0) return mean > bound ? 0 : 1;
  return pt((mean - bound) / (sd / Math.sqrt(n)), n - 1, 0, false);
}

/** How far the means of two samples are apart, and how sure that is. */
export interface MeanDifference {
  /** Mean of the first minus mean of the second. */
  difference: number;
  /** Of the difference; variances need not be equal. */
  standardError: number;
  /** Welch and Satterthwaite's degrees of freedom. */
  degreesOfFreedom: number;
}

/**
 * The difference of two samples' means as Welch's test takes it.
 *
 * B. L. Welch, "The generalization of 'Student's' problem when several different population variances
 * are involved", Biometrika 34 (1947), 28–35.
 *
 * @returns `null` if either has fewer than two values.
 */
export function meanDifference(first: MeanAndSd, second: MeanAndSd): MeanDifference | null {
  if (first.n < 2 || second.n < 2) return null;
  const [a, b] = [first.sd ** 2 / first.n, second.sd ** 2 / second.n];
  return {
    difference: first.mean - second.mean,
    standardError: Math.sqrt(a + b),
    // Without any spread every number of degrees gives the same.
    degreesOfFreedom: a + b === 0
      ? first.n + second.n - 2
      : (a + b) ** 2 / (a ** 2 / (first.n - 1) + b ** 2 / (second.n - 1)),
  };
}

/** Welch's t-test, two-sided: scipy's `ttest_ind(equal_var=False)`. */
export function welchTest(means: MeanDifference): number {
  return Math.min(1, 2 * tailBeyond(means, Math.abs(means.difference)));
}

/**
 * Whether two means are equal but for less than `margin`: two one-sided t-tests, of which the larger
 * p-value counts. Below 0.05 the means are equivalent.
 *
 * D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15 (1987), 657–680; statsmodels'
 * `ttost_ind(usevar="unequal")`.
 *
 * @param margin In the unit of the means, above 0.
 */
export function equivalenceTest(means: MeanDifference, margin: number): number {
  return tailBeyond(means, margin - Math.abs(means.difference));
}

/** The interval of a difference of means. */
export function differenceInterval(
  { difference, standardError, degreesOfFreedom }: MeanDifference,
  confidence = CONFIDENCE,
): Interval {
  const reach = qt(upper(confidence), degreesOfFreedom) * standardError;
  return { low: difference - reach, high: difference + reach };
}

/** Probability that Student's t, scaled by the standard error, is at least `distance`. */
function tailBeyond({ standardError, degreesOfFreedom }: MeanDifference, distance: number): number {
  if (standardError === 0) return distance > 0 ? 0 : 1;
  return pt(distance / standardError, degreesOfFreedom, 0, false);
}

/**
 * The bootstrap's interval of weighted F1: as many images as there are, drawn with replacement 2000
 * times, or more often for a confidence above 0.96; for 0.95 from the 2.5th to the 97.5th percentile of
 * their F1. The draws are seeded, so the same matrix has the same interval.
 *
 * B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap" (Chapman & Hall 1993), section
 * 13.3; scipy's `stats.bootstrap(method="percentile")`.
 *
 * @param confusion `confusion[target][prediction]`, counts.
 * @returns Scores in 0..1; 0..1 if all counts are 0.
 */
export function bootstrapF1(
  confusion: readonly (readonly number[])[],
  confidence = CONFIDENCE,
): Interval {
  const cells = confusion.flatMap((row, target) =>
    row.map((count, prediction) => ({ target, prediction, count })).filter(({ count }) => count > 0)
  );
  const images = cells.reduce((sum, { count }) => sum + count, 0);
  if (images === 0) return { low: 0, high: 1 };
  // An image is all that is left of it: the index of its cell.
  const cellOfImage = new Uint32Array(images);
  let filled = 0;
  for (const [index, { count }] of cells.entries()) {
    cellOfImage.fill(index, filled, filled += count);
  }
  const drawn = new Uint32Array(cells.length);
  const random = xoroshiro128plus(BOOTSTRAP.seed);
  const tail = 1 - upper(confidence);
  const resamples = Math.max(BOOTSTRAP.resamples, Math.ceil(BOOTSTRAP.beyond / tail));
  const scores = Array.from({ length: resamples }, () => {
    drawn.fill(0);
    for (let i = 0; i < images; i++) {
      const image = Math.floor((random.next() >>> 0) * images / 2 ** 32);
      drawn[cellOfImage[image]!]!++;
    }
    const classes = confusion.map((): ClassCounts => ({ support: 0, predicted: 0, correct: 0 }));
    for (const [index, { target, prediction }] of cells.entries()) {
      const count = drawn[index]!;
      classes[target]!.support += count;
      classes[prediction]!.predicted += count;
      if (target === prediction) classes[target]!.correct += count;
    }
    return weightedMeanF1(classes);
  });
  return {
    low: percentile(scores, 100 * tail),
    high: percentile(scores, 100 * upper(confidence)),
  };
}
