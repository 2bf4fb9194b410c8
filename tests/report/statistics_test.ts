import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { describeModel, parameterCount } from "../../report/architectures.ts";
import { bootstrapF1, confusionF1 } from "../../report/analysis/bootstrap.ts";
import { evaluatePredictions } from "../../report/analysis/evaluation.ts";
import { meanAndDeviation } from "../../report/analysis/settings.ts";
import {
  guessingInterval,
  holm,
  mcnemarExact,
  predictionInterval,
  wilsonInterval,
} from "../../report/analysis/statistics.ts";
import type { Interval } from "../../report/analysis/comparison.ts";
// Made by tests/reference/report_statistics.py.
import golden from "../fixtures/report_statistics.json" with { type: "json" };

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
    assertInterval(predictionInterval(meanAndDeviation(values)), expected);
  }
  assertEquals(predictionInterval(meanAndDeviation([1])), null);
  assertEquals(predictionInterval(meanAndDeviation([])), null);
});

Deno.test("bootstrapF1() equals scipy's percentile bootstrap but for the draws", () => {
  for (const { confusion, f1, low, high } of golden.bootstrap) {
    assertClose(confusionF1(confusion), f1);
    // Five standard errors of a percentile from 2000 draws and one from scipy's 4000.
    const tolerance = 0.1 * (high - low);
    const interval = bootstrapF1(confusion);
    assertAlmostEquals(interval.low, low, tolerance);
    assertAlmostEquals(interval.high, high, tolerance);
    assertEquals(bootstrapF1(confusion), interval, "the draws are seeded");
  }
});

Deno.test("bootstrapF1() of a perfect and of no confusion matrix", () => {
  assertEquals(bootstrapF1([[5, 0], [0, 7]]), { low: 1, high: 1 });
  assertEquals(bootstrapF1([[0, 0], [0, 0]]), { low: 0, high: 1 });
  assertEquals(bootstrapF1([]), { low: 0, high: 1 });
  assertEquals(confusionF1([]), 0);
});

Deno.test("parameterCount() equals torch's and torchvision's counts", () => {
  for (const [model, count] of Object.entries(golden.parameters)) {
    assertEquals(parameterCount(model), count, model);
    assert(describeModel(model) !== "");
  }
  assertEquals(parameterCount("Another"), null);
  assertEquals(describeModel("Another"), "");
});

Deno.test("evaluatePredictions() counts what was read, rightly and not at all", () => {
  const evaluation = evaluatePredictions({
    targets: [0, 0, 1, 1, 1, 2],
    predictions: [0, 1, 1, -1, 1, 0],
    scores: [0.9, 0.6, 0.5, NaN, 0.7, 0.8],
  });
  const { images, evaluated, undetected, correct, accuracy, f1 } = evaluation;
  assertEquals([images, evaluated, undetected, correct, accuracy], [6, 5, 1, 3, 60]);
  assertEquals(evaluation.confusion, [[1, 1, 0], [0, 2, 0], [1, 0, 0]]);
  // Of class 0 half is read and half of what is called 0 is; of class 1 all is, and 2 of 3.
  assertEquals(evaluation.classes.map(({ f1 }) => f1), [0.5, 0.8, 0]);
  assertAlmostEquals(f1, (2 * 0.5 + 2 * 0.8) / 5, 1e-15);
  assertEquals(evaluation.classes[1], {
    label: 1,
    support: 2,
    precision: 2 / 3,
    recall: 1,
    f1: 0.8,
  });
  assertEquals(evaluation.largestClass, { label: 0, share: 40 });
  assertEquals(evaluation.favourite, { label: 1, share: 60 });
  assertEquals(evaluation.misread, [
    { index: 5, target: 2, prediction: 0, score: 0.8 },
    { index: 1, target: 0, prediction: 1, score: 0.6 },
  ]);
});

Deno.test("evaluatePredictions() of a model that detects nothing", () => {
  const evaluation = evaluatePredictions({ targets: [3], predictions: [-1], scores: [NaN] });
  const { evaluated, undetected, accuracy, f1, accuracyInterval, chanceBand } = evaluation;
  assertEquals([evaluated, undetected, accuracy, f1], [0, 1, 0, 0]);
  assertEquals(accuracyInterval, { low: 0, high: 100 });
  assertEquals(chanceBand, { low: 0, high: 100 });
});
