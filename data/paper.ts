/**
 * The brightness of what a digit is written on, where light falls on it unevenly: a surface of second
 * degree through the pixels that are no ink.
 *
 * @module
 */

import { closed, median, movingMean, movingMedian } from "./moving_windows.ts";
import { type GreyPicture, shrunk } from "./grey_picture.ts";

/** A larger picture is made smaller for the fit, which averages noise away. */
const FIT_SIDE = 64;

/** About as many pixels say how much noise there is, evenly spread. */
const NOISE_POINTS = 4096;

/** Share of the picture's longer side that its frame is wide, where ink is least likely. */
const FRAME = 0.06;

/** Numbers of terms of the fits, one after the other: what is ink is known before the surface bends. */
const TERMS = [3, 3, 3, 3, 3, 6, 6, 6, 6, 6];

/** Standard deviations of the paper's pixels beyond which one is ink (Tukey's biweight). */
const TUKEY = 4.685;

/**
 * The share of deviations by which their spread is measured, and a normal distribution's standard
 * deviation over that quantile of its absolute values: up to three quarters may be ink.
 */
const QUANTILE = 0.25;
const QUANTILE_TO_SIGMA = 1 / 0.3186;

/** What two levels of grey that should be equal may differ by. */
const LEAST_SIGMA = 1;

/** Keeps terms that few pixels decide close to 0, a share of the pixels' weight. */
const RIDGE = 1e-3;

/** One pixel of the fit: its value and the terms at its place. */
interface Point {
  value: number;
  terms: number[];
  inFrame: boolean;
}

/** What a picture is drawn on, as it was fitted. */
export interface Paper {
  /** `[height * width]`, the brightness that each pixel would have without ink. */
  brightness: Float32Array;
  /** Standard deviation of the paper's own pixels around it, in levels of grey. */
  sigma: number;
}

/** A larger picture is made smaller for the medians of halves of it. */
const ROUGH_SIDE = 24;
const ROUGH_RADIUS = 5;

/** Share of the picture's longer side that no stroke is as wide as, and every shadow is. */
const STROKE = 0.4;

/** Pixels of the longer side for each pixel of radius in which noise is averaged away. */
const SMOOTH_EVERY = 128;

/**
 * A picture made smaller, and its paper where a shadow may end on it: what most of the pixels around
 * have beyond the surface.
 */
export function roughPaper(
  picture: GreyPicture,
  { brightness }: Paper,
): { pixels: ArrayLike<number>; paper: Float32Array } {
  const small = shrunk(picture, ROUGH_SIDE);
  const surface = shrunk({ ...picture, pixels: brightness }, ROUGH_SIDE);
  const values = Float32Array.from(small.pixels, (grey, i) => grey - surface.pixels[i]!);
  const beyond = movingMedian({ width: small.width, values }, ROUGH_RADIUS);
  return { pixels: small.pixels, paper: beyond.map((grey, i) => grey + surface.pixels[i]!) };
}

/**
 * The paper of a picture with shadows that may be sharp: what is left when strokes are closed. Of their
 * sides no more than one is dark, so that a shadow's edge stays where it is.
 *
 * @param ink Whether strokes are darker or lighter than it.
 */
export function localPaper(picture: GreyPicture, surface: Paper, ink: "dark" | "light"): Paper {
  const { width, height, pixels } = picture;
  const longer = Math.max(width, height);
  const sign = ink === "dark" ? 1 : -1;
  const beyond = Float32Array.from(pixels, (grey, i) => sign * (grey - surface.brightness[i]!));
  const smooth = movingMean({ width, values: beyond }, Math.ceil(longer / SMOOTH_EVERY));
  const paper = closed({ width, values: smooth }, Math.ceil(STROKE / 2 * longer));
  // Noise lifts what is closed: most pixels are paper, and by as much as these.
  const lift = median(paper.map((grey, i) => grey - smooth[i]!));
  const brightness = paper.map((grey, i) =>
    Math.min(255, Math.max(0, surface.brightness[i]! + sign * (grey - lift)))
  );
  return { brightness, sigma: noiseOf(picture, brightness) };
}

/** Fits the paper of a picture, dark or light. */
export function fitPaper(picture: GreyPicture): Paper {
  const points = pointsOf(shrunk(picture, FIT_SIDE));
  const frame = points.filter(({ inFrame }) => inFrame);
  let surface = [densest(frame.map(({ value }) => value))];
  let sigma = LEAST_SIGMA;
  for (const terms of TERMS) {
    const residuals = points.map((point) => point.value - at(surface, point.terms));
    const near = points.flatMap(({ inFrame }, i) => (inFrame ? [Math.abs(residuals[i]!)] : []));
    sigma = Math.max(LEAST_SIGMA, spread(near));
    const weights = residuals.map((residual) => biweight(residual / (TUKEY * sigma)));
    surface = fitted(points, weights, terms) ?? surface;
  }
  const brightness = brightnessOf(picture, surface);
  return { brightness, sigma: noiseOf(picture, brightness) };
}

/** The spread of the pixels around the paper, which is 0 where they were drawn by a program. */
function noiseOf({ pixels }: GreyPicture, brightness: Float32Array): number {
  const step = Math.floor(brightness.length / NOISE_POINTS) | 1;
  const deviations: number[] = [];
  for (let i = 0; i < brightness.length; i += step) {
    deviations.push(Math.abs(pixels[i]! - brightness[i]!));
  }
  return spread(deviations);
}

/** The surface at every pixel. */
function brightnessOf({ width, height }: GreyPicture, surface: readonly number[]): Float32Array {
  const [constant = 0, x1 = 0, y1 = 0, x2 = 0, xy = 0, y2 = 0] = surface;
  const brightness = new Float32Array(width * height);
  for (let row = 0, i = 0; row < height; row++) {
    const y = place(row, height);
    const start = constant + (y1 + y2 * y) * y;
    const slope = x1 + xy * y;
    for (let column = 0; column < width; column++, i++) {
      const x = place(column, width);
      brightness[i] = Math.min(255, Math.max(0, start + (slope + x2 * x) * x));
    }
  }
  return brightness;
}

function pointsOf(picture: GreyPicture): Point[] {
  const { width, height, pixels } = picture;
  const edge = Math.max(1, FRAME * Math.max(width, height));
  return Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return {
      value: pixels[i]!,
      terms: termsAt(picture, x, y),
      inFrame: Math.min(x, y, width - 1 - x, height - 1 - y) < edge,
    };
  });
}

/** The terms 1, x, y, x², xy, y² of a place, x and y in −1..1. */
function termsAt({ width, height }: GreyPicture, column: number, row: number): number[] {
  const [x, y] = [place(column, width), place(row, height)];
  return [1, x, y, x * x, x * y, y * y];
}

/** Where a pixel is along a side: −1 at one end, 1 at the other. */
function place(index: number, length: number): number {
  return length > 1 ? 2 * index / (length - 1) - 1 : 0;
}

/** The surface at a place. */
function at(surface: readonly number[], terms: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < surface.length; i++) sum += surface[i]! * terms[i]!;
  return sum;
}

function biweight(u: number): number {
  return Math.abs(u) < 1 ? (1 - u * u) ** 2 : 0;
}

/** Weighted least squares; `undefined` where no pixel has any weight. */
function fitted(
  points: readonly Point[],
  weights: readonly number[],
  count: number,
): number[] | undefined {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return undefined;
  const matrix = Array.from({ length: count }, () => new Array<number>(count + 1).fill(0));
  for (const [i, { value, terms }] of points.entries()) {
    for (let row = 0; row < count; row++) {
      const weighted = weights[i]! * terms[row]!;
      for (let column = 0; column < count; column++) {
        matrix[row]![column]! += weighted * terms[column]!;
      }
      matrix[row]![count]! += weighted * value;
    }
  }
  for (let row = 1; row < count; row++) matrix[row]![row]! += RIDGE * total;
  return solved(matrix);
}

/** Solves a symmetric positive definite system `[n, n + 1]` by elimination, in place. */
function solved(matrix: number[][]): number[] {
  const n = matrix.length;
  for (let pivot = 0; pivot < n; pivot++) {
    const row = matrix[pivot]!;
    for (const other of matrix) {
      if (other === row) continue;
      const factor = other[pivot]! / row[pivot]!;
      for (let i = pivot; i <= n; i++) other[i]! -= factor * row[i]!;
    }
  }
  return matrix.map((row, i) => row[n]! / row[i]!);
}

/** Standard deviation of what most of these deviations are of; 0 if there are none. */
function spread(deviations: readonly number[]): number {
  const sorted = Float64Array.from(deviations).sort();
  return QUANTILE_TO_SIGMA * (sorted[Math.floor(QUANTILE * sorted.length)] ?? 0);
}

/** The value that most lie close to: of the narrower half the narrower half, and so on. */
function densest(values: readonly number[]): number {
  let sorted = Float64Array.from(values).sort();
  while (sorted.length > 2) {
    const half = Math.ceil(sorted.length / 2);
    let start = 0;
    let narrowest = Infinity;
    for (let i = 0; i + half <= sorted.length; i++) {
      const width = sorted[i + half - 1]! - sorted[i]!;
      if (width < narrowest) [start, narrowest] = [i, width];
    }
    sorted = sorted.slice(start, start + half);
  }
  return sorted.reduce((sum, value) => sum + value / sorted.length, 0);
}
