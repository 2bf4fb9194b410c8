/**
 * A run's setting and machine in a few words.
 *
 * @module
 */

import { type WeightsKind, weightsKind } from "../../io/weights_label.ts";
import { DATA, MODELS, type TrainingSettings } from "../../study.ts";
import { formatCount } from "../analysis/format_numbers.ts";
import type { ResultRow } from "../record/result_row.ts";
import type { Json, Manifest } from "../record/run_folder.ts";

const WEIGHTS_NOTES: Readonly<Record<WeightsKind, string>> = {
  torchvision: "",
  convolutions: "new classifier",
  random: "random weights",
  file: "own weights",
};

/** What is not as in the study: weights, data, number of images, epochs, settings, precision. */
export function settingNotes(row: ResultRow): string[] {
  const model = MODELS.find(({ name }) => name === row.model);
  const training = model?.training ?? null;
  const weights = model !== undefined && model.pretrainedOn !== null
    ? WEIGHTS_NOTES[weightsKind(row.weights) ?? "torchvision"]
    : "";
  const isAll = row.test_images === DATA.testImages &&
    (training === null || row.train_images === DATA.trainImages);
  const isSameLength = training === null || row.epochs === training.epochs;
  return [
    weights,
    row.dataset === DATA.name ? "" : row.dataset,
    isAll ? "" : describeImages(row),
    isSameLength || row.epochs === null ? "" : describeEpochs(row.epochs),
    ...optimiserNotes(row, training),
    row.precision === "float32" ? "" : row.precision,
  ].filter((note) => note !== "");
}

function describeEpochs(epochs: number): string {
  return `${epochs} epoch${epochs === 1 ? "" : "s"}`;
}

/** Part 2's batches are the detector's: they make no difference to its results. */
function optimiserNotes(row: ResultRow, training: TrainingSettings | null): string[] {
  if (training === null || row.part === 2) return [];
  const settings = [
    ["batch size", row.batch_size, training.batchSize],
    ["learning rate", row.learning_rate, training.learningRate],
    ["weight decay", row.weight_decay, training.weightDecay],
  ] as const;
  return settings.filter(([, ours, theirs]) => ours !== null && ours !== theirs)
    .map(([what, ours]) => `${what} ${ours}`);
}

/** `8,000 / 2,000 images`, for training and for testing. */
function describeImages({ train_images: train, test_images: test }: ResultRow): string {
  return train === null
    ? `${formatCount(test)} test images`
    : `${formatCount(train)} / ${formatCount(test)} images`;
}

/** What a run took of processor and memory, as far as its manifest says. */
export function resourcesOf(
  manifest: Manifest | null,
): { cpu_seconds?: number; peak_memory_bytes?: number } {
  const resources = manifest?.measured?.resources;
  if (typeof resources !== "object" || resources === null || Array.isArray(resources)) return {};
  return Object.fromEntries(
    Object.entries(resources).filter(([, value]) => typeof value === "number"),
  );
}

/** `AMD EPYC, 2 cores, linux, CPU`, as plain text; `""` if nothing is known. */
export function describeMachine(manifest: Manifest | null): string {
  const { os, device } = manifest?.machine ?? {};
  return join(describeProcessor(manifest), words(os), words(device));
}

/** `AMD EPYC, 2 cores`, and the device unless it is the processor. */
export function describeDevice(manifest: Manifest | null): string {
  const device = words(manifest?.machine.device);
  return join(describeProcessor(manifest), device === "CPU" ? "" : device);
}

function describeProcessor(manifest: Manifest | null): string {
  const { processor, cores } = manifest?.machine ?? {};
  return join(words(processor), words(cores) === "" ? "" : `${words(cores)} cores`);
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(", ");
}

function words(value: Json | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
