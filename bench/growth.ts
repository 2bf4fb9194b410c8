/**
 * What the case `growth` samples on the way, and what is made of it.
 *
 * @module
 */

import { mean, median } from "../metrics/descriptive_statistics.ts";
import type { Interval } from "../report/analysis/comparison.ts";
import { differenceInterval } from "../report/analysis/statistics.ts";

/** Handles and memory after a step, the one before it followed by a collection of garbage. */
export type GrowthSample = {
  step: number;
  /** Tensors that the engine holds. */
  handles: number;
  /** Resident memory in bytes. */
  rss: number;
};

/** Steps between which growth is measured, in full and shortened. */
export const GROWTH_SPANS = { full: [1_000, 10_000], short: [200, 1_000] } as const;

/** The last step that was sampled; 0 if none was. */
export function lastStep(samples: readonly Readonly<Record<string, number>>[] = []): number {
  return samples.at(-1)?.step ?? 0;
}

/** Answer to a request for `growth`. */
export interface Growth {
  from: GrowthSample;
  to: GrowthSample;
  samples: GrowthSample[];
}

/** Samples whose median stands for a step. */
const WINDOW = 5;

/** Medians over the last few samples up to a step. */
export function sampleAt(samples: readonly GrowthSample[], step: number): GrowthSample {
  const window = samples.filter((sample) => sample.step <= step).slice(-WINDOW);
  return {
    step,
    handles: median(window.map(({ handles }) => handles)),
    rss: median(window.map(({ rss }) => rss)),
  };
}

/** Steps of which handles are taken together: how many there are swings from one collection to the next. */
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

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * The step from which on memory stands still, as medians over the last few samples have it.
 *
 * @param samples At least one, in the order of steps.
 * @param share Of what is held in the end: within that of it is still.
 */
export function stillFrom(samples: readonly GrowthSample[], share: number): number {
  const smooth = samples.map(({ step }) => sampleAt(samples, step));
  const { rss: end } = smooth.at(-1)!;
  const moved = smooth.findLastIndex(({ rss }) => Math.abs(rss / end - 1) > share);
  return smooth[moved + 1]!.step;
}
