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
    "A run with the study's data, weights and settings has **reproduced** a published value that lies " +
    "inside our interval as printed here, and **differs** if it does not; with a new classifier on " +
    "pretrained convolutions, or in another precision, the words are **consistent** and " +
    "**inconsistent**; any other run is not comparable. Ours is the mean over the seeds.\n\n" +
    "- *Several seeds*: the published value is that of one run on the same test images, so the " +
    "interval is the one in which one more run is expected (Student's prediction interval over our " +
    "seeds, which takes the runs' values as normally distributed, and as no closer together than whole " +
    "images can tell), cut off where values are impossible. With few seeds it is wide: where that of " +
    `95 % reaches more than ${describeWidest()} to a side of our mean, a value inside is no evidence, and ` +
    `there are **${TOO_FEW}**; of an untrained head, which is another guess with every seed, ten times as far.\n` +
    "- *One seed*: Wilson's interval for accuracy and the bootstrap's for F1, √2 times as wide, as the " +
    "published value is one run's too: where one more run is expected if seeds differ about as much as " +
    "samples of as many test images do. One seed cannot show that they do, so these verdicts are " +
    "marked. Test loss, and all values of an untrained head, are not judged from one seed.\n" +
    describeMultiplicity(judged) +
    "- Times are not judged: the published ones were measured on a GPU in Google Colab.\n\n" +
    table(columns, rows);
}

function describeMultiplicity({ count, confidence }: Comparison["judged"]): string {
  if (count === 0) return "- No value can be judged by an interval here.\n";
  return `- *Multiplicity*: ${count} ${
    count === 1 ? "value is" : "values are"
  } judged by an interval. ` +
    `Each interval is one of ${
      formatPercent(confidence)
    } (Bonferroni: 5 % shared by all), so that of ` +
    "reports on true reproductions at most 5 % have any verdict that says otherwise, as far as seeds " +
    "are distributed as is said above.\n";
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
