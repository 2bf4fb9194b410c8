/**
 * Whether a model is more accurate than others by more than chance.
 *
 * @module
 */

import type { MeanAndSd } from "../../metrics/descriptive_statistics.ts";
import type { PairTest } from "./comparison.ts";
import { meanAccuracyOfAll, type ShownModel } from "./rankings.ts";
import { formatDifference, formatFixed } from "./format_numbers.ts";
import { imageStep, seedSpread } from "./seed_spread.ts";
import { holm, meanDifference, welchTest } from "./statistics.ts";

/** A model against another. */
export interface RivalTest {
  rival: ShownModel;
  /** Percentage points by which the rival is behind, the means over the seeds; negative if ahead. */
  behind: number;
  /** What was tested, in words; `""` if nothing could be. */
  test: string;
  /** The same points of what was tested: the means, or the two runs shown; NaN without a test. */
  tested: number;
  /**
   * After Holm's correction for the number of rivals; NaN without a test, and where the runs that were
   * tested point the other way than the means: that says nothing of them.
   */
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
  const tests = rivals.map((rival) => {
    const behind = meanAccuracyOfAll(model) - meanAccuracyOfAll(rival);
    const found = testDifference(model, rival, pairs);
    const isOfMeans = found.tested === 0 || Math.sign(found.tested) === Math.sign(behind);
    return { rival, behind, ...found, p: isOfMeans ? found.p : NaN };
  });
  const corrected = holm(tests.map(({ p }) => Number.isNaN(p) ? 1 : p));
  return tests.map((test, i) => ({ ...test, p: Number.isNaN(test.p) ? NaN : corrected[i]! }));
}

/**
 * The test in words, with the difference that was tested where it is another than that of the means:
 * `McNemar's test of one run each, vgg16_FineTuned 0.80 points ahead there`.
 */
export function nameTest({ rival, behind, test, tested }: RivalTest): string {
  if (test === "") return "";
  const [points, ofMeans] = [tested, behind].map((value) => formatDifference(value, 2));
  return points === ofMeans
    ? test
    : `${test}, ${rival.model} ${formatFixed(Math.abs(tested), 2)} points ` +
      `${tested < 0 ? "ahead" : "behind"} in these runs`;
}

/** What is said of a test that points the other way than the means. */
export const NOT_OF_MEANS = "contrary to the means, so it decides nothing";

/** The accuracies over the seeds, of all images; `null` of one seed. */
function spreadOf({ settings: [setting] }: ShownModel): MeanAndSd | null {
  if (setting === undefined) return null;
  return seedSpread(setting.accuracyOfAll, imageStep(setting.newest.test_images));
}

function testDifference(
  first: ShownModel,
  second: ShownModel,
  pairs: readonly PairTest[],
): Pick<RivalTest, "test" | "tested" | "p"> {
  const [a, b] = [spreadOf(first), spreadOf(second)];
  const means = a && b && meanDifference(a, b);
  if (means !== null) {
    return {
      test: `Welch's test over ${a!.n} and ${b!.n} seeds`,
      tested: means.difference,
      p: welchTest(means),
    };
  }
  const pair = pairs.find(({ models }) =>
    models.includes(first.model) && models.includes(second.model)
  );
  if (pair === undefined) return { test: "", tested: NaN, p: NaN };
  const { models, images, onlyFirst, onlySecond, p } = pair;
  const tested = 100 * (onlyFirst - onlySecond) / images * (models[0] === first.model ? 1 : -1);
  return { test: "McNemar's test of one run each", tested, p };
}
