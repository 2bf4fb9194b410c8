import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { classCounts, weightedMeanF1 } from "../../../metrics/classification.ts";
import { meanAndSd } from "../../../metrics/descriptive_statistics.ts";
import type { Interval } from "../../../report/analysis/comparison.ts";
import {
  bootstrapF1,
  guessingInterval,
  holm,
  mcnemarExact,
  oneMoreScore,
  oneMoreShare,
  predictionInterval,
  wilsonInterval,
} from "../../../report/analysis/statistics.ts";
// Made by tests/reference/report_statistics.py.
import golden from "../../fixtures/report_statistics.json" with { type: "json" };

/** The distributions are good to about eight digits. */
const RELATIVE = 1e-6;

function assertClose(actual: number, expected: number, relative = RELATIVE): void {
  assertAlmostEquals(actual, expected, Math.abs(expected) * relative + 1e-12);
}

function assertInterval(actual: Interval | null, expected: Interval): void {
  assert(actual !== null);
  assertClose(actual.low, expected.low);
  assertClose(actual.high, expected.high);
}

Deno.test("wilsonInterval() equals statsmodels' proportion_confint", () => {
  for (const { successes, trials, ...expected } of golden.wilson) {
    assertInterval(wilsonInterval(successes, trials), expected);
  }
  assertEquals(wilsonInterval(0, 10).low, 0);
  assertEquals(wilsonInterval(10, 10).high, 1);
  assertEquals(wilsonInterval(0, 0), { low: 0, high: 1 });
});

Deno.test("oneMoreShare() solves for the share that is z·√2 standard errors away", () => {
  const z = 1.959963984540054;
  for (const [correct, images] of [[9927, 10_000], [9, 10], [1135, 10_000]] as const) {
    const { low, high } = oneMoreShare(correct, images);
    for (const share of [low, high]) {
      const distance = Math.abs(correct / images - share);
      assertClose(distance, z * Math.SQRT2 * Math.sqrt(share * (1 - share) / images));
    }
  }
  // statsmodels' proportion_confint(4963.5, 5000, 0.05, method="wilson").
  assertClose(oneMoreShare(9927, 10_000).low, 0.9899336, 1e-6);
  assertEquals(oneMoreShare(10, 10).high, 1);
  assertEquals(oneMoreShare(0, 0), { low: 0, high: 1 });
});

Deno.test("oneMoreScore() is √2 times as far from the score, and possible", () => {
  const { low, high } = oneMoreScore(0.99, { low: 0.98, high: 0.995 });
  assertClose(low, 0.99 - 0.01 * Math.SQRT2);
  assertClose(high, 0.99 + 0.005 * Math.SQRT2);
  assertEquals(oneMoreScore(0.5, { low: 0.1, high: 0.9 }), { low: 0, high: 1 });
});

Deno.test("of two runs as chance has them, one is beyond the other's oneMoreShare() in 5 % at most", () => {
  const [images, wrong, pairs] = [10_000, 0.008, 10_000];
  const random = xoroshiro128plus(1);
  // From one wrong image to the next, so that there are few draws.
  const skip = () =>
    1 + Math.floor(Math.log((1 + (random.next() >>> 0)) / 2 ** 32) / Math.log(1 - wrong));
  const run = () => {
    let correct = images;
    for (let image = skip() - 1; image < images; image += skip()) correct--;
    return correct;
  };
  const beyond = { oneMoreShare: 0, wilsonInterval: 0 };
  // As the study prints, by which it is judged.
  const percent = (share: number) => Number((100 * share).toFixed(2));
  for (let i = 0; i < pairs; i++) {
    const [ours, theirs] = [run(), percent(run() / images)];
    for (const [name, interval] of Object.entries({ oneMoreShare, wilsonInterval })) {
      const { low, high } = interval(ours, images);
      const isInside = percent(low) <= theirs && theirs <= percent(high);
      if (!isInside) beyond[name as keyof typeof beyond]++;
    }
  }
  assert(beyond.oneMoreShare <= 0.05 * pairs, String(beyond.oneMoreShare));
  assert(beyond.oneMoreShare >= 0.03 * pairs, String(beyond.oneMoreShare));
  // That of the truth is too narrow for another run, by far.
  assert(beyond.wilsonInterval >= 0.12 * pairs, String(beyond.wilsonInterval));
});

Deno.test("mcnemarExact() equals statsmodels' mcnemar", () => {
  for (const { onlyFirst, onlySecond, p } of golden.mcnemar) {
    assertClose(mcnemarExact(onlyFirst, onlySecond), p);
  }
  assertEquals(mcnemarExact(0, 0), 1);
});

Deno.test("holm() equals statsmodels' multipletests", () => {
  for (const { p, holm: expected } of golden.holm) {
    for (const [i, value] of holm(p).entries()) assertClose(value, expected[i]!);
  }
  assertEquals(holm([]), []);
});

Deno.test("guessingInterval() equals scipy's binomial quantiles", () => {
  for (const { support, ...expected } of golden.guessing) {
    assertEquals(guessingInterval(support), expected);
  }
  assertEquals(guessingInterval([0, 0]), { low: 0, high: 1 });
});

Deno.test("predictionInterval() equals scipy's t interval for one more value", () => {
  for (const { values, ...expected } of golden.prediction) {
    assertInterval(predictionInterval(meanAndSd(values)), expected);
  }
  assertEquals(predictionInterval(meanAndSd([1])), null);
  assertEquals(predictionInterval(meanAndSd([])), null);
});

Deno.test("bootstrapF1() equals scipy's percentile bootstrap but for the draws", () => {
  for (const { confusion, f1, low, high } of golden.bootstrap) {
    assertClose(weightedMeanF1(classCounts(confusion)), f1);
    // Five standard errors of a percentile from 2000 draws and one from scipy's 4000.
    const tolerance = 0.1 * (high - low);
    const interval = bootstrapF1(confusion);
    assertAlmostEquals(interval.low, low, tolerance);
    assertAlmostEquals(interval.high, high, tolerance);
    assertEquals(bootstrapF1(confusion), interval, "the draws are seeded");
  }
});

Deno.test("intervals of another confidence equal statsmodels' and scipy's", () => {
  const { confidence, wilson, prediction, bootstrap } = golden.confident;
  assertInterval(wilsonInterval(wilson.successes, wilson.trials, confidence), wilson);
  assertInterval(predictionInterval(meanAndSd(prediction.values), confidence), prediction);
  for (const [i, { confusion }] of golden.bootstrap.entries()) {
    const [usual, wide] = [bootstrapF1(confusion), bootstrapF1(confusion, confidence)];
    assert(wide.low < usual.low && usual.high < wide.high);
    // Of 12,800 draws 40 are beyond each end, of scipy's 20,000 some 60: two standard errors.
    const { low, high } = bootstrap[i]!;
    const tolerance = 0.025 * (high - low);
    assertAlmostEquals(wide.low, low, tolerance);
    assertAlmostEquals(wide.high, high, tolerance);
  }
});

Deno.test("bootstrapF1() of a perfect and of no confusion matrix", () => {
  assertEquals(bootstrapF1([[5, 0], [0, 7]]), { low: 1, high: 1 });
  assertEquals(bootstrapF1([[0, 0], [0, 0]]), { low: 0, high: 1 });
  assertEquals(bootstrapF1([]), { low: 0, high: 1 });
  assertEquals(weightedMeanF1(classCounts([])), 0);
});
