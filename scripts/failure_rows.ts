/**
 * Error rows for parts that could not leave one themselves: that did not get as far as a run, or
 * were killed.
 *
 * @module
 */

import { ProblemList } from "../report/problems.ts";
import { appendRow, readResults, type ResultRow, resultsPath } from "../report/results.ts";
import { newRunId } from "../report/run_folder.ts";

/** A part that failed. */
export interface FailedPart {
  /** Results folder. */
  out: string;
  part: number;
  /** The models that it was to run. */
  models: readonly string[];
  seed: number;
  /** What went wrong. */
  failure: string;
  /** {@linkcode knownRows} before it was started. */
  before: ReadonlySet<string>;
}

/** The rows that a part has, each by its run and how that ended. */
export async function knownRows(out: string, part: number): Promise<Set<string>> {
  return new Set((await rowsOf(out, part)).map(keyOf));
}

/** Adds an error row for each model without a new row, if the part has left no row that says so. */
export async function noteFailure(failed: FailedPart): Promise<void> {
  const { out, part, models, before } = failed;
  const added = (await rowsOf(out, part)).filter((row) => !before.has(keyOf(row)));
  if (added.some(({ status }) => status !== "ok")) return;
  for (const model of models) {
    if (!added.some((row) => row.model === model)) await appendRow(out, errorRow(model, failed));
  }
}

function keyOf({ run_id, model, status }: ResultRow): string {
  return [run_id, model, status].join("\n");
}

async function rowsOf(out: string, part: number): Promise<ResultRow[]> {
  return (await readResults(resultsPath(out, part), new ProblemList())).map(({ row }) => row);
}

function errorRow(model: string, { part, seed, failure }: FailedPart): ResultRow {
  const now = new Date();
  return {
    run_id: newRunId(part, model, seed, now),
    started_at: now.toISOString(),
    part,
    model,
    status: "error",
    test_loss: NaN,
    accuracy: NaN,
    f1: NaN,
    training_time_s: "N/A (Error)",
    inference_ms_per_image: null,
    evaluated_images: null,
    test_images: null,
    train_images: null,
    epochs: null,
    batch_size: null,
    learning_rate: null,
    weight_decay: null,
    seed,
    dataset: "",
    dataset_sha256: "",
    weights: "",
    weights_sha256: "",
    backend: "",
    device: "",
    precision: "",
    error: failure,
  };
}
