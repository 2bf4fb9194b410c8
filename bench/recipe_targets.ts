/**
 * What our recipes for part 1 are to reach.
 *
 * @module
 */

import { meanAndSd } from "../metrics/descriptive_statistics.ts";
import { formatP } from "../report/analysis/format_numbers.ts";
import { meanAboveTest } from "../report/analysis/statistics.ts";
import type { BenchResults, Measurement } from "../report/record/bench_results.ts";
import { type Recipe, RECIPES } from "../study.ts";
import type { Found, Target } from "./findings.ts";
import { RECIPE_BOUNDS, recipeTitle } from "./recipe_runs.ts";

/** Above this a mean could well be no higher than its bound. */
const MOST_P = 0.05;

/** Share of the published recipe's training time in which the study's accuracy is to be reached. */
const FAST_SHARE = 0.09;

/** The rows of the case `recipes`. */
export const RECIPE_TARGETS: readonly Target[] = [
  accuracyTarget("fast", RECIPE_BOUNDS.fast!),
  timeTarget("fast", FAST_SHARE),
  meanTarget("accurate", 99.6),
  timeTarget("accurate", 1),
];

/** A mean above a bound, by a one-sided t-test over the seeds. */
function accuracyTarget(recipe: string, bound: number): Target {
  return {
    cases: ["recipes"],
    what: `--recipe ${recipe}: mean accuracy above ${bound} %, one-sided t-test over seeds`,
    target: `p < ${MOST_P}`,
    find(results) {
      const found = measurementOf(results, recipeTitle(recipe, "accuracy"));
      if (found?.samples === undefined) return undefined;
      const accuracy = meanAndSd(found.samples.map(({ accuracy }) => accuracy!));
      const p = meanAboveTest(accuracy, bound);
      return { value: p, text: formatP(p), note: found.note };
    },
    met: (p) => p < MOST_P,
  };
}

/** A mean over the seeds. */
function meanTarget(recipe: string, least: number): Target {
  return {
    cases: ["recipes"],
    what: `--recipe ${recipe}: mean accuracy over seeds`,
    target: `≥ ${least} %`,
    find(results) {
      const found = measurementOf(results, recipeTitle(recipe, "accuracy"));
      if (found === undefined || found.value === null) return undefined;
      return { value: found.value, text: `${found.value.toFixed(2)} %`, note: found.note };
    },
    met: (accuracy) => accuracy >= least,
  };
}

function timeTarget(recipe: Recipe, share: number): Target {
  return {
    cases: ["recipes"],
    what: `--recipe ${recipe}: training time as a fraction of the published recipe's`,
    target: `≤ ${share}`,
    find(results): Found | undefined {
      const found = measurementOf(results, recipeTitle(recipe, "time"));
      if (found === undefined || found.value === null) return undefined;
      return { value: found.value, text: found.value.toFixed(3), note: found.note };
    },
    met: (value) => value <= share,
    heldBack(results) {
      const found = measurementOf(results, recipeTitle(recipe, "time"));
      return found?.precision === "float32" ? passesNote(recipe) : undefined;
    },
  };
}

/** Of a recipe in the published one's number format: the work that is left, in passes. */
function passesNote(recipe: Recipe): string {
  const [own, published] = [recipe, "published" as const].map((one) =>
    RECIPES[one].training.epochs
  );
  const share = (own! / published!).toFixed(2);
  return `in the published recipe's number format ${own} of its ${published} passes cannot take much ` +
    `less than ${share} of its time`;
}

function measurementOf({ measures }: BenchResults, title: string): Measurement | undefined {
  return measures.find((one) => one.case === "recipes" && one.title === title);
}
