/**
 * How far apart the scores of a setting's seeds are, as intervals and tests take it. A score of n images
 * is rounded to whole images, so that seeds of equal scores may be apart by as much as that.
 *
 * @module
 */

import type { MeanAndSd } from "../../metrics/descriptive_statistics.ts";

/** A standard deviation below this is what adding up has left of values that are all alike. */
const NO_SPREAD = 1e-9;

/**
 * By how much one image moves a score; `null` where the number of images is not known.
 *
 * @param whole The score of all images correct: 100 for percent, 1 for F1.
 */
export function imageStep(images: number | null | undefined, whole: 1 | 100 = 100): number | null {
  return images != null && images > 0 ? whole / images : null;
}

/**
 * The scores with a standard deviation of no less than step/√12, that of a rounding error which is
 * uniform over one step.
 *
 * @param step By how much one image moves a score; `null` if that is not known, or there is no such
 *   step.
 * @returns `null` for fewer than two seeds, and for seeds that are all alike where no step is known.
 */
export function seedSpread(scores: MeanAndSd, step: number | null): MeanAndSd | null {
  if (scores.n < 2) return null;
  if (step === null) return scores.sd >= NO_SPREAD ? scores : null;
  return { ...scores, sd: Math.max(scores.sd, step / Math.sqrt(12)) };
}
