/**
 * The report's section on how sure the scores are, and which differences are more than chance.
 *
 * @module
 */

import type { Comparison, Evaluation, ModelComparison, PairTest } from "../analysis/comparison.ts";
import { escapeMarkdown, table } from "./markdown.ts";
import { formatCount, formatFixed, formatInterval, formatP } from "./numbers.ts";

const PAIRS_SHOWN = 50;

/** What the predictions say; nothing if there are none. */
export function renderStatistics({ models, pairs }: Comparison): string {
  const evaluated = models.filter(({ evaluation }) => evaluation !== null);
  if (evaluated.length === 0) return "";
  return ["## How sure the scores are\n", renderScores(evaluated), renderPairs(pairs)]
    .filter((part) => part !== "").join("\n");
}

function renderScores(models: readonly ModelComparison[]): string {
  const columns = [
    { title: "Model" },
    { title: "Images read", align: "right" },
    { title: "No detection", align: "right" },
    { title: "Accuracy (%)", align: "right" },
    { title: "95 % interval", align: "right" },
    { title: "F1", align: "right" },
    { title: "95 % interval", align: "right" },
    { title: "Guessing (%)", align: "right" },
    { title: "Largest class", align: "right" },
    { title: "Favourite answer", align: "right" },
    { title: "" },
  ] as const;
  const rows = models.map(({ model, evaluation }) => {
    const scores = evaluation!;
    return [
      escapeMarkdown(model),
      formatCount(scores.evaluated),
      formatCount(scores.undetected),
      formatFixed(scores.accuracy, 2),
      formatInterval(scores.accuracyInterval, 2),
      formatFixed(scores.f1, 4),
      formatInterval(scores.f1Interval, 4),
      formatInterval(scores.chanceBand, 2),
      formatShare(scores.largestClass),
      formatShare(scores.favourite),
      describeChance(scores),
    ];
  });
  return "From the predictions of the runs shown. The interval of the accuracy is Wilson's (1927), " +
    "that of F1 the percentile bootstrap's (Efron and Tibshirani 1993; 2000 resamples, seeded). " +
    "*Guessing* is where 95 % of those land who answer without looking at the image, whichever " +
    "classes they favour: from the 2.5 % quantile of the binomial distribution with the share of " +
    "the rarest class to the 97.5 % quantile with that of the largest. The favourite answer is the " +
    "label given most often.\n\n" +
    table(columns, rows);
}

/** What a model is called that does no better than someone who doesn't look. */
export function describeChance(
  { accuracy, chanceBand, evaluated }: Pick<Evaluation, "accuracy" | "chanceBand" | "evaluated">,
): string {
  if (evaluated === 0) return "reads nothing";
  if (accuracy < chanceBand.low) return "worse than guessing";
  return accuracy <= chanceBand.high ? "**no better than guessing**" : "better than guessing";
}

function formatShare({ label, share }: { label: number; share: number }): string {
  return Number.isNaN(share) ? "–" : `${label} (${formatFixed(share, 1)} %)`;
}

function renderPairs(pairs: readonly PairTest[]): string {
  if (pairs.length === 0) return "";
  const columns = [
    { title: "First" },
    { title: "Second" },
    { title: "Images", align: "right" },
    { title: "Only first right", align: "right" },
    { title: "Only second right", align: "right" },
    { title: "McNemar", align: "right" },
    { title: "with Holm", align: "right" },
    { title: "More than chance" },
  ] as const;
  const rows = pairs.slice(0, PAIRS_SHOWN).map((pair) => [
    ...pair.models.map(escapeMarkdown),
    formatCount(pair.images),
    formatCount(pair.onlyFirst),
    formatCount(pair.onlySecond),
    formatP(pair.p),
    formatP(pair.pHolm),
    pair.pHolm < 0.05 ? "yes" : "no",
  ]);
  const more = pairs.length - PAIRS_SHOWN;
  return "Every two models that read the same images are compared by McNemar's exact test (1947), " +
    "two-sided, with Holm's correction (1979) for the number of pairs; below 0.05 the difference " +
    "counts as more than chance. An image without a detection is one not read rightly. The test " +
    "is about these two trained networks: another seed may fare otherwise.\n\n" +
    table(columns, rows) + (more > 0 ? `\nAnd ${more} more, not shown.\n` : "");
}
