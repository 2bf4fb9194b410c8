/**
 * The case `recipes`: how accurate SimpleCNN becomes by each of our recipes for part 1, and in which
 * share of the published recipe's time, all of it trained in one run of the bench.
 *
 * @module
 */

import { mean, type MeanAndSd, meanAndSd } from "../metrics/descriptive_statistics.ts";
import { formatMeanAndSd, formatP } from "../report/analysis/format_numbers.ts";
import { meanAboveTest } from "../report/analysis/statistics.ts";
import type { Measurement } from "../report/record/bench_results.ts";
import { type Recipe, RECIPES } from "../study.ts";
import type { BenchContext } from "./context.ts";
import { part1Rows } from "./program_times.ts";

/** What is trained, in this order: the published recipe before, between and after ours. */
const PLAN: readonly [recipe: Recipe, seeds: readonly number[]][] = [
  ["published", [1]],
  ["fast", [1, 2, 3, 4, 5]],
  ["accurate", [1, 2]],
  ["published", [2]],
  ["accurate", [3, 4, 5]],
  ["fast", [6, 7, 8, 9, 10]],
];

/** What a recipe's mean accuracy is to be above, in percent. */
export const RECIPE_BOUNDS: Readonly<Partial<Record<Recipe, number>>> = {
  fast: RECIPES.published.published.accuracy,
};

/** A trained model of a recipe. */
export interface RecipeRun {
  /** Percent of the test images, 0..100. */
  accuracy: number;
  /** Seconds of the epochs. */
  seconds: number;
  seed: number;
  /** Number format, as the engine names it. */
  precision: string;
}

/** Trains all of them; results stay in `folder`. */
export async function measureRecipes(
  context: BenchContext,
  folder: string,
): Promise<Measurement[]> {
  const runs = new Map<Recipe, RecipeRun[]>();
  for (const [recipe, seeds] of PLAN) {
    context.reporter.live(`Training by the ${recipe} recipe with seeds ${seeds.join(", ")}`);
    runs.set(recipe, [
      ...runs.get(recipe) ?? [],
      ...await train(context, { recipe, seeds, folder }),
    ]);
  }
  return recipeMeasurements(runs);
}

/**
 * What the runs amount to: two measurements for each recipe of ours. They say the number format: where
 * the processor has bfloat16 ours takes it, and the published recipe does not.
 */
export function recipeMeasurements(
  runs: ReadonlyMap<Recipe, readonly RecipeRun[]>,
): Measurement[] {
  const secondsOf = (recipe: Recipe) =>
    mean((runs.get(recipe) ?? []).map(({ seconds }) => seconds));
  const formatOf = (recipe: Recipe) =>
    [...new Set((runs.get(recipe) ?? []).map(({ precision }) => precision))].join(" and ");
  return [...runs].filter(([recipe]) => recipe !== "published").flatMap(([recipe, own]) => {
    const accuracy = meanAndSd(own.map(({ accuracy }) => accuracy));
    const bound = RECIPE_BOUNDS[recipe];
    const format = formatOf(recipe);
    const precision = (["float32", "bfloat16"] as const).find((one) => one === format);
    const worked = precision && { precision };
    return [{
      ...{ case: "recipes", unit: "%", value: accuracy.mean, ...worked } as const,
      title: recipeTitle(recipe, "accuracy"),
      note: `${formatMeanAndSd(accuracy, 2)}, ${own.length} seeds, in ${format}` +
        (bound === undefined ? "" : `; ${describeTest(accuracy, bound)}`),
      samples: own.map(({ precision: _, ...numbers }) => numbers),
    }, {
      ...{ case: "recipes", unit: "of the published recipe's training time", ...worked } as const,
      title: recipeTitle(recipe, "time"),
      value: secondsOf(recipe) / secondsOf("published"),
      note: `${secondsOf(recipe).toFixed(1)} s in ${format} against the published recipe's ` +
        `${secondsOf("published").toFixed(1)} s in ${formatOf("published")}`,
    }];
  });
}

/** How a measurement of a recipe is called. */
export function recipeTitle(recipe: string, what: "accuracy" | "time"): string {
  return what === "accuracy"
    ? `Mean accuracy by --recipe ${recipe}`
    : `Training time of --recipe ${recipe}`;
}

/** Whether the mean of all possible seeds is above a bound. */
export function describeTest(accuracy: MeanAndSd, bound: number): string {
  const p = meanAboveTest(accuracy, bound);
  return `one-sided t-test of a mean above ${bound}: ${formatP(p)}`;
}

/** One program for all seeds: what it compiles, it compiles once. */
async function train(
  context: BenchContext,
  { recipe, seeds, folder }: { recipe: Recipe; seeds: readonly number[]; folder: string },
): Promise<RecipeRun[]> {
  const rows = await part1Rows(context, ["--recipe", recipe, "--seeds", seeds.join()], folder);
  return rows.map(({ accuracy, training_time_s, seed, precision }) => ({
    accuracy: accuracy!,
    seconds: Number(training_time_s),
    seed: seed!,
    precision,
  }));
}
