/**
 * Whether a model is more accurate than others by more than chance.
 *
 * @module
 */

import type { MeanAndSd } from "../../metrics/descriptive_statistics.ts";
import type { PairTest } from "./comparison.ts";
import { meanAccuracyOfAll, type ShownModel } from "./rankings.ts";
import { imageStep, seedSpread } from "./seed_spread.ts";
import { holm, meanDifference, welchTest } from "./statistics.ts";

/** A model against another. */
export interface RivalTest {
  rival: ShownModel;
  /** Percentage points by which the rival is behind, the means over the seeds; negative if ahead. */
  behind: number;
  /** What was tested, in words; `""` if nothing could be. */
  test: string;
  /** After Holm's correction for the number of rivals; NaN without a test. */
  p: number;
}

/**
 * Tests a model against each of some rivals that were tested on the same images: by Welch's test over
 * the seeds, which is about the ways of training, or where a side has one seed by McNemar's between the
 * two runs shown, which is about these two networks.
 */
export function testRivals(
  model: ShownModel,
  rivals: readonly ShownModel[],
  pairs: readonly PairTest[],
): RivalTest[] {
  const tests = rivals.map((rival) => testDifference(model, rival, pairs));
  const corrected = holm(tests.map(({ p }) => Number.isNaN(p) ? 1 : p));
  return rivals.map((rival, i) => ({
    rival,
    behind: meanAccuracyOfAll(model) - meanAccuracyOfAll(rival),
    test: tests[i]!.test,
    p: Number.isNaN(tests[i]!.p) ? NaN : corrected[i]!,
  }));
}

/** The accuracies over the seeds, of all images; `null` of one seed. */
function spreadOf({ settings: [setting] }: ShownModel): MeanAndSd | null {
  if (setting === undefined) return null;
  return seedSpread(setting.accuracyOfAll, imageStep(setting.newest.test_images));
}

function testDifference(
  first: ShownModel,
  second: ShownModel,
  pairs: readonly PairTest[],
): { test: string; p: number } {
  const [a, b] = [spreadOf(first), spreadOf(second)];
  const means = a && b && meanDifference(a, b);
  if (means !== null) {
    return { test: `Welch's test over ${a!.n} and ${b!.n} seeds`, p: welchTest(means) };
  }
  const pair = pairs.find(({ models }) =>
    models.includes(first.model) && models.includes(second.model)
  );
  return pair === undefined
    ? { test: "", p: NaN }
    : { test: "McNemar's test of one run each", p: pair.p };
}
