/**
 * What to expect of a part, for the head of its script: accuracy, time and memory, on which machine
 * and over how many seeds.
 *
 * @module
 */

import { MODELS, type PartNumber } from "../../study.ts";
import type { MeanAndSd } from "../../metrics/descriptive_statistics.ts";
import type { ModelComparison } from "../analysis/comparison.ts";
import { devicesAmong, resourcesOf } from "../analysis/describe_machine.ts";
import {
  formatCount,
  formatFixed,
  formatMeanAndSd,
  formatShare,
} from "../analysis/format_numbers.ts";
import { nameNotes } from "../analysis/describe_run.ts";

/** A paragraph that begins with `Expect`, on one line. */
export function renderExpectation(models: readonly ModelComparison[], part: PartNumber): string {
  const own = models
    .filter(({ model }) => MODELS.some(({ name, part: of }) => name === model && of === part));
  const machineOf = devicesAmong(own.map(({ manifest }) => manifest));
  const sentences = own.flatMap((model) => describeExpected(model, machineOf(model.manifest)));
  return sentences.length === 0
    ? "Expect: nothing is on record yet."
    : `Expect what the runs on record found. ${sentences.join(" ")}`;
}

function describeExpected(
  { model, settings: [setting], manifest }: ModelComparison,
  machine: string,
): string[] {
  if (setting === undefined) return [];
  const { newest, seeds, accuracy, trainingTime, inference } = setting;
  const notes = nameNotes(newest);
  const memory = resourcesOf(manifest).peak_memory_bytes;
  const facts = [
    `correct on ${formatMeanAndSd(accuracy, 2)} % of ${formatCount(newest.test_images)} images`,
    ...(trainingTime.n > 0
      ? [`${formatSeconds(trainingTime)} of training${formatShare(trainingTime.n, seeds)}`]
      : [`${formatFixed(inference.mean, 0)} ms an image`]),
    ...(memory === undefined ? [] : [`${formatFixed(memory / 1e9, 1)} GB of memory`]),
  ];
  return [
    `${model}${notes.length > 0 ? ` (${notes.join(", ")})` : ""}: ${facts.join(", ")}; ` +
    `${seeds} seed${seeds === 1 ? "" : "s"}${machine === "" ? "" : `, on ${machine}`}.`,
  ];
}

/** In whole seconds, or in tenths where there are few of them. */
function formatSeconds(time: MeanAndSd): string {
  return `${formatMeanAndSd(time, time.mean < 100 ? 1 : 0)} s`;
}
