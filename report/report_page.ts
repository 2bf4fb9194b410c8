/**
 * Writes a comparison as Markdown: `results/report.md`.
 *
 * @module
 */

import type { Comparison, ModelComparison } from "./comparison.ts";
import { code, type Column, escapeMarkdown, table } from "./markdown.ts";
import { formatPlace, type Problem } from "./problems.ts";
import type { PublishedResult } from "./published.ts";
import type { ResultRow } from "./result_row.ts";

const NONE = "–";
const SETTINGS_SHOWN = 50;
const PROBLEMS_SHOWN = 50;

/** The measures of the study's table, in its order and with its headings. */
const MEASURES = [
  { title: "Test Loss", align: "right" },
  { title: "Accuracy (%)", align: "right" },
  { title: "F1 Score", align: "right" },
  { title: "Training Time (s)", align: "right" },
] as const satisfies readonly Column[];

const INFERENCE = { title: "Inference (ms/image)", align: "right" } as const satisfies Column;

/** The whole report. It depends on the comparison alone, so the same rows give the same text. */
export function renderReport(comparison: Comparison): string {
  const { models, problems } = comparison;
  return [
    "# The study's results, and ours\n",
    "Written by `deno task compare` from the `part*.csv` files in this folder. Each model is shown " +
    "with its newest run that succeeded; the data and settings of that run are listed below.\n",
    "## Results\n",
    "Test loss is cross-entropy, the mean over the test batches; F1 is the mean over the classes, " +
    "weighted by their number of test images (1 is best).\n",
    renderWarning(models),
    renderResultsTable(models),
    renderNotes(models),
    "## Beside the published values\n",
    "The difference is ours minus published. Times depend on the machine: the published ones were " +
    "measured on a GPU in Google Colab.\n",
    renderPublishedTable(models),
    renderRuns(models),
    renderSettings(models),
    renderProblems(problems),
  ].filter((section) => section !== "").join("\n");
}

/** The study's own table: `Model | Test Loss | Accuracy (%) | F1 Score | Training Time (s)`. */
export function renderResultsTable(models: readonly ModelComparison[]): string {
  return table(
    [{ title: "Model" }, ...MEASURES],
    models.map(({ model, row }) => [escapeMarkdown(model), ...measures(row)]),
  );
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

function renderNotes(models: readonly ModelComparison[]): string {
  const notes: string[] = [];
  for (const { model, row, newerFailure, published } of models) {
    const name = escapeMarkdown(model);
    if (row === null) {
      const part = published === null ? "" : ` (part ${published.part})`;
      notes.push(`${name}${part} has not been run.`);
    } else if (row.status !== "ok") {
      notes.push(`${name} has no successful run. The newest, ${describeFailure(row)}`);
    }
    if (newerFailure !== null) {
      notes.push(`${name}: a run newer than the one shown, ${describeFailure(newerFailure)}`);
    }
    if (row?.status === "ok" && (row.evaluated_images ?? Infinity) < (row.test_images ?? 0)) {
      notes.push(
        `${name}: no digit was found in ${row.test_images! - row.evaluated_images!} of ` +
          `${row.test_images} test images; they are left out of its metrics.`,
      );
    }
  }
  return notes.map((note) => `- ${note}\n`).join("");
}

function describeFailure(row: ResultRow): string {
  const how = row.status === "interrupted" ? "was interrupted" : "failed";
  const reason = row.error === "" ? "." : `: ${escapeMarkdown(row.error)}`;
  return `${code(row.run_id)} of ${escapeMarkdown(row.started_at)}, ${how}${reason}`;
}

function renderPublishedTable(models: readonly ModelComparison[]): string {
  const rows = models.flatMap(({ model, published, row, differences }) => {
    if (published === null) return [];
    const ours = differences.length > 0 ? "ours, **not comparable**" : "ours";
    const inference = row?.status === "ok" ? formatFixed(row.inference_ms_per_image, 2) : NONE;
    const lines = [
      [escapeMarkdown(model), "published", ...publishedMeasures(published)],
      ["", ours, ...measures(row), inference],
    ];
    if (row?.status === "ok") lines.push(["", "difference", ...differenceMeasures(row, published)]);
    return lines;
  });
  return table([{ title: "Model" }, { title: "" }, ...MEASURES, INFERENCE], rows);
}

/** The cells of {@linkcode MEASURES}; a failure reads as in the study. */
function measures(row: ResultRow | null): string[] {
  if (row === null) return ["not run", NONE, NONE, NONE];
  const { training_time_s: time } = row;
  if (row.status !== "ok") {
    const words = row.status === "error" ? "N/A (Error)" : "N/A (Interrupted)";
    return ["NaN", "NaN", "NaN", typeof time === "string" ? escapeMarkdown(time) : words];
  }
  const noTime = row.part === 2 ? "N/A (Inference Only)" : NONE;
  return [
    formatFixed(row.test_loss, 4),
    formatFixed(row.accuracy, 2),
    formatFixed(row.f1, 4),
    typeof time === "string" ? escapeMarkdown(time) : time === null ? noTime : formatFixed(time, 2),
  ];
}

function publishedMeasures(published: PublishedResult): string[] {
  const { trainingTime: time } = published;
  return [
    formatFixed(published.testLoss, 4),
    formatFixed(published.accuracy, 2),
    formatFixed(published.f1, 4),
    typeof time === "number" ? formatFixed(time, 2) : time,
    formatFixed(published.inferenceMsPerImage ?? null, 2),
  ];
}

function differenceMeasures(row: ResultRow, published: PublishedResult): string[] {
  return [
    formatDifference(row.test_loss, published.testLoss, 4),
    formatDifference(row.accuracy, published.accuracy, 2),
    formatDifference(row.f1, published.f1, 4),
    formatDifference(row.training_time_s, published.trainingTime, 2),
    formatDifference(row.inference_ms_per_image, published.inferenceMsPerImage, 2),
  ];
}

function renderRuns(models: readonly ModelComparison[]): string {
  const rows = models.flatMap(({ row }) => row === null ? [] : [row]);
  if (rows.length === 0) return "";
  const columns: Column[] = [
    { title: "Model" },
    { title: "Data set" },
    { title: "Training images", align: "right" },
    { title: "Test images", align: "right" },
    { title: "Weights" },
    { title: "Epochs", align: "right" },
    { title: "Seed", align: "right" },
    { title: "Backend" },
    { title: "Device" },
    { title: "Precision" },
    { title: "Run" },
  ];
  const lines = rows.map((row) => [
    escapeMarkdown(row.model),
    text(row.dataset),
    count(row.train_images),
    count(row.test_images),
    text(row.weights),
    count(row.epochs),
    count(row.seed),
    text(row.backend),
    text(row.device),
    text(row.precision),
    code(row.run_id) || NONE,
  ]);
  return "## What these rows are\n\n" +
    "More about a run is in `runs/`, in the folder of its name: all settings and versions, each " +
    `epoch, each prediction.\n\n${table(columns, lines)}`;
}

/** Every setting with its mean over seeds, if there is more on record than the rows shown. */
function renderSettings(models: readonly ModelComparison[]): string {
  const lines = models
    .filter(({ settings }) => settings.length > 1 || (settings[0]?.n ?? 0) > 1)
    .flatMap(({ settings }) => settings)
    .map(({ newest, n, mean, sd, seconds }) => [
      escapeMarkdown(newest.model),
      text(newest.dataset),
      `${count(newest.train_images)} / ${count(newest.test_images)}`,
      text(newest.weights),
      count(newest.epochs),
      [newest.batch_size, newest.learning_rate, newest.weight_decay].map(count).join(" / "),
      text(newest.precision),
      String(n),
      formatFixed(n > 0 ? mean : null, 2),
      formatFixed(n > 1 ? sd : null, 2),
      formatFixed(Number.isNaN(seconds) ? null : seconds, 2),
      code(newest.run_id) || NONE,
    ]);
  if (lines.length === 0) return "";
  const columns: Column[] = [
    { title: "Model" },
    { title: "Data set" },
    { title: "Training / test images", align: "right" },
    { title: "Weights" },
    { title: "Epochs", align: "right" },
    { title: "Batch / rate / decay", align: "right" },
    { title: "Precision" },
    { title: "n", align: "right" },
    { title: "Mean accuracy (%)", align: "right" },
    { title: "SD", align: "right" },
    { title: "Mean training time (s)", align: "right" },
    { title: "Newest run" },
  ];
  const more = lines.length - SETTINGS_SHOWN;
  return "## Every setting on record\n\n" +
    "Runs that differ in nothing but the seed are taken together: n is the number of seeds, SD the " +
    "standard deviation between them (divisor n − 1).\n\n" +
    table(columns, lines.slice(0, SETTINGS_SHOWN)) +
    (more > 0 ? `\nAnd ${more} more, not shown.\n` : "");
}

function renderProblems(problems: readonly Problem[]): string {
  const lines = problems.slice(0, PROBLEMS_SHOWN).map((problem) =>
    `- ${escapeMarkdown(formatPlace(problem))}: ${escapeMarkdown(problem.text)}.\n`
  );
  const more = problems.length - PROBLEMS_SHOWN;
  return "## Problems\n\n" +
    (lines.length > 0 ? lines.join("") : "None: every line of every file was read.\n") +
    (more > 0 ? `- And ${more} more.\n` : "");
}

function text(value: string): string {
  return escapeMarkdown(value) || NONE;
}

function count(value: number | null): string {
  return value === null ? NONE : String(value);
}

function formatFixed(value: number | null, digits: number): string {
  if (value === null) return NONE;
  return Number.isFinite(value) ? value.toFixed(digits) : String(value);
}

function formatDifference(ours: unknown, theirs: unknown, digits: number): string {
  if (typeof ours !== "number" || typeof theirs !== "number") return NONE;
  const difference = ours - theirs;
  if (!Number.isFinite(difference)) return NONE;
  const size = Math.abs(difference).toFixed(digits);
  if (Number(size) === 0) return size;
  return `${difference < 0 ? "−" : "+"}${size}`;
}
