/**
 * The report's section on many runs: distributions over seeds, learning-set sizes, and which setting is
 * best.
 *
 * @module
 */

import type { Comparison } from "../analysis/comparison.ts";
import {
  formatCount,
  formatDifference,
  formatFixed,
  formatInterval,
  formatMeanAndSd,
  formatP,
  NONE,
  SIGNIFICANT,
} from "../analysis/format_numbers.ts";
import {
  analyseSweeps,
  type LearningSetCurve,
  LEAST_SEEDS,
  type SeedDistribution,
  type SettingContest,
} from "../analysis/sweeps.ts";
import { engineOf, type ResultRow } from "../record/result_row.ts";
import { curveLabel, settingLabel } from "../analysis/describe_run.ts";
import { escapeMarkdown, table } from "./markdown.ts";

/** Rows of each table: of more the first are shown, which are those nearest to the study. */
const ROWS_SHOWN = 50;

/** What many runs say together; nothing unless there are such. */
export function renderSweeps({ models }: Pick<Comparison, "models">): string {
  const { distributions, curves, contests } = analyseSweeps(models);
  const parts = [
    renderDistributions(distributions),
    renderCurves(curves),
    renderContests(contests),
  ].filter((part) => part !== "");
  return parts.length === 0 ? "" : ["## What many runs say together\n", ...parts].join("\n");
}

function renderDistributions(distributions: readonly SeedDistribution[]): string {
  if (distributions.length === 0) return "";
  const rows = distributions.map((one) => [
    escapeMarkdown(settingLabel(one.row)),
    String(one.accuracies.length),
    formatMeanAndSd(one.accuracy, 2),
    formatFixed(one.accuracies[0]!, 2),
    formatFixed(one.accuracies.at(-1)!, 2),
    formatInterval(one.mean, 2),
    formatInterval(one.next, 2),
    describePublished(one),
  ]);
  return "### Over the seeds\n\n" +
    `Accuracy in percent, for each setting with ${LEAST_SEEDS} seeds or more. Both intervals are ` +
    "Student's, at 95 %: the confidence interval of the mean and the prediction interval for one more " +
    "run (Hahn and Meeker 1991, sections 4.2 and 4.8). A published value is typical if it lies in the " +
    "latter.\n\n" +
    shownTable([
      { title: "Setting" },
      { title: "Seeds", align: "right" },
      { title: "Mean ± sd", align: "right" },
      { title: "Lowest", align: "right" },
      { title: "Highest", align: "right" },
      { title: "95 % interval of the mean", align: "right" },
      { title: "95 % interval for one more run", align: "right" },
      { title: "Published" },
    ], rows);
}

function describePublished({ published, accuracies, next }: SeedDistribution): string {
  if (published === null) return NONE;
  const { accuracy, below } = published;
  const text = `${accuracy.toFixed(2)}, above ${below} of ${accuracies.length} seeds`;
  if (next === null) return text;
  // As it is printed, which is how the verdicts take it.
  const printed = (end: number) => Number(end.toFixed(2));
  const isExpected = printed(next.low) <= accuracy && accuracy <= printed(next.high);
  return `${text}, ${isExpected ? "inside" : "outside"} the interval for one more run`;
}

function renderCurves(curves: readonly LearningSetCurve[]): string {
  if (curves.length === 0) return "";
  const rows = curves.flatMap((curve) =>
    curve.points.map(({ images, accuracy, mean }) => [
      escapeMarkdown(curveLabel(curve.row)),
      formatCount(images),
      String(accuracy.n),
      formatMeanAndSd(accuracy, 2),
      formatInterval(mean, 2),
    ])
  );
  return "### By the number of training images\n\n" +
    "Runs that differ in the number of training images and the seed alone.\n\n" +
    shownTable([
      { title: "Model and setting" },
      { title: "Training images", align: "right" },
      { title: "Seeds", align: "right" },
      { title: "Accuracy (%)", align: "right" },
      { title: "95 % interval of the mean", align: "right" },
    ], rows);
}

function renderContests(contests: readonly SettingContest[]): string {
  if (contests.length === 0) return "";
  const rows = contests.flatMap(({ title, settings }) =>
    settings.map(({ row, accuracy, behind, p }, i) => [
      i === 0 ? `**${escapeMarkdown(title)}, ${describeSize(row)}**` : "",
      escapeMarkdown(describeSetting(row)),
      String(accuracy.n),
      formatMeanAndSd(accuracy, 2),
      i === 0 ? "**best**" : formatDifference(-behind, 2),
      i === 0 ? NONE : Number.isNaN(p) ? "not tested" : formatP(p),
      i === 0 ? NONE : p < SIGNIFICANT ? "yes" : "no",
    ])
  );
  return "### The best setting\n\n" +
    "Settings of one architecture, trained on the same number of images and tested on the same images, " +
    "each with two seeds or more. Is the best better than each of the others by more than chance? The " +
    "test is Welch's over the seeds, with Holm's correction for the number of settings. The spread over " +
    "seeds counts as no smaller than the share of one image can resolve; without any spread and without " +
    "a known number of images, nothing is tested. If the best was selected on these test images, its " +
    "accuracy is biased upwards, and the more so the more settings were tried.\n\n" +
    contests.map((contest) => `- ${escapeMarkdown(describeContest(contest))}\n`)
      .slice(0, ROWS_SHOWN).join("") +
    "\n" +
    shownTable([
      { title: "Architecture and images" },
      { title: "Setting" },
      { title: "Seeds", align: "right" },
      { title: "Accuracy (%)", align: "right" },
      { title: "Behind", align: "right" },
      { title: "p", align: "right" },
      { title: "More than chance" },
    ], rows);
}

/** The answer in a sentence. */
function describeContest({ title, settings, leftOut }: SettingContest): string {
  const [best, ...rivals] = settings;
  const equal = rivals.filter(({ p }) => !(p < SIGNIFICANT));
  const answer = equal.length === 0
    ? `is better than ${
      rivals.length === 1 ? "the other" : `all ${rivals.length} others`
    } by more ` +
      "than chance"
    : `is the best of ${settings.length}, but its lead over ${equal.length} of them (first ` +
      `${describeSetting(equal[0]!.row)}) may be chance`;
  const single = leftOut === 0 ? "" : ` (${leftOut} with a single seed left out)`;
  return `${title}, ${describeSize(best!.row)}: ${describeSetting(best!.row)} ${answer}${single}.`;
}

/** `300 training images`, and what the test images are. */
function describeSize({ train_images, test_images, dataset }: ResultRow): string {
  const trained = train_images === null ? "" : `${formatCount(train_images)} training and `;
  return `${trained}${formatCount(test_images)} test images of ${dataset}`;
}

/** All that may differ between settings of one architecture. */
function describeSetting(row: ResultRow): string {
  const { model, epochs, batch_size, learning_rate, weight_decay, weights, precision } = row;
  return [
    model,
    epochs === null ? "" : `${epochs} epoch${epochs === 1 ? "" : "s"}`,
    batch_size === null ? "" : `batch ${batch_size}`,
    learning_rate === null ? "" : `rate ${learning_rate}`,
    weight_decay === null ? "" : `decay ${weight_decay}`,
    weights,
    precision,
    engineOf(row) === "tensorflow" ? "" : `on ${engineOf(row)}`,
  ].filter((part) => part !== "").join(", ");
}

function shownTable(
  columns: Parameters<typeof table>[0],
  rows: readonly (readonly string[])[],
): string {
  const more = rows.length - ROWS_SHOWN;
  return table(columns, rows.slice(0, ROWS_SHOWN)) +
    (more > 0 ? `\nAnd ${formatCount(more)} more, not shown.\n` : "");
}
