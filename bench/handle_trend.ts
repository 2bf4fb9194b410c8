/**
 * Whether handles grow, of which there are now more, now fewer.
 *
 * @module
 */

import { mean, sum } from "../metrics/descriptive_statistics.ts";
import type { Interval } from "../report/analysis/comparison.ts";
import { differenceInterval } from "../report/analysis/statistics.ts";
import type { GrowthSample } from "./growth.ts";

/** Steps whose handles are averaged, over which they swing many times. */
const BLOCK = 1_000;

/**
 * How many handles more there are in the end than in the beginning, with 95 % confidence: by a straight
 * line, fitted by least squares to the means over each 1,000 steps.
 *
 * @param span The steps between which it is.
 */
export function handleGrowth(
  samples: readonly GrowthSample[],
  [from, to]: readonly [from: number, to: number],
): Interval {
  const blocks = Map.groupBy(
    samples.filter(({ step }) => step > from && step <= to),
    ({ step }) => Math.ceil(step / BLOCK),
  );
  const first = samples[0]?.handles ?? 0;
  // Beside the first, so that what stands still does so exactly.
  const points = [...blocks].map(([x, own]) =>
    [x, mean(own.map(({ handles }) => handles - first))] as const
  );
  const centre = mean(points.map(([x]) => x));
  const level = mean(points.map(([, y]) => y));
  const width = sum(points.map(([x]) => (x - centre) ** 2));
  const slope = sum(points.map(([x, y]) => (x - centre) * (y - level))) / width;
  const rest = sum(points.map(([x, y]) => (y - level - slope * (x - centre)) ** 2));
  const degreesOfFreedom = points.length - 2;
  const times = (to - from) / BLOCK;
  return differenceInterval({
    difference: times * slope,
    standardError: times * Math.sqrt(rest / degreesOfFreedom / width),
    degreesOfFreedom,
  });
}
