import { assertAlmostEquals, assertEquals } from "@std/assert";
import { scorePredictions } from "../../../report/analysis/test_scores.ts";

Deno.test("scorePredictions() counts predictions that are correct, wrong and missing", () => {
  const scored = scorePredictions({
    targets: [0, 0, 1, 1, 1, 2],
    predictions: [0, 1, 1, -1, 1, 0],
    scores: [0.9, 0.6, 0.5, NaN, 0.7, 0.8],
  });
  const { images, evaluated, undetected, correct, accuracy, f1 } = scored;
  assertEquals([images, evaluated, undetected, correct, accuracy], [6, 5, 1, 3, 60]);
  assertEquals(scored.confusion, [[1, 1, 0], [0, 2, 0], [1, 0, 0]]);
  // Class 0: recall 1/2, precision 1/2; class 1: recall 1, precision 2/3.
  assertEquals(scored.classes.map(({ f1 }) => f1), [0.5, 0.8, 0]);
  assertAlmostEquals(f1, (2 * 0.5 + 2 * 0.8) / 5, 1e-15);
  assertEquals(scored.classes[1], {
    label: 1,
    support: 2,
    precision: 2 / 3,
    recall: 1,
    f1: 0.8,
  });
  assertEquals(scored.largestClass, { label: 0, share: 40 });
  assertEquals(scored.favourite, { label: 1, share: 60 });
  assertEquals(scored.mistakes, [
    { index: 5, target: 2, prediction: 0, score: 0.8 },
    { index: 1, target: 0, prediction: 1, score: 0.6 },
  ]);
});

Deno.test("scorePredictions() of a detector whose head was trained counts misses as wrong", () => {
  const scored = scorePredictions({
    targets: [0, 0, 1, 1, 1, 2],
    predictions: [0, 1, 1, -1, 1, 0],
    scores: [0.9, 0.6, 0.5, NaN, 0.7, 0.8],
  }, { part: 2, epochs: 3 });
  const { images, evaluated, undetected, correct, accuracy, f1, accuracyInterval } = scored;
  assertEquals([images, evaluated, undetected, correct, accuracy], [6, 6, 1, 3, 50]);
  // sklearn's f1_score(average="weighted") with a fourth class for the miss: 1/2, 2/3 and 0.
  assertAlmostEquals(f1, (2 * 0.5 + 3 * 2 / 3) / 6, 1e-15);
  assertEquals(scored.classes.map(({ support, recall }) => [support, recall]), [
    [2, 0.5],
    [3, 2 / 3],
    [1, 0],
  ]);
  // statsmodels' proportion_confint(3, 6, method="wilson").
  assertAlmostEquals(accuracyInterval.low, 18.76163065, 1e-6);
  assertAlmostEquals(accuracyInterval.high, 81.23836935, 1e-6);
  // What was confused is that of the images with a prediction.
  assertEquals(scored.confusion, [[1, 1, 0], [0, 2, 0], [1, 0, 0]]);
  assertEquals(scored.favourite, { label: 1, share: 60 });
});

Deno.test("scorePredictions() of a model that detects nothing", () => {
  const scored = scorePredictions({ targets: [3], predictions: [-1], scores: [NaN] });
  const { evaluated, undetected, accuracy, f1, accuracyInterval, chanceBand } = scored;
  assertEquals([evaluated, undetected, accuracy, f1], [0, 1, 0, 0]);
  assertEquals(accuracyInterval, { low: 0, high: 100 });
  assertEquals(chanceBand, { low: 0, high: 100 });
});
