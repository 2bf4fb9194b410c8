/**
 * Where a picture has ink and how much of it: uneven light, noise, specks and what reaches in from the
 * edge are told apart from what is written.
 *
 * @module
 */

import type { Box, GreyPicture } from "./grey_picture.ts";
import { median, movingMean } from "./moving_windows.ts";
import { fitPaper, localPaper, roughPaper } from "./paper.ts";

/** Whether ink is darker than what it is on, or lighter. */
export type Ink = "dark" | "light";

/** The ink of a picture. */
export interface InkMap {
  /** `[height * width]`, 0 for none to 1. */
  coverage: Float32Array;
  /** What was taken for ink. */
  ink: Ink;
  /** The smallest box with all of it. */
  box: Box;
}

/** Standard deviations of the paper's noise that count as no ink. */
const NOISE_SIGMAS = 3.5;

/** Least contrast of ink to paper, of the whole range, and in standard deviations of the noise. */
const LEAST_CONTRAST = 0.06;
const LEAST_CONTRAST_SIGMAS = 7;

/** Radius in pixels up to which noise is averaged away where ink does not stand out from it. */
const MOST_BLUR = 3;

/** Coverage from which a pixel belongs to a stroke: where there is noise, and where there is none. */
const FAINT = 0.1;
const FAINT_WITHOUT_NOISE = 1 / 255;

/** Noise, in levels of grey, below which a picture was drawn by a program. */
const NO_NOISE = 0.5;

/** A speck has less ink than this share of the largest stroke. */
const SPECK = 0.04;

/** What reaches in from the edge goes if something within has more than this share of its ink. */
const WITHIN = 0.1;

/**
 * Finds the ink of a picture.
 *
 * @param wanted What counts as ink; `auto` takes what stands out more from the paper.
 * @returns `undefined` if nothing stands out.
 */
export function findInk(picture: GreyPicture, wanted: Ink | "auto"): InkMap | undefined {
  const surface = fitPaper(picture);
  // What a program drew has no shadows.
  const isDrawn = surface.sigma < NO_NOISE;
  const rough = isDrawn ? { ...picture, paper: surface.brightness } : roughPaper(picture, surface);
  const ink = wanted === "auto" ? standsOut(rough) : wanted;
  const { brightness, sigma } = isDrawn ? surface : localPaper(picture, surface, ink);
  const sharp = contrastOf(picture, { brightness, sigma, ink });
  let { contrast, noise } = sharp;
  let strength = strengthOf(contrast);
  for (let radius = 1; strength < LEAST_CONTRAST_SIGMAS * noise && radius <= MOST_BLUR; radius++) {
    contrast = movingMean({ width: picture.width, values: sharp.contrast }, radius);
    noise = spreadOf(contrast);
    strength = strengthOf(contrast);
  }
  if (strength < Math.max(LEAST_CONTRAST, LEAST_CONTRAST_SIGMAS * noise)) return undefined;
  const floor = Math.min(NOISE_SIGMAS * noise, strength / 3);
  const coverage = contrast.map((value) =>
    Math.min(1, Math.max(0, (value - floor) / (strength - floor)))
  );
  const faint = sigma < NO_NOISE ? FAINT_WITHOUT_NOISE : FAINT;
  const box = keepStrokes(picture, coverage, faint);
  return box && { coverage, ink, box };
}

/** Ink is the few pixels that are far from the paper: the sign of their third moment. */
function standsOut({ pixels, paper }: ReturnType<typeof roughPaper>): Ink {
  let skew = 0;
  for (let i = 0; i < paper.length; i++) skew += (pixels[i]! - paper[i]!) ** 3;
  return skew > 0 ? "light" : "dark";
}

/**
 * Each pixel's contrast to the paper, 0..1, and the noise in the same measure. Dark ink lets a share of
 * the light through, so its contrast is relative: in a shadow it is the same.
 */
function contrastOf(
  { pixels }: GreyPicture,
  { brightness, sigma, ink }: { brightness: Float32Array; sigma: number; ink: Ink },
): { contrast: Float32Array; noise: number } {
  const contrast = new Float32Array(brightness.length);
  let range = 0;
  for (let i = 0; i < contrast.length; i++) {
    const paper = brightness[i]!;
    const full = ink === "dark" ? Math.max(paper, 16) : 255;
    contrast[i] = (ink === "dark" ? paper - pixels[i]! : pixels[i]! - paper) / full;
    range += full / contrast.length;
  }
  return { contrast, noise: sigma / range };
}

/** Standard deviation of most of these values, by their median absolute deviation. */
function spreadOf(values: Float32Array): number {
  const middle = median(values.slice());
  return 1.4826 * median(values.map((value) => Math.abs(value - middle)));
}

/** The contrast of full ink: nearly the highest of those that Otsu's threshold sets apart. */
function strengthOf(contrast: Float32Array): number {
  const threshold = otsu(contrast);
  const ink = contrast.filter((value) => value > threshold).sort();
  return ink[Math.floor(0.97 * (ink.length - 1))] ?? 0;
}

/** The threshold that parts values in 0..1 into two groups with the largest variance between them. */
function otsu(values: Float32Array): number {
  const bins = new Float64Array(256);
  for (const value of values) bins[Math.round(255 * Math.min(1, Math.max(0, value)))]!++;
  const total = values.length;
  const sum = bins.reduce((all, count, level) => all + level * count, 0);
  let best = { threshold: 0, variance: 0 };
  let below = 0;
  let sumBelow = 0;
  for (const [level, count] of bins.entries()) {
    below += count;
    sumBelow += level * count;
    if (below === 0 || below === total) continue;
    const difference = sumBelow / below - (sum - sumBelow) / (total - below);
    const variance = below * (total - below) * difference ** 2;
    if (variance > best.variance) best = { threshold: level, variance };
  }
  return best.threshold / 255;
}

/** Pixels that hang together. */
interface Stroke {
  pixels: number[];
  /** The sum of their coverages; 0 if none of them is half covered. */
  ink: number;
  atEdge: boolean;
}

/** Sets the coverage of all but strokes to 0; returns their box, `undefined` if there is none. */
function keepStrokes(
  { width, height }: GreyPicture,
  coverage: Float32Array,
  faint: number,
): Box | undefined {
  const strokes = strokesOf({ width, height }, coverage, faint).filter(({ ink }) => ink > 0);
  const most = (some: readonly Stroke[]) => some.reduce((most, { ink }) => Math.max(most, ink), 0);
  const within = strokes.filter(({ atEdge }) => !atEdge);
  const candidates = most(within) > WITHIN * most(strokes) ? within : strokes;
  const kept = candidates.filter(({ ink }) => ink >= SPECK * most(candidates));
  const isKept = new Uint8Array(coverage.length);
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (const i of kept.flatMap(({ pixels }) => pixels)) {
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
    isKept[i] = 1;
  }
  for (let i = 0; i < coverage.length; i++) if (isKept[i] === 0) coverage[i] = 0;
  return kept.length === 0 ? undefined : { left, top, width: right - left, height: bottom - top };
}

/** Pixels of at least faint coverage, by what hangs together in any of eight directions. */
function strokesOf(
  { width, height }: { width: number; height: number },
  coverage: Float32Array,
  faint: number,
): Stroke[] {
  const seen = new Uint8Array(coverage.length);
  const strokes: Stroke[] = [];
  for (let start = 0; start < coverage.length; start++) {
    if (seen[start] === 1 || coverage[start]! < faint) continue;
    const pixels = [start];
    seen[start] = 1;
    const stroke: Stroke = { pixels, ink: 0, atEdge: false };
    let strongest = 0;
    for (let next = 0; next < pixels.length; next++) {
      const i = pixels[next]!;
      const [x, y] = [i % width, Math.floor(i / width)];
      stroke.ink += coverage[i]!;
      strongest = Math.max(strongest, coverage[i]!);
      stroke.atEdge ||= x === 0 || y === 0 || x === width - 1 || y === height - 1;
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const neighbour = v * width + u;
          if (seen[neighbour] === 1 || coverage[neighbour]! < faint) continue;
          seen[neighbour] = 1;
          pixels.push(neighbour);
        }
      }
    }
    if (strongest < 0.5) stroke.ink = 0;
    strokes.push(stroke);
  }
  return strokes;
}
