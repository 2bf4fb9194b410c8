/**
 * The report's section on how sure the scores are, and which differences are more than chance.
 *
 * @module
 */

import type {
  Comparison,
  ModelComparison,
  PairTest,
  SeedGuessing,
  TestScores,
} from "../analysis/comparison.ts";
import {
  formatCount,
  formatFixed,
  formatInterval,
  formatP,
  formatPart,
  NONE,
  SIGNIFICANT,
} from "../analysis/format_numbers.ts";
import { againstGuessing } from "../analysis/guessing.ts";
import { escapeMarkdown, table } from "./markdown.ts";

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
    { title: "Seed", align: "right" },
    { title: "Images", align: "right" },
    { title: "No detection", align: "right" },
    { title: "Accuracy (%)", align: "right" },
    { title: "95 % interval", align: "right" },
    { title: "F1", align: "right" },
    { title: "95 % interval", align: "right" },
    { title: "Guessing (%)", align: "right" },
    { title: "Largest class", align: "right" },
    { title: "Most predicted", align: "right" },
    { title: "Against guessing" },
  ] as const;
  const rows = models.map(({ model, row, evaluation }) => {
    const scores = evaluation!;
    return [
      escapeMarkdown(model),
      row?.seed === null || row === null ? NONE : String(row.seed),
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
  return "These values come from the predictions of one run of each model, the newest of those shown, " +
    "so they are not the means over seeds of the other tables. The interval of the accuracy is " +
    "Wilson's (1927), that of F1 the percentile bootstrap's (Efron and Tibshirani 1993; 2000 " +
    "resamples, seeded). *Guessing* is the range in which accuracy falls with at least 95 % probability if " +
    "the images are not looked at, whichever classes are guessed: from the 2.5 % quantile of the binomial " +
    "distribution for the share of the rarest class to the 97.5 % quantile of that for the most " +
    "frequent class. *Largest class* is the most frequent true class, *Most predicted* the most " +
    "frequent prediction." +
    (models.some(({ evaluation }) => evaluation!.undetected > 0)
      ? " *Images* is the number that is scored: images without a detection are left out, except for " +
        "a detector whose head was trained, where they are included and count as wrong."
      : "") +
    "\n\n" +
    table(columns, rows);
}

/** Whether a model does better than someone who does not look at the images. */
export function describeChance(
  scores: SeedGuessing & Pick<TestScores, "evaluated">,
): string {
  const { accuracy, chanceBand, evaluated } = scores;
  if (evaluated === 0) return "no detection";
  if (accuracy < chanceBand.low) return "worse than guessing";
  const word = againstGuessing(scores);
  return word === "no better"
    ? "**no better than guessing**"
    : word === "better"
    ? "better than guessing"
    : "too few images to tell";
}

function formatShare({ label, share }: { label: number; share: number }): string {
  return Number.isNaN(share) ? NONE : `${label} (${formatPart(share, 1)} %)`;
}

function renderPairs(pairs: readonly PairTest[]): string {
  if (pairs.length === 0) return "";
  const columns = [
    { title: "First" },
    { title: "Second" },
    { title: "Images", align: "right" },
    { title: "Only first correct", align: "right" },
    { title: "Only second correct", align: "right" },
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
    pair.pHolm < SIGNIFICANT ? "yes" : "no",
  ]);
  const more = pairs.length - PAIRS_SHOWN;
  return "Each pair of models that were tested on the same images is compared by McNemar's exact " +
    "test (1947), two-sided, with Holm's correction (1979) for the number of pairs; below " +
    `${SIGNIFICANT} the difference counts as more than chance. An image without a detection counts ` +
    "as wrong. The test is about these trained networks: another seed may give another result.\n\n" +
    table(columns, rows) + (more > 0 ? `\nAnd ${more} more, not shown.\n` : "");
}
