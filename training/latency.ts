/**
 * How long a model's calls take.
 *
 * @module
 */

import { mean, percentile } from "../metrics/descriptive_statistics.ts";

/** Milliseconds per image, over all images timed. */
export interface LatencySummary {
  images: number;
  /** Mean; NaN without images, as the others. */
  mean_ms: number;
  median_ms: number;
  p95_ms: number;
}

/** Sums up the milliseconds that each image took. */
export function summarizeLatency(milliseconds: readonly number[]): LatencySummary {
  return {
    images: milliseconds.length,
    mean_ms: mean(milliseconds),
    median_ms: percentile(milliseconds, 50),
    p95_ms: percentile(milliseconds, 95),
  };
}
