/**
 * The report's section on the published values: were they reproduced?
 *
 * @module
 */

import type { Comparison, Metric, ModelComparison, Verdict } from "../analysis/comparison.ts";
import { blockingKinds } from "../analysis/differences_from_study.ts";
import { formatDifference, formatFixed, formatInterval } from "../analysis/format_numbers.ts";
import { DIGITS, TOO_FEW } from "../analysis/verdicts.ts";
import { escapeMarkdown, table } from "./markdown.ts";
import { describeWidest, formatPercent, METRIC_TITLES } from "./verdict_words.ts";

const UNITS: Readonly<Partial<Record<Metric, string>>> = {
  accuracy: " (%)",
  training_time_s: " (s)",
  inference_ms_per_image: " (ms/image)",
};

/** A row for each published number of each model. */
export function renderPublished({ models, judged }: Comparison): string {
  const rows = models.flatMap((model) =>
    model.verdicts.map((verdict, i) => [
      i === 0 ? escapeMarkdown(model.model) : "",
      ...verdictCells(verdict, model),
    ])
  );
  if (rows.length === 0) return "";
  const confidence = formatPercent(judged.confidence);
  const columns = [
    { title: "Model" },
    { title: "Metric" },
    { title: "Published", align: "right" },
    { title: "Ours", align: "right" },
    { title: "Difference", align: "right" },
    { title: `Our ${confidence} interval`, align: "right" },
    { title: "Verdict" },
  ] as const;
  return "## Published against reproduced\n\n" +
    "If a run has the study's data, weights and settings, a published value inside our interval, as " +
    "printed here, is **reproduced**; a value outside it **differs**. With a new classifier on " +
    "pretrained convolutions, or in another precision, the words are **consistent** and " +
    "**inconsistent**. Any other run is not comparable. Our value is the mean over the seeds.\n\n" +
    "- *Several seeds*: the published value comes from one run on the same test images, so the " +
    "interval is that in which one more run of ours is expected: Student's prediction interval over " +
    "our seeds, cut off where values are impossible. It assumes that the runs' values are normally " +
    "distributed, with a spread no smaller than the share of one image can resolve. With few seeds it " +
    `is wide: if the 95 % interval extends more than ${describeWidest()} to one side of our mean, a ` +
    `value inside it is no evidence, and the verdict is **${TOO_FEW}**. For an untrained head, which ` +
    "guesses differently with every seed, this limit is ten times as wide.\n" +
    "- *One seed*: the interval is Wilson's for accuracy and a bootstrap interval for F1, each widened by " +
    "√2 because the published value also comes from one run. It is where one more run is expected if " +
    "seeds vary about as much as samples of that many test images do. One seed cannot show that, so " +
    "these verdicts are marked. Test loss, and all values of an untrained head, are not judged from " +
    "one seed.\n" +
    describeMultiplicity(judged) +
    "- Times are not judged: the published ones were measured on a GPU in Google Colab.\n\n" +
    table(columns, rows);
}

function describeMultiplicity({ count, confidence }: Comparison["judged"]): string {
  if (count === 0) return "- No value can be judged by an interval here.\n";
  return `- *Multiplicity*: ${count} ${
    count === 1 ? "value is" : "values are"
  } judged by an interval. ` +
    `Each is a ${
      formatPercent(confidence)
    } interval (Bonferroni: 5 % divided among all), so that at most 5 % of reports on true ` +
    "reproductions contain any false verdict, provided that seeds are distributed as assumed above.\n";
}

function verdictCells(verdict: Verdict, model: ModelComparison): string[] {
  const { metric, published, ours, difference, interval, method } = verdict;
  const digits = DIGITS[metric];
  return [
    METRIC_TITLES[metric] + (UNITS[metric] ?? ""),
    formatFixed(published, digits),
    formatFixed(ours, digits),
    formatDifference(difference, digits),
    formatInterval(interval, digits) + (method === "" ? "" : ` (${method})`),
    verdictWords(verdict, model),
  ];
}

/** The verdict and the reasons in few words; those of the whole run are given in full above. */
function verdictWords({ verdict, reasons }: Verdict, model: ModelComparison): string {
  if (verdict !== "not comparable") return `**${verdict}**`;
  const ofTheRun = blockingKinds(model.row!);
  const ofTheMetric = reasons.slice(model.differences.length);
  return `not comparable: ${escapeMarkdown([...ofTheRun, ...ofTheMetric].join(", "))}`;
}
