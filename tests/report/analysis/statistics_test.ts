import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { classCounts, weightedMeanF1 } from "../../../metrics/classification.ts";
import { meanAndSd } from "../../../metrics/descriptive_statistics.ts";
import type { Interval } from "../../../report/analysis/comparison.ts";
import {
  bootstrapF1,
  guessingInterval,
  holm,
  mcnemarExact,
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
  const { confidence, wilson, prediction } = golden.confident;
  assertInterval(wilsonInterval(wilson.successes, wilson.trials, confidence), wilson);
  assertInterval(predictionInterval(meanAndSd(prediction.values), confidence), prediction);
  for (const { confusion } of golden.bootstrap) {
    const [usual, wide] = [bootstrapF1(confusion), bootstrapF1(confusion, confidence)];
    assert(wide.low < usual.low && usual.high < wide.high);
  }
});

Deno.test("bootstrapF1() of a perfect and of no confusion matrix", () => {
  assertEquals(bootstrapF1([[5, 0], [0, 7]]), { low: 1, high: 1 });
  assertEquals(bootstrapF1([[0, 0], [0, 0]]), { low: 0, high: 1 });
  assertEquals(bootstrapF1([]), { low: 0, high: 1 });
  assertEquals(weightedMeanF1(classCounts([])), 0);
});
