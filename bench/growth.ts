/**
 * What the case `growth` samples on the way, and what is made of it.
 *
 * @module
 */

import { median } from "../metrics/descriptive_statistics.ts";

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
