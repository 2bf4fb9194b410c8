/**
 * The verdicts on published values in words, and what is to be said of them.
 *
 * @module
 */

import type { Comparison, Metric, ModelComparison, Verdict } from "../analysis/comparison.ts";
import { nameNotes, settingNotes } from "../analysis/describe_run.ts";
import { blockingKinds } from "../analysis/differences_from_study.ts";
import { formatInterval } from "../analysis/format_numbers.ts";
import { DIGITS, leadingVerdict, TOO_FEW, WIDEST } from "../analysis/verdicts.ts";
import { escapeMarkdown } from "./markdown.ts";

/** What the published numbers are called. */
export const METRIC_TITLES: Readonly<Record<Metric, string>> = {
  test_loss: "test loss",
  accuracy: "accuracy",
  f1: "F1",
  training_time_s: "training time",
  inference_ms_per_image: "inference time",
};

/**
 * The verdict on the numbers that can be judged in a phrase: one word if all have the same, accuracy
 * among them, else each word with its metrics.
 */
export function verdictWords(model: ModelComparison): string {
  const { published, row, settings, verdicts } = model;
  if (published === null) return "not in the study";
  if (row === null) return "not run";
  if (settings.length === 0) return "no successful run";
  const judged = verdicts.filter(({ verdict }) => verdict !== "not comparable");
  if (judged.length === 0) return `not comparable: ${escapeMarkdown(whyNot(model))}`;
  const byWord = Map.groupBy(judged, ({ verdict }) => verdict);
  const hasAccuracy = judged.some(({ metric }) => metric === "accuracy");
  const words = [...byWord].map(([word, ofMetrics]) => {
    const metrics = ofMetrics.map(({ metric }) => METRIC_TITLES[metric]).join(", ");
    const text = byWord.size === 1 && hasAccuracy ? `**${word}**` : `**${word}**: ${metrics}`;
    return word === TOO_FEW ? `${text} (${describeReach(ofMetrics)})` : text;
  });
  if (!hasAccuracy) words.unshift(`accuracy not comparable: ${escapeMarkdown(whyNot(model))}`);
  return words.join("; ") + (judged.some(isOfOneSeed) ? " (one seed)" : "");
}

/** Accuracy's widened interval if it is judged so, else the first's: `widened interval of accuracy: …`. */
function describeReach(verdicts: readonly Verdict[]): string {
  const { metric, interval } = leadingVerdict(verdicts)!;
  return `widened interval of ${METRIC_TITLES[metric]}: ${
    formatInterval(interval, DIGITS[metric])
  }`;
}

/** Whether a verdict is marked as one of a single seed. */
function isOfOneSeed({ verdict, method }: Verdict): boolean {
  return verdict !== "not comparable" && method.endsWith("one seed");
}

/** Why nothing of a model can be judged. */
function whyNot({ row, verdicts }: ModelComparison): string {
  const kinds = blockingKinds(row!);
  const reasons = verdicts.find(({ metric }) => metric === "accuracy")?.reasons ?? [];
  return (kinds.length > 0 ? kinds : reasons).join(", ");
}

/** What the numbers are, and what the verdicts mean that were given. */
export function describeVerdicts(
  { judged, models, reference }: Pick<Comparison, "judged" | "models" | "reference">,
): string {
  const whose = reference.length > 0 ? "The reference's (the committed runs) and yours" : "Ours";
  const hasOtherEngine = models.some(({ row }) =>
    row?.status === "ok" && nameNotes(row).length > settingNotes(row).length
  );
  const notes =
    `${whose} are means ± standard deviations over the seeds of the runs closest to the ` +
    `study's settings; whatever ${
      reference.length > 0 ? "in yours " : ""
    }differs from the study follows the model's name` +
    (hasOtherEngine ? ", as does the engine where it is not TensorFlow" : "") +
    (reference.some(({ setting }) => nameNotes(setting.newest).length > 0)
      ? "; whatever differs in the reference's follows its accuracy"
      : "") +
    ". Times are never judged, because they were measured on different machines.";
  if (judged.count === 0) return `${notes}\n`;
  const hasOneSeed = models.some(({ verdicts }) => verdicts.some(isOfOneSeed));
  const hasTooFew = models.some(({ verdicts }) =>
    verdicts.some(({ verdict }) => verdict === TOO_FEW)
  );
  return `${notes} **Reproduced** means that the published value, which comes from one run, lies in ` +
    "the interval in which one more run of ours would be expected. Because " +
    (judged.count === 1
      ? "one value is judged, this is a"
      : `${judged.count} values are judged, this is a`) +
    ` ${
      formatPercent(judged.confidence)
    } interval: if all were true reproductions, at most one report in ` +
    "twenty would call any of them different." +
    (hasOneSeed
      ? " Where we have only one seed, the interval assumes that seeds vary about as much as samples " +
        "of test images do, and the verdict is marked."
      : "") +
    (hasTooFew
      ? ` **T${
        TOO_FEW.slice(1)
      }** means that it lies there, but that with our few seeds even the 95 % interval for one more ` +
        `run extends more than ${describeWidest()} to one side of their mean, so that a value inside ` +
        "it is no evidence."
      : "") +
    "\n";
}

/** How far an interval over seeds may reach, in words. */
export function describeWidest(): string {
  return `${WIDEST} points of accuracy (F1: ${WIDEST / 100})`;
}

/** `99.38 %`, with as many digits as tell how far it is from 100. */
export function formatPercent(share: number): string {
  const digits = Math.max(0, Math.ceil(-Math.log10(1 - share)) - 1);
  const text = (100 * share).toFixed(digits);
  return `${text.includes(".") ? text.replace(/\.?0+$/, "") : text} %`;
}

/** Why the verdicts on some models have words of their own. */
export function renderCaveats(models: readonly ModelComparison[]): string {
  // Of a model that cannot be compared at all, neither word is said.
  const withCaveats = models.filter(({ caveats, verdicts }) =>
    caveats.length > 0 &&
    verdicts.some(({ verdict }) => verdict === "consistent" || verdict === "inconsistent")
  );
  const lines = [...Map.groupBy(withCaveats, ({ caveats }) => caveats.join("; "))].map(
    ([caveats, ofModels]) => {
      const names = ofModels.map(({ model }) => escapeMarkdown(model)).join(" and ");
      return `For ${names} the verdict is **consistent** or **inconsistent** instead of *reproduced* or ` +
        `*differs*, because ${escapeMarkdown(caveats)}.\n`;
    },
  );
  return lines.join("\n");
}
