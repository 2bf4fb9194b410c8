/**
 * The report's section on the published values: were they reproduced?
 *
 * @module
 */

import type { Comparison, Metric, ModelComparison, Verdict } from "../analysis/comparison.ts";
import { kindsOfDifference } from "../analysis/differences_from_study.ts";
import { formatDifference, formatFixed, formatInterval } from "../analysis/format_numbers.ts";
import { DIGITS } from "../analysis/verdicts.ts";
import { escapeMarkdown, table } from "./markdown.ts";

const TITLES: Readonly<Record<Metric, string>> = {
  test_loss: "test loss",
  accuracy: "accuracy (%)",
  f1: "F1",
  training_time_s: "training time (s)",
  inference_ms_per_image: "inference (ms/image)",
};

/** A row for each published number of each model. */
export function renderPublished({ models }: Comparison): string {
  const rows = models.flatMap((model) =>
    model.verdicts.map((verdict, i) => [
      i === 0 ? escapeMarkdown(model.model) : "",
      ...verdictCells(verdict, model),
    ])
  );
  if (rows.length === 0) return "";
  const columns = [
    { title: "Model" },
    { title: "Metric" },
    { title: "Published", align: "right" },
    { title: "Ours", align: "right" },
    { title: "Difference", align: "right" },
    { title: "Our 95 % interval", align: "right" },
    { title: "Verdict" },
  ] as const;
  return "## Published against reproduced\n\n" +
    "The rule: a run with the study's data, weights and settings has **reproduced** a published " +
    "value that lies inside our 95 % interval as printed here, and **differs** if it does not; any " +
    "other run is not comparable. The interval is Wilson's for accuracy and the bootstrap's for F1. " +
    "For test loss, and for all values of a model with an untrained head, it is the range in which " +
    "a run with one more seed is expected (Student's prediction interval over our seeds). Times " +
    "are not judged: the published ones were measured on a GPU in Google Colab.\n\n" +
    table(columns, rows);
}

function verdictCells(verdict: Verdict, model: ModelComparison): string[] {
  const { metric, published, ours, difference, interval, method } = verdict;
  const digits = DIGITS[metric];
  return [
    TITLES[metric],
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
  const ofTheRun = kindsOfDifference(model.row!);
  const ofTheMetric = reasons.slice(model.differences.length);
  return `not comparable: ${escapeMarkdown([...ofTheRun, ...ofTheMetric].join(", "))}`;
}
