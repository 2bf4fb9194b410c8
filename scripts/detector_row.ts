/**
 * Rows of detectors' runs, however they end.
 *
 * @module
 */

import { InterruptedError } from "../io/errors.ts";
import { appendRow, type ResultRow } from "../report/results.ts";
import { newRunId } from "../report/run_folder.ts";
import type { DetectorContext, DetectorFlags, DetectorPlan } from "./detector_run.ts";

/** The part of the study that runs detectors. */
export const DETECTOR_PART = 2;

const NO_ROW: ResultRow = {
  run_id: "",
  started_at: "",
  part: DETECTOR_PART,
  model: "",
  status: "error",
  test_loss: null,
  accuracy: null,
  f1: null,
  training_time_s: null,
  inference_ms_per_image: null,
  evaluated_images: null,
  test_images: null,
  train_images: null,
  epochs: null,
  batch_size: null,
  learning_rate: null,
  weight_decay: null,
  seed: null,
  dataset: "",
  dataset_sha256: "",
  weights: "",
  weights_sha256: "",
  backend: "",
  device: "",
  precision: "",
  error: "",
};

/** The row of a run that has not begun. */
export function emptyRow(
  { model, weights, head }: DetectorPlan,
  flags: DetectorFlags,
  { engine, dataset }: DetectorContext,
  start: Pick<ResultRow, "run_id" | "started_at">,
): ResultRow {
  return {
    ...NO_ROW,
    ...start,
    model,
    test_images: dataset.test.count,
    batch_size: flags.batchSize,
    ...(head && {
      train_images: dataset.train.count,
      epochs: head.settings.epochs,
      learning_rate: head.settings.learning_rate,
      weight_decay: head.settings.weight_decay,
    }),
    seed: flags.seed,
    dataset: dataset.name,
    dataset_sha256: dataset.sha256,
    weights: weights.label,
    weights_sha256: weights.sha256,
    backend: engine.backend,
    device: engine.device,
    precision: engine.precision,
  };
}

/** Makes a row that of a run stopped by `error`. */
export function fail(row: ResultRow, error: unknown): ResultRow {
  if (error instanceof InterruptedError) {
    row.status = "interrupted";
    return row;
  }
  row.status = "error";
  row.error = error instanceof Error ? error.message : String(error);
  row.training_time_s = "N/A (Error)";
  row.test_loss = row.accuracy = row.f1 = NaN;
  return row;
}

/** Writes the row of a run that failed before it could begin, for want of engine, data or weights. */
export async function appendFailedRow(
  { model, out, seed, batchSize }:
    & { model: string }
    & Pick<
      DetectorFlags,
      "out" | "seed" | "batchSize"
    >,
  error: unknown,
): Promise<void> {
  const startedAt = new Date();
  const row = fail({
    ...NO_ROW,
    run_id: newRunId(DETECTOR_PART, model, seed, startedAt),
    started_at: startedAt.toISOString(),
    model,
    seed,
    batch_size: batchSize,
  }, error);
  await appendRow(out, row);
}
