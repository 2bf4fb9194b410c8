/**
 * The report's full tables: every setting with its metrics and seeds.
 *
 * @module
 */

import type { Comparison } from "../analysis/comparison.ts";
import { formatCount, formatOverSeeds, NONE } from "../analysis/format_numbers.ts";
import { settingLabel } from "../analysis/describe_run.ts";
import { scoredImages } from "../record/result_row.ts";
import { INFERENCE_CLOCK, TIMED_ALIKE } from "../analysis/seed_aggregates.ts";
import { code, escapeMarkdown, table } from "./markdown.ts";

const SETTINGS_SHOWN = 50;

/** Every setting of every model, that nearest to the study's first; nothing if no run is ok. */
export function renderSettings({ models }: Comparison): string {
  const all = models.flatMap(({ parameters, settings }) =>
    settings.map((setting) => ({ parameters, ...setting }))
  );
  if (all.length === 0) return "";
  const shown = all.slice(0, SETTINGS_SHOWN);
  const more = all.length - shown.length;
  const metrics = shown.map(({ seeds, ...setting }, i) => [
    String(i + 1),
    escapeMarkdown(settingLabel(setting.newest)),
    formatCount(setting.parameters),
    String(seeds),
    formatOverSeeds(setting.testLoss, seeds, 4),
    formatOverSeeds(setting.accuracy, seeds, 2),
    formatOverSeeds(setting.f1, seeds, 4),
    formatOverSeeds(setting.trainingTime, seeds, 2),
    formatOverSeeds(setting.inference, seeds, 3),
    formatCount(scoredImages(setting.newest)),
  ]);
  const settings = shown.map(({ newest }, i) => [
    String(i + 1),
    escapeMarkdown(newest.dataset) || NONE,
    `${formatCount(newest.train_images)} / ${formatCount(newest.test_images)}`,
    escapeMarkdown(newest.weights) || NONE,
    formatCount(newest.epochs),
    [newest.batch_size, newest.learning_rate, newest.weight_decay]
      .map((value) => value === null ? NONE : String(value)).join(" / "),
    escapeMarkdown(newest.backend) || NONE,
    escapeMarkdown(newest.device) || NONE,
    escapeMarkdown(newest.precision) || NONE,
    code(newest.run_id) || NONE,
  ]);
  return "## All successful runs on record\n\n" +
    "Runs that differ only in the seed are grouped: mean ± standard deviation (divisor n − 1) over the " +
    "seeds, with the newest ok run of each. For each model the setting closest to the study's comes " +
    "first; it is the one shown above. Whatever differs from the study follows the model's name, as " +
    "does the engine where it is not TensorFlow. Parameters are all weights and biases, trained or " +
    `frozen. Inference is ${INFERENCE_CLOCK}. Times are means over those seeds only that ran under ` +
    `the same conditions as the newest run: ${TIMED_ALIKE}.\n\n` +
    table(METRIC_COLUMNS, metrics) + "\n" + table(SETTING_COLUMNS, settings) +
    (more > 0 ? `\nAnd ${more} more, not shown.\n` : "");
}

const METRIC_COLUMNS = [
  { title: "No.", align: "right" },
  { title: "Model" },
  { title: "Parameters", align: "right" },
  { title: "Seeds", align: "right" },
  { title: "Test loss", align: "right" },
  { title: "Accuracy (%)", align: "right" },
  { title: "F1", align: "right" },
  { title: "Training time (s)", align: "right" },
  { title: "Inference (ms/image)", align: "right" },
  { title: "Images evaluated", align: "right" },
] as const;

const SETTING_COLUMNS = [
  { title: "No.", align: "right" },
  { title: "Data set" },
  { title: "Training / test images", align: "right" },
  { title: "Weights" },
  { title: "Epochs", align: "right" },
  { title: "Batch / rate / decay", align: "right" },
  { title: "Engine" },
  { title: "Device" },
  { title: "Precision" },
  { title: "Newest run" },
] as const;
