/**
 * How long a model's calls take.
 *
 * @module
 */

/** Milliseconds per image, over all images timed. */
export interface LatencySummary {
  images: number;
  /** Mean; NaN without images, as the others. */
  mean_ms: number;
  median_ms: number;
  /** 95th percentile. */
  p95_ms: number;
}

/** Sums up the milliseconds that each image took. */
export function summarizeLatency(milliseconds: readonly number[]): LatencySummary {
  const images = milliseconds.length;
  return {
    images,
    mean_ms: milliseconds.reduce((sum, value) => sum + value, 0) / images,
    median_ms: percentile(milliseconds, 50),
    p95_ms: percentile(milliseconds, 95),
  };
}

/**
 * The value below which so many percent of the values lie, as `numpy.percentile`: between the two
 * nearest ones in proportion.
 *
 * @param values In any order.
 * @param percent 0..100.
 * @returns NaN for no values.
 * @throws {RangeError} If `percent` is out of range.
 */
export function percentile(values: readonly number[], percent: number): number {
  if (!(percent >= 0 && percent <= 100)) {
    throw new RangeError(
      `Cannot take a percentile as percent must be in 0..100: current value is ${percent}`,
    );
  }
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * percent / 100;
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place - Math.floor(place));
}
