/**
 * The bootstrap's interval of weighted F1.
 *
 * @module
 */

import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { Interval } from "./comparison.ts";

const RESAMPLES = 2000;
const SEED = 1;

/** A cell of a confusion matrix that is not empty. */
interface Cell {
  target: number;
  prediction: number;
  count: number;
}

/**
 * Weighted F1 of a confusion matrix, as scikit-learn's
 * `f1_score(average="weighted", zero_division=0)`.
 *
 * @param confusion `confusion[target][prediction]`, counts.
 * @returns A score in 0..1; 0 if all counts are.
 */
export function confusionF1(confusion: readonly (readonly number[])[]): number {
  return weightedF1(cellsOf(confusion), confusion.length);
}

/**
 * Percentile bootstrap, 95 %: as many images as there are, drawn with replacement 2000 times over;
 * the interval is from the 2.5th to the 97.5th percentile of their F1, interpolated linearly. The
 * draws are seeded, so the same matrix has the same interval.
 *
 * B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap" (Chapman & Hall 1993), section
 * 13.3; scipy's `stats.bootstrap(method="percentile")`.
 *
 * @param confusion `confusion[target][prediction]`, counts.
 * @returns Scores in 0..1; 0..1 if all counts are 0.
 */
export function bootstrapF1(confusion: readonly (readonly number[])[]): Interval {
  const cells = cellsOf(confusion);
  const images = cells.reduce((sum, { count }) => sum + count, 0);
  if (images === 0) return { low: 0, high: 1 };
  // An image is all that is left of it: the place of its cell.
  const cellOfImage = new Uint32Array(images);
  let filled = 0;
  for (const [place, { count }] of cells.entries()) {
    cellOfImage.fill(place, filled, filled += count);
  }
  const random = xoroshiro128plus(SEED);
  const drawn = new Uint32Array(cells.length);
  const scores = new Float64Array(RESAMPLES);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    drawn.fill(0);
    for (let i = 0; i < images; i++) {
      const image = Math.floor((random.next() >>> 0) * images / 2 ** 32);
      drawn[cellOfImage[image]!]!++;
    }
    const sample = cells.map((cell, place) => ({ ...cell, count: drawn[place]! }));
    scores[resample] = weightedF1(sample, confusion.length);
  }
  scores.sort();
  return { low: percentile(scores, 0.025), high: percentile(scores, 0.975) };
}

function cellsOf(confusion: readonly (readonly number[])[]): Cell[] {
  return confusion.flatMap((row, target) =>
    row.map((count, prediction) => ({ target, prediction, count })).filter(({ count }) => count > 0)
  );
}

function weightedF1(cells: readonly Cell[], classes: number): number {
  const support = new Float64Array(classes);
  const predicted = new Float64Array(classes);
  const right = new Float64Array(classes);
  let images = 0;
  for (const { target, prediction, count } of cells) {
    support[target]! += count;
    predicted[prediction]! += count;
    if (target === prediction) right[target]! += count;
    images += count;
  }
  let sum = 0;
  for (let label = 0; label < classes; label++) {
    if (support[label]! === 0) continue;
    // 2·TP + FP + FN is the number of times the class is true plus those it is predicted.
    sum += support[label]! * 2 * right[label]! / (support[label]! + predicted[label]!);
  }
  return images === 0 ? 0 : sum / images;
}

/** @param sorted Ascending, not empty. */
function percentile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)]!;
  return below + (place % 1) * (sorted[Math.ceil(place)]! - below);
}
