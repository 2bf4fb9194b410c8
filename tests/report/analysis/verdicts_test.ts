import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { Verdict } from "../../../report/analysis/comparison.ts";
import { aggregateSeeds } from "../../../report/analysis/seed_aggregates.ts";
import { findPublished } from "../../../report/analysis/study_models.ts";
import { judge } from "../../../report/analysis/verdicts.ts";
import type { ResultRow } from "../../../report/record/result_row.ts";
import { resultRow } from "../result_rows.ts";

/** The verdicts on a model of the study, of these runs. */
function verdictsOn(rows: readonly Partial<ResultRow>[]): {
  accuracy: Verdict;
  f1: Verdict;
  testLoss: Verdict;
  confidence: number;
} {
  const runs = rows.map((row, i) => resultRow({ seed: i + 1, run_id: `r${i + 1}`, ...row }));
  const row = runs.at(-1)!;
  const { verdicts: [verdicts], judged: { confidence } } = judge([{
    row,
    model: findPublished(row.model)!,
    differences: [],
    caveats: [],
    evaluation: null,
    setting: aggregateSeeds(runs)[0],
  }]);
  const on = (name: string) => verdicts!.find(({ metric }) => metric === name)!;
  return { accuracy: on("accuracy"), f1: on("f1"), testLoss: on("test_loss"), confidence };
}

/** Runs with these accuracies, their F1 a hundredth of it. */
function runsOf(accuracies: readonly number[], changes: Partial<ResultRow> = {}) {
  return accuracies.map((accuracy, i) => ({
    ...{ accuracy, f1: accuracy / 100, test_loss: 0.02 + i / 1000 },
    ...changes,
  }));
}

Deno.test("judge() takes Student's prediction interval over seeds that are apart", () => {
  const { accuracy, f1, confidence } = verdictsOn(runsOf([99.1, 99.2, 99.15]));
  assertAlmostEquals(confidence, 1 - 0.05 / 3, 1e-15);
  // scipy.stats.t.ppf(1 - 0.05 / 6, 2), which has a closed form with 2 degrees of freedom.
  const p = 1 - 0.05 / 6;
  const t = (2 * p - 1) / Math.sqrt(2 * p * (1 - p));
  const reach = t * 0.05 * Math.sqrt(1 + 1 / 3);
  assertAlmostEquals(reach, 0.4416, 1e-4);
  assertAlmostEquals(accuracy.interval!.low, 99.15 - reach, 1e-6);
  assertAlmostEquals(accuracy.interval!.high, 99.15 + reach, 1e-6);
  assertAlmostEquals(f1.interval!.low, 0.9915 - reach / 100, 1e-8);
  assertEquals([accuracy.verdict, f1.verdict], ["reproduced", "reproduced"]);
});

Deno.test("judge() calls a value different that is beyond the interval of seeds that are apart", () => {
  // 98.5 + 0.4416 is below the published 99.27, and 98.83 + 0.4416 is above it.
  for (const [mean, word] of [[98.5, "differs"], [98.83, "reproduced"]] as const) {
    const { accuracy, f1 } = verdictsOn(runsOf([mean - 0.05, mean + 0.05, mean]));
    assertEquals([accuracy.verdict, f1.verdict], [word, word]);
  }
});

/** How far apart two seeds are whose interval of 95 % for one more run reaches so far to either side. */
function apartBy(reach: number): number {
  // A standard deviation of √2/2 times the distance; 95 % of t of 1 degree of freedom are within 12.7.
  const t = Math.tan(Math.PI * (0.5 - 0.05 / 2));
  return reach / (t * Math.sqrt(1 + 1 / 2)) * Math.SQRT2;
}

Deno.test("judge() has too few seeds where the interval reaches too far to either side", () => {
  for (
    const [distance, word] of [[0.99, "reproduced"], [1.01, "too few seeds to judge"]] as const
  ) {
    const off = distance * apartBy(2) / 2;
    // Below 98 % nothing is cut off at 100 %.
    const { accuracy, f1, testLoss } = verdictsOn(runsOf([97.9 - off, 97.9 + off]));
    assertEquals([accuracy, f1, testLoss].map(({ verdict }) => verdict), [word, word, word]);
  }
});

Deno.test("judge() still calls a value different that lies outside an interval that is too wide", () => {
  const { accuracy, f1, testLoss } = verdictsOn(runsOf([90, 91, 90.5]));
  assertEquals([accuracy, f1, testLoss].map(({ verdict }) => verdict), [
    "differs",
    "differs",
    "reproduced",
  ]);
});

Deno.test("judge() lets the guesses of an untrained head be further apart", () => {
  const head = {
    ...{ part: 2, model: "FasterRCNN_Adapted", test_loss: 0, training_time_s: null },
    ...{ train_images: null, epochs: null, batch_size: null, learning_rate: null },
    ...{ weight_decay: null },
  };
  // Ten times as far; below, what would be less than nothing is cut off.
  for (
    const [distance, word] of [[0.99, "reproduced"], [1.01, "too few seeds to judge"]] as const
  ) {
    const off = distance * apartBy(20) / 2;
    const guesses = runsOf([11.35 - off, 11.35 + off], head);
    const { accuracy } = verdictsOn(guesses.map((row) => ({ ...row, test_loss: 0 })));
    assertEquals(accuracy.verdict, word);
  }
});

Deno.test("judge() has too few seeds where those of F1 alone are too far apart", () => {
  for (
    const [f1, word] of [
      [[0.9926, 0.9928], "reproduced"],
      [[0.96, 1], "too few seeds to judge"],
    ] as const
  ) {
    const runs = runsOf([99.26, 99.28]).map((row, i) => ({ ...row, f1: f1[i]! }));
    assertEquals(verdictsOn(runs).accuracy.verdict, word);
  }
});

Deno.test("judge() takes seeds of equal accuracy as whole images are rounded", () => {
  const { accuracy, f1 } = verdictsOn(runsOf([99.26, 99.26]));
  // scipy.stats.t.ppf(1 - 0.05 / 6, 1) is a tangent.
  const t = Math.tan(Math.PI * (0.5 - 0.05 / 6));
  const reach = t * 0.01 / Math.sqrt(12) * Math.sqrt(1 + 1 / 2);
  assertAlmostEquals(accuracy.interval!.low, 99.26 - reach, 1e-6);
  assertAlmostEquals(accuracy.interval!.high, 99.26 + reach, 1e-6);
  assertEquals([accuracy.verdict, f1.verdict], ["reproduced", "reproduced"]);
});

Deno.test("judge() does not judge by seeds without any spread where no images are known", () => {
  const unknown = { evaluated_images: null, test_images: null, test_loss: 0.03 };
  const { accuracy, f1, testLoss } = verdictsOn(runsOf([99.1, 99.1, 99.1], unknown));
  for (const { verdict, interval, reasons } of [accuracy, f1, testLoss]) {
    assertEquals([verdict, interval], ["not comparable", null]);
    assertEquals(reasons, ["seeds without any spread, so no interval"]);
  }
});
