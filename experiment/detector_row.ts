/**
 * Rows of detectors' runs, however they end.
 *
 * @module
 */

import { EMPTY_ROW } from "../report/record/result_row.ts";
import { appendRow, type ResultRow } from "../report/record/results.ts";
import { newRunId } from "../report/record/run_folder.ts";
import { stopRow } from "./failure_rows.ts";
import type { DetectorContext, DetectorFlags, DetectorPlan } from "./detector_plan.ts";

/** The part of the study that runs detectors. */
export const DETECTOR_PART = 2;

const NO_ROW: ResultRow = { ...EMPTY_ROW, part: DETECTOR_PART };

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
  const row = stopRow({
    ...NO_ROW,
    run_id: newRunId(DETECTOR_PART, model, seed, startedAt),
    started_at: startedAt.toISOString(),
    model,
    seed,
    batch_size: batchSize,
  }, error);
  await appendRow(out, row);
}
