/** What the case `recipes` makes of trained models, and how it is judged. */

import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { recipeMeasurements, recipeTitle } from "../../bench/recipe_runs.ts";
import { RECIPE_TARGETS } from "../../bench/recipe_targets.ts";
import { meanAndSd } from "../../metrics/descriptive_statistics.ts";
import { meanAboveTest } from "../../report/analysis/statistics.ts";
import type { BenchResults } from "../../report/record/bench_results.ts";

const BF16 = { precision: "bfloat16" };
const PUBLISHED = { accuracy: 99.2, seconds: 100, seed: 1, precision: "float32" };

const ACCURACIES = [99.31, 99.4, 99.25, 99.33];

/** The same runs of every recipe. */
const SAME_RUNS = new Map((["published", "fast", "accurate"] as const).map((recipe) => [
  recipe,
  ACCURACIES.map((accuracy, seed) => ({ accuracy, seconds: 1, seed, precision: "float32" })),
]));

/** Results of the data that `--data auto` loads, or of others. */
function resultsOf(measures: BenchResults["measures"], dataset?: BenchResults["dataset"]) {
  return { measures, settings: { data: "auto" }, dataset } as unknown as BenchResults;
}

Deno.test("meanAboveTest() equals scipy's one-sided ttest_1samp", () => {
  const sample = meanAndSd(ACCURACIES);
  assertAlmostEquals(meanAboveTest(sample, 99.27), 0.0940602021870712, 1e-7);
  assertAlmostEquals(meanAboveTest(sample, 99.4), 0.9563856324278494, 1e-7);
  assertEquals(meanAboveTest(meanAndSd([99.5]), 99.27), NaN);
});

Deno.test("the fast recipe is judged by a t-test and by its share of the published time", () => {
  const judged = (accuracies: readonly number[], seconds: number) => {
    const runs = accuracies.map((accuracy, seed) => ({ ...BF16, accuracy, seconds, seed }));
    const measures = recipeMeasurements(
      new Map([
        ["published", [PUBLISHED]],
        ["fast", runs],
      ]),
    );
    return RECIPE_TARGETS.slice(0, 2).map(({ find, met }) => {
      const found = find(resultsOf(measures))!;
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
        ["published", [PUBLISHED]],
        ["accurate", accuracies.map((accuracy, seed) => ({ ...BF16, accuracy, seconds, seed }))],
      ]),
    );
    return RECIPE_TARGETS.slice(2).map(({ find, met }) => {
      const found = find(resultsOf(measures))!;
      return [found.text, met(found.value)];
    });
  };
  assertEquals(judged([99.5, 99.7], 100), [["99.60 %", true], ["1.000", true]]);
  assertEquals(judged([99.5, 99.6], 101), [["99.55 %", false], ["1.010", false]]);
});

Deno.test("the recipes' time says both number formats, and in the same one why a fraction is missed", () => {
  const measuresIn = (precision: string) =>
    recipeMeasurements(
      new Map([
        ["published", [PUBLISHED]],
        ["fast", [{ accuracy: 99.4, seconds: 9.5, seed: 1, precision }]],
      ]),
    );
  const [accuracy, time] = measuresIn("bfloat16");
  assertEquals([accuracy!.precision, time!.precision], ["bfloat16", "bfloat16"]);
  assertStringIncludes(accuracy!.note!, "1 seeds, in bfloat16");
  assertEquals(time!.note, "9.5 s in bfloat16 against the published recipe's 100.0 s in float32");
  assertEquals(accuracy!.samples, [{ accuracy: 99.4, seconds: 9.5, seed: 1 }]);
  const reason = (precision: string) =>
    RECIPE_TARGETS[1]!.heldBack!(resultsOf(measuresIn(precision)));
  assertEquals(reason("bfloat16"), undefined);
  assertEquals(
    reason("float32"),
    "in the published recipe's number format one pass, where it has 10, cannot take much less than " +
      "0.10 of its time",
  );
  const accurate = { ...measuresIn("float32")[1]!, title: recipeTitle("accurate", "time") };
  assertStringIncludes(
    RECIPE_TARGETS[3]!.heldBack!(resultsOf([accurate]))!,
    "13 passes, where it has 10, cannot take much less than 1.30 of its time",
  );
});

Deno.test("both accuracies are set beside a t-test and the interval of their mean", () => {
  const measures = recipeMeasurements(SAME_RUNS);
  const results = resultsOf(measures);
  const notes = [0, 2].map((index) => RECIPE_TARGETS[index]!.find(results)!.note);
  // As scipy's t.interval(0.95, 3, mean, sem).
  const interval = "95 % interval of the mean 99.22 to 99.42";
  assertEquals(notes, [
    `99.32 ± 0.06, 4 seeds, in float32; one-sided t-test of a mean above 99.27: p = 0.094; ${interval}`,
    `99.32 ± 0.06, 4 seeds, in float32; one-sided t-test of a mean above 99.6: p = 0.999; ${interval}`,
  ]);
});

Deno.test("recipes that were trained on other data than MNIST have no verdict", () => {
  const measures = recipeMeasurements(SAME_RUNS);
  const sha256 = "0123456789abcdef".repeat(4);
  const judged = (name: string) => {
    const results = resultsOf(measures, { name, sha256 });
    return RECIPE_TARGETS.map(({ find, missing }) => [find(results)?.value, missing!(results)]);
  };
  const reason = "99.27 % is MNIST's, and this is of";
  assertEquals(judged("fashion-mnist"), Array(4).fill([undefined, `${reason} Fashion-MNIST`]));
  const folder = `${reason} dir:digits (SHA-256 0123456789ab)`;
  assertEquals(judged("dir:digits"), Array(4).fill([undefined, folder]));
  assertEquals(judged("mnist").map(([value, why]) => [typeof value, why]), [
    ...Array(4).fill(["number", undefined]),
  ]);
});

Deno.test("the recipes' targets have no finding where nothing was trained", () => {
  const nothing = { measures: [] } as unknown as BenchResults;
  assertEquals(
    RECIPE_TARGETS.map(({ find }) => find(nothing)),
    RECIPE_TARGETS.map(() => undefined),
  );
});
