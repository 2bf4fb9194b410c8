/**
 * What our recipes for part 1 are to reach.
 *
 * @module
 */

import { type MeanAndSd, meanAndSd } from "../metrics/descriptive_statistics.ts";
import { formatInterval, formatP } from "../report/analysis/format_numbers.ts";
import { meanAboveTest, meanInterval } from "../report/analysis/statistics.ts";
import type { BenchResults, Measurement } from "../report/record/bench_results.ts";
import { DATA, type Recipe, RECIPES } from "../study.ts";
import { dataOf, describeData } from "./earlier_runs.ts";
import type { Found, Target } from "./findings.ts";
import { joinNotes } from "./pairs.ts";
import { describeTest, RECIPE_BOUNDS, recipeTitle } from "./recipe_runs.ts";

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
      const found = ofMnist(results, recipeTitle(recipe, "accuracy"));
      if (found?.samples === undefined) return undefined;
      const accuracy = accuracyOf(found);
      const p = meanAboveTest(accuracy, bound);
      return { value: p, text: formatP(p), note: joinNotes(found.note, describeMean(accuracy)) };
    },
    met: (p) => p < MOST_P,
    missing: otherData,
  };
}

/** A mean over the seeds; that of all possible ones may be lower, of which the note speaks. */
function meanTarget(recipe: string, least: number): Target {
  return {
    cases: ["recipes"],
    what: `--recipe ${recipe}: mean accuracy over seeds`,
    target: `≥ ${least} %`,
    find(results) {
      const found = ofMnist(results, recipeTitle(recipe, "accuracy"));
      if (found?.samples === undefined || found.value === null) return undefined;
      const accuracy = accuracyOf(found);
      const note = joinNotes(found.note, describeTest(accuracy, least), describeMean(accuracy));
      return { value: found.value, text: `${found.value.toFixed(2)} %`, note };
    },
    met: (accuracy) => accuracy >= least,
    missing: otherData,
  };
}

function timeTarget(recipe: Recipe, share: number): Target {
  return {
    cases: ["recipes"],
    what: `--recipe ${recipe}: training time as a fraction of the published recipe's`,
    target: `≤ ${share}`,
    find(results): Found | undefined {
      const found = ofMnist(results, recipeTitle(recipe, "time"));
      if (found === undefined || found.value === null) return undefined;
      return { value: found.value, text: found.value.toFixed(3), note: found.note };
    },
    met: (value) => value <= share,
    heldBack(results) {
      const found = ofMnist(results, recipeTitle(recipe, "time"));
      return found?.precision === "float32" ? passesNote(recipe) : undefined;
    },
    missing: otherData,
  };
}

/** Of a recipe in the published one's number format: the work that is left, in passes. */
function passesNote(recipe: Recipe): string {
  const [own, published] = [recipe, "published" as const].map((one) =>
    RECIPES[one].training.epochs
  );
  const share = (own! / published!).toFixed(2);
  const passes = own === 1 ? "one pass" : `${own} passes`;
  return `in the published recipe's number format ${passes}, where it has ${published}, cannot take ` +
    `much less than ${share} of its time`;
}

function accuracyOf({ samples = [] }: Measurement): MeanAndSd {
  return meanAndSd(samples.map(({ accuracy }) => accuracy!));
}

function describeMean(accuracy: MeanAndSd): string {
  return `95 % interval of the mean ${formatInterval(meanInterval(accuracy), 2)}`;
}

/** What was measured, where it is of the data that the targets are of. */
function ofMnist(results: BenchResults, title: string): Measurement | undefined {
  const found = results.measures.find((one) => one.case === "recipes" && one.title === title);
  return otherData(results) === undefined ? found : undefined;
}

/** Why recipes that were trained say nothing of the targets, if so. */
function otherData(results: BenchResults): string | undefined {
  const isTrained = results.measures.some((one) => one.case === "recipes" && one.value !== null);
  if (!isTrained || dataOf(results).name === DATA.name) return undefined;
  return `${RECIPES.published.published.accuracy} % is MNIST's, and this is of ` +
    describeData(dataOf(results));
}
