/** What the case `recipes` makes of trained models, and how it is judged. */

import { assertAlmostEquals, assertEquals } from "@std/assert";
import { recipeMeasurements } from "../../bench/recipe_runs.ts";
import { RECIPE_TARGETS } from "../../bench/recipe_targets.ts";
import { meanAndSd } from "../../metrics/descriptive_statistics.ts";
import { meanAboveTest } from "../../report/analysis/statistics.ts";
import type { BenchResults } from "../../report/record/bench_results.ts";

const ACCURACIES = [99.31, 99.4, 99.25, 99.33];

Deno.test("meanAboveTest() equals scipy's one-sided ttest_1samp", () => {
  const sample = meanAndSd(ACCURACIES);
  assertAlmostEquals(meanAboveTest(sample, 99.27), 0.0940602021870712, 1e-7);
  assertAlmostEquals(meanAboveTest(sample, 99.4), 0.9563856324278494, 1e-7);
  assertEquals(meanAboveTest(meanAndSd([99.5]), 99.27), NaN);
});

Deno.test("the fast recipe is judged by a t-test and by its share of the published time", () => {
  const judged = (accuracies: readonly number[], seconds: number) => {
    const runs = accuracies.map((accuracy, seed) => ({ accuracy, seconds, seed }));
    const measures = recipeMeasurements(
      new Map([
        ["published", [{ accuracy: 99.2, seconds: 100, seed: 1 }]],
        ["fast", runs],
      ]),
    );
    return RECIPE_TARGETS.slice(0, 2).map(({ find, met }) => {
      const found = find({ measures } as unknown as BenchResults)!;
      return [found.text, met(found.value)];
    });
  };
  assertEquals(judged([99.4, 99.39, 99.41], 9), [["p < 0.001", true], ["0.090", true]]);
  assertEquals(judged([99.1, 99.5, 99.2], 9.2), [["p = 0.510", false], ["0.092", false]]);
});

Deno.test("the accurate recipe is judged by its mean and by the published recipe's time", () => {
  const judged = (accuracies: readonly number[], seconds: number) => {
    const measures = recipeMeasurements(
      new Map([
        ["published", [{ accuracy: 99.2, seconds: 100, seed: 1 }]],
        ["accurate", accuracies.map((accuracy, seed) => ({ accuracy, seconds, seed }))],
      ]),
    );
    return RECIPE_TARGETS.slice(2).map(({ find, met }) => {
      const found = find({ measures } as unknown as BenchResults)!;
      return [found.text, met(found.value)];
    });
  };
  assertEquals(judged([99.5, 99.7], 100), [["99.60 %", true], ["1.000", true]]);
  assertEquals(judged([99.5, 99.6], 101), [["99.55 %", false], ["1.010", false]]);
});

Deno.test("the recipes' targets have no finding where nothing was trained", () => {
  const nothing = { measures: [] } as unknown as BenchResults;
  assertEquals(
    RECIPE_TARGETS.map(({ find }) => find(nothing)),
    RECIPE_TARGETS.map(() => undefined),
  );
});
