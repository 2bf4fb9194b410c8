/**
 * The report's first table: the study's own, with our values.
 *
 * @module
 */

import { FASTER_RCNN_ADAPTED } from "../../study.ts";
import type { MeanAndSd } from "../../metrics/descriptive_statistics.ts";
import type { Comparison, ModelComparison } from "../analysis/comparison.ts";
import { hasRandomWeights } from "../analysis/differences_from_study.ts";
import { describeFailedSeeds, namedSeeds } from "../analysis/failed_seeds.ts";
import { formatFixed, formatOverSeeds, NONE } from "../analysis/format_numbers.ts";
import { findModel } from "../analysis/study_models.ts";
import { countsMisses, type ResultRow } from "../record/result_row.ts";
import { settingLabel, settingNotes } from "../analysis/describe_run.ts";
import { code, escapeMarkdown, table } from "./markdown.ts";

/** The study's words where nothing is trained. */
const INFERENCE_ONLY = FASTER_RCNN_ADAPTED.published.trainingTime;

/** Our values in the study's table, how the runs differ from the study's, and what is missing. */
export function renderResults({ models, mixed }: Comparison): string {
  return [
    "## The runs shown, in the study's table\n",
    "Means ± standard deviations over the seeds of the settings above. Test loss is cross-entropy, the mean over the test batches; F1 is the mean over the classes, " +
    "weighted by their number of test images (1 is best).\n",
    renderMixed(mixed),
    renderWarning(models),
    renderResultsTable(models),
    renderDescriptions(models),
    renderNotes(models),
  ].filter((part) => part !== "").join("\n");
}

/**
 * The study's own table: `Model | Test Loss | Accuracy (%) | F1 Score | Training Time (s)`, and under
 * it what is not as in the study, where there is anything.
 */
export function renderResultsTable(models: readonly ModelComparison[]): string {
  const rows = models.map((model) => [escapeMarkdown(model.model), ...metricCells(model)]);
  const marks = describeMarks(models);
  return table(COLUMNS, rows) + (marks === "" ? "" : `\n${marks}\n`);
}

const COLUMNS = [
  { title: "Model" },
  { title: "Test Loss", align: "right" },
  { title: "Accuracy (%)", align: "right" },
  { title: "F1 Score", align: "right" },
  { title: "Training Time (s)", align: "right" },
] as const;

/** The marks that the first page has behind the names, and of how many seeds each mean is. */
function describeMarks(models: readonly ModelComparison[]): string {
  const ok = models.filter(({ row }) => row?.status === "ok");
  const marked = ok.flatMap(({ model, row }) => {
    const notes = settingNotes(row!);
    return notes.length === 0 ? [] : [`${model} (${notes.join(", ")})`];
  });
  const counts = new Set(ok.map(({ settings: [setting] }) => setting?.seeds ?? 1));
  const seeds = ok.map(({ model, settings: [setting] }) => `${model} ${setting?.seeds ?? 1}`);
  return [
    marked.length === 0 ? "" : `Not as in the study: ${marked.join("; ")}.`,
    Math.max(...counts) < 2 ? "" : `Mean ± standard deviation over the seeds: ${seeds.join(", ")}.`,
  ].filter((sentence) => sentence !== "").map(escapeMarkdown).join(" ");
}

/** Means over the seeds where there are several; a failure reads as in the study. */
function metricCells({ row, settings: [setting] }: ModelComparison): string[] {
  if (row === null) return ["not run", NONE, NONE, NONE];
  const { training_time_s: time } = row;
  if (row.status !== "ok") {
    const words = row.status === "error" ? "N/A (Error)" : "N/A (Interrupted)";
    return ["NaN", "NaN", "NaN", typeof time === "string" ? escapeMarkdown(time) : words];
  }
  const cell = (value: number | null, seeds: MeanAndSd | undefined, digits: number) =>
    seeds !== undefined && seeds.n > 0
      ? formatOverSeeds(seeds, setting!.seeds, digits)
      : formatFixed(value, digits);
  const noTime = findModel(row.model)?.training === null ? INFERENCE_ONLY : NONE;
  return [
    cell(row.test_loss, setting?.testLoss, 4),
    cell(row.accuracy, setting?.accuracy, 2),
    cell(row.f1, setting?.f1, 4),
    typeof time === "string"
      ? escapeMarkdown(time)
      : time === null
      ? noTime
      : cell(time, setting?.trainingTime, 2),
  ];
}

function renderMixed(mixed: readonly string[]): string {
  const lines = mixed.map((sentence) => `> - ${escapeMarkdown(sentence)}.\n`);
  return lines.length === 0 ? "" : `> **Compare these rows with care**:\n>\n${lines.join("")}`;
}

function renderWarning(models: readonly ModelComparison[]): string {
  const lines = models
    .filter(({ differences }) => differences.length > 0)
    .map(({ model, differences }) =>
      `> - ${escapeMarkdown(model)}: ${escapeMarkdown(differences.join("; "))}.\n`
    );
  if (lines.length === 0) return "";
  return "> **Not comparable with the published values**, because the run differs from the " +
    `study's:\n>\n${lines.join("")}`;
}

/** What the names in the table stand for. */
function renderDescriptions(models: readonly ModelComparison[]): string {
  return models.map(({ model, published, row }) => {
    const phrases = [
      findModel(model)?.description ?? "",
      published === null ? "not in the study" : "",
      row !== null && hasRandomWeights(row)
        ? "**run with random weights, so not a result about the pretrained network**"
        : "",
    ];
    return `- ${escapeMarkdown(model)}: ${phrases.filter((phrase) => phrase !== "").join("; ")}.\n`;
  }).join("");
}

/** Of more settings with seeds that failed, these are named. */
const SETTINGS_NAMED = 20;

function renderNotes(models: readonly ModelComparison[]): string {
  const notes: string[] = [];
  for (const { model, row, newerFailure, failedSeeds } of models) {
    const name = escapeMarkdown(model);
    if (row === null) {
      notes.push(`${name} (part ${findModel(model)?.part}) has not been run.`);
    } else if (row.status !== "ok") {
      notes.push(`${name} has no successful run. The newest, ${describeFailure(row)}`);
    }
    const isNamed = failedSeeds.slice(0, SETTINGS_NAMED)
      .some((failed) =>
        namedSeeds(failed).some((one) => !one.hasResult && one.row === newerFailure)
      );
    if (newerFailure !== null && !isNamed) {
      notes.push(`${name}: a run newer than the one shown, ${describeFailure(newerFailure)}`);
    }
    for (const failed of failedSeeds.slice(0, SETTINGS_NAMED)) {
      const words = `${settingLabel(failed.setting)}: ${describeFailedSeeds(failed)}`;
      notes.push(`${escapeMarkdown(words)}.`);
    }
    if (failedSeeds.length > SETTINGS_NAMED) {
      notes.push(`${name}: seeds of ${failedSeeds.length - SETTINGS_NAMED} more settings failed.`);
    }
    if (row?.status === "ok" && (row.evaluated_images ?? Infinity) < (row.test_images ?? 0)) {
      notes.push(
        `${name}: no digit was found in ${row.test_images! - row.evaluated_images!} of ` +
          `${row.test_images} test images; they ${
            countsMisses(row) ? "count as wrong" : "are left out of its metrics"
          }.`,
      );
    }
  }
  if (notes.length === 0) return "";
  return `What is missing or failed:\n\n${notes.map((note) => `- ${note}\n`).join("")}`;
}

function describeFailure(row: ResultRow): string {
  const how = row.status === "interrupted" ? "was interrupted" : "failed";
  const reason = row.error === "" ? "." : `: ${escapeMarkdown(row.error)}`;
  return `${code(row.run_id)} of ${escapeMarkdown(row.started_at)}, ${how}${reason}`;
}
