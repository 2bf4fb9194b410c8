/**
 * Descriptive statistics, equal to numpy's.
 *
 * @module
 */

/** Mean and standard deviation of some values. */
export interface MeanAndSd {
  /** How many values there are. */
  n: number;
  /** NaN if n is 0. */
  mean: number;
  /** Standard deviation with the divisor n − 1, as numpy's `std(ddof=1)`; NaN if n is below 2. */
  sd: number;
}

/** The number of values, their mean, and their standard deviation with the divisor n − 1. */
export function meanAndSd(values: readonly number[]): MeanAndSd {
  const n = values.length;
  const average = mean(values);
  const squares = values.map((value) => (value - average) ** 2);
  return { n, mean: average, sd: n > 1 ? Math.sqrt(sum(squares) / (n - 1)) : NaN };
}

/** NaN for no values. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/**
 * The middle value, or the mean of the two in the middle.
 *
 * @throws {RangeError} If there are no values.
 */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Cannot take the median of no values");
  return percentile(values, 50);
}

/**
 * The value below which so many percent of the values lie, as `numpy.percentile`: interpolated
 * between the two nearest ones.
 *
 * @param values In any order.
 * @param percent 0..100.
 * @returns NaN for no values.
 * @throws {RangeError} If `percent` is out of range.
 */
export function percentile(values: Iterable<number>, percent: number): number {
  if (!(percent >= 0 && percent <= 100)) {
    throw new RangeError(
      `Cannot take a percentile as percent must be in 0..100: current value is ${percent}`,
    );
  }
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length - 1) * percent / 100;
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** Sum of numbers, in their order; 0 of none. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
