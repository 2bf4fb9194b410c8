/**
 * Curves drawn with characters.
 *
 * @module
 */

import { plot } from "simple-ascii-chart";

/** A point of a curve: an epoch, and its value. */
export type CurvePoint = [epoch: number, value: number];

const HEIGHT = 8;

/** Ticks on the axis of the epochs, at most. */
const TICKS = 10;

/** Room for the numbers beside a curve. */
const MARGIN = 12;

/** From here on numbers beside a curve have powers of ten, or they would not fit there. */
const MANY_DIGITS = 1e6;

/** The largest float32, which all that a training measures is at some time. */
const LARGEST = 3.4028234663852886e38;

/** Whether a point is none of any training, and too far off to be drawn. */
export function isBeyondAll(point: CurvePoint): boolean {
  return point.some((number) => Number.isFinite(number) && Math.abs(number) > LARGEST);
}

/**
 * A curve over epochs, lines of at most `width` columns; none of fewer than two points.
 *
 * @param points By epoch; those that are not finite, or {@linkcode isBeyondAll}, are left out.
 */
export function drawCurve(
  title: string,
  points: readonly CurvePoint[],
  { digits, width }: { digits: number; width: number },
): string[] {
  const finite = points.filter((point) => point.every(Number.isFinite) && !isBeyondAll(point));
  if (finite.length < 2) return [];
  const step = Math.ceil(finite.length / TICKS);
  const picture = plot(finite, {
    title,
    width: Math.max(20, Math.min(60, width - MARGIN)),
    height: HEIGHT,
    customXAxisTicks: finite.filter((_, i) => i % step === 0).map(([epoch]) => epoch),
    formatter: (value, { axis }) => {
      if (Math.abs(value) >= MANY_DIGITS) return value.toExponential(1);
      return axis === "x" ? value : value.toFixed(digits);
    },
  });
  return picture.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
}
