/**
 * The report's conclusion, written from the numbers that there are.
 *
 * @module
 */

import type { Comparison, ModelComparison, PairTest, Ranking } from "../analysis/comparison.ts";
import { isTimedAlike, TIMED_ON } from "../analysis/describe_machine.ts";
import { againstGuessing, highestGuess } from "../analysis/guessing.ts";
import { nameInSentence } from "../analysis/describe_run.ts";
import { hasRandomWeights } from "../analysis/differences_from_study.ts";
import {
  formatCount,
  formatFixed,
  formatMeanAndSd,
  formatP,
  formatPart,
  formatShare,
  SIGNIFICANT,
} from "../analysis/format_numbers.ts";
import { meanAccuracyOfAll, type ShownModel } from "../analysis/rankings.ts";
import { nameTest, NOT_OF_MEANS, type RivalTest, testRivals } from "../analysis/rivals.ts";
import { isWhole, TIMED_ALIKE } from "../analysis/seed_aggregates.ts";
import { escapeMarkdown } from "./markdown.ts";

/** Which model is best, by how much and at what cost. */
export function renderConclusion(comparison: Comparison): string {
  const { models, pairs, rankings } = comparison;
  const byName = new Map(models.map((model) => [model.model, model as ShownModel]));
  const lines = rankings.flatMap((ranking) => describeRanking(ranking, byName, pairs));
  const guessing = models.flatMap((model) => describeGuessing(model));
  const findings = [...lines, ...guessing, ...describeRandomWeights(models)];
  return [
    "## Conclusion\n",
    "Accuracies are means over all seeds. Times are means over those seeds only that ran under the " +
    `same conditions as the newest run: ${TIMED_ALIKE}. p-values have Holm's correction for the number ` +
    `of models that the best one is compared with; below ${SIGNIFICANT} a difference counts as more ` +
    "than chance.\n",
    findings.length === 0
      ? "No run succeeded, so nothing can be concluded.\n"
      : findings.map((line) => `${line}\n`).join(""),
  ].join("\n");
}

/** The best model on some images, and how far behind each other is. */
function describeRanking(
  ranking: Ranking,
  byName: ReadonlyMap<string, ShownModel>,
  pairs: readonly PairTest[],
): string[] {
  const [best, ...others] = ranking.models.map((name) => byName.get(name)!);
  const where = `${escapeMarkdown(ranking.dataset) || "unrecorded data"} ` +
    `(${Number.isNaN(ranking.images) ? "unknown number of" : formatCount(ranking.images)} ` +
    "test images)";
  const name = escapeMarkdown(nameInSentence(best!.row));
  const score = describeScore(best!);
  const time = trainingSeconds(best!);
  const cost = time === null
    ? ""
    : ` after ${formatFixed(time, 2)} s of training${timedSeeds(best!)}`;
  if (others.length === 0) {
    return [`- On ${where} only ${name} was run: it is correct on ${score}${cost}.`];
  }
  return [
    `- On ${where} **${name}** is the most accurate: it is correct on ${score}${cost}.`,
    ...testRivals(best!, others, pairs).map((rival) => `  - ${describeRival(rival, best!)}`),
  ];
}

function describeRival(tested: RivalTest, best: ShownModel): string {
  const { rival, behind, test, p } = tested;
  const result = Number.isNaN(p) ? NOT_OF_MEANS : formatP(p);
  const chance = test === ""
    ? "not tested for chance, as predictions are missing"
    : `${p < SIGNIFICANT ? "more than chance" : "perhaps chance"} ` +
      `(${escapeMarkdown(nameTest(tested))}, ${result})`;
  return `${escapeMarkdown(nameInSentence(rival.row))} is correct on ${describeScore(rival)}, ` +
    `${formatFixed(behind, 2)} percentage points behind, ${chance}${describeCost(rival, best)}.`;
}

/** Percent correct, the mean over the seeds where there are several. */
function describeScore(model: ShownModel): string {
  const [setting] = model.settings;
  const ofAll = setting === undefined || isWhole(setting) ? "" : " of all images";
  const accuracy = setting?.accuracyOfAll;
  return accuracy === undefined || accuracy.n < 2
    ? `${formatFixed(meanAccuracyOfAll(model), 2)} %${ofAll}`
    : `${formatMeanAndSd(accuracy, 2)} %${ofAll} over ${accuracy.n} seeds`;
}

/** How the training time compares; nothing where either has none. */
function describeCost(other: ShownModel, best: ShownModel): string {
  const [time, bestTime] = [trainingSeconds(other), trainingSeconds(best)];
  if (time === null || bestTime === null) return "";
  const seconds = `${formatFixed(time, 2)} s${timedSeeds(other)}`;
  if (!isTimedAlike(other, best) || bestTime === 0) {
    return `; it trained for ${seconds}, not known to be on ${TIMED_ON}`;
  }
  return `; it trained for ${seconds}, ${formatFixed(time / bestTime, 2)} times as long`;
}

function describeGuessing(compared: ModelComparison): string[] {
  const { model, evaluation, guessing, settings: [setting] } = compared;
  if (setting === undefined || evaluation === null) return [];
  const { favourite, images, undetected } = evaluation;
  const name = escapeMarkdown(model);
  const { seeds, newest, accuracy } = setting;
  const newestSeed = seeds > 1 && newest.seed !== null ? ` with seed ${newest.seed}` : "";
  if (undetected === images) {
    return [`- ${name} found no digit in any of ${formatCount(images)} images${newestSeed}.`];
  }
  const found = guessing.map(againstGuessing);
  const within = found.filter((word) => word !== "better").length;
  if (within === 0) return [];
  const few = found.filter((word) => word === "too few images").length;
  const inSeeds = (count: number) =>
    found.length > 1 ? ` in ${count} of ${found.length} seeds` : "";
  const finding = within > few
    ? `**${name} is no better than guessing**${inSeeds(within - few)}`
    : `On so few images it cannot be told whether ${name} is better than guessing${inSeeds(few)}`;
  return [
    `- ${finding}: it is correct on ${formatMeanAndSd(accuracy, 2)} %` +
    `${isWhole(setting) ? "" : " of the images with a detection"}, where guessing reaches up to ` +
    `${formatFixed(highestGuess(guessing), 2)} %. ` +
    `${formatPart(favourite.share, 1)} % of its predictions${newestSeed} are ${favourite.label}.`,
  ];
}

function describeRandomWeights(models: readonly ModelComparison[]): string[] {
  const random = models.filter(({ row }) => row?.status === "ok" && hasRandomWeights(row));
  if (random.length === 0) return [];
  const names = random.map(({ model }) => escapeMarkdown(model)).join(", ");
  return [
    `- **Random weights**: ${names} started from them, so these numbers say nothing about ` +
    "pretrained networks.",
  ];
}

/** Of how many seeds the training time is, if not of all. */
function timedSeeds({ settings: [setting] }: ShownModel): string {
  return setting === undefined ? "" : formatShare(setting.trainingTime.n, setting.seeds);
}

/** The mean over the seeds; `null` where nothing was trained. */
function trainingSeconds({ row, settings }: ShownModel): number | null {
  const seeds = settings[0]?.trainingTime;
  const time = seeds !== undefined && seeds.n > 0 ? seeds.mean : row.training_time_s;
  return typeof time === "number" && Number.isFinite(time) && time >= 0 ? time : null;
}
