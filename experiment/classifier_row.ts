/**
 * What a run of a classifier writes down of itself: settings, history, and its row however it ends.
 *
 * @module
 */

import { InterruptedError } from "../io/errors.ts";
import type { Reporter } from "../io/reporter.ts";
import type { ObtainedWeights } from "../models/checkpoint/pretrained.ts";
import { EMPTY_ROW } from "../report/record/result_row.ts";
import { appendRow, type ResultRow } from "../report/record/results.ts";
import { type HistoryRow, newRunId } from "../report/record/run_folder.ts";
import type { TrainingProgress } from "../training/checkpoint.ts";
import type { EpochResult } from "../training/trainer.ts";
import { stopRow } from "./failure_rows.ts";
import type { ClassifierFlags, ClassifierPlan, RunContext } from "./classifier_plan.ts";

/** What decides a run's arithmetic: a resumed run must share it with the one it goes on with. */
export function runSettings(
  plan: ClassifierPlan,
  flags: ClassifierFlags,
  { engine, dataset }: RunContext,
  weights: ObtainedWeights | undefined,
): TrainingProgress["settings"] {
  return {
    model: plan.model,
    seed: flags.seed,
    batch_size: flags.batchSize,
    learning_rate: flags.lr,
    weight_decay: plan.weightDecay,
    dataset: dataset.name,
    dataset_sha256: dataset.sha256,
    train_images: dataset.train.count,
    precision: engine.precision,
    ...(weights && { weights: weights.label, weights_sha256: weights.sha256 }),
    ...plan.settings,
    // A schedule stretches over the epochs asked for: with others it would be another run.
    ...(plan.schedule && { epochs: flags.epochs }),
  };
}

/** Writes the row of a run that did not end well; returns what is to be thrown. */
export async function leaveRow(
  error: unknown,
  { plan, flags, reporter, row, history }: {
    plan: ClassifierPlan;
    flags: ClassifierFlags;
    reporter: Reporter;
    row: ResultRow;
    history: readonly EpochResult[];
  },
): Promise<unknown> {
  const interrupted = error instanceof InterruptedError;
  stopRow(row, error);
  row.epochs = history.length;
  if (interrupted) row.training_time_s = trainingTime(history);
  await appendRow(flags.out, row).catch(({ message }) => {
    reporter.warn(`The row of run ${row.run_id} is missing from the results: ${message}`);
  });
  return interrupted ? withRemedy(plan, flags, history.length) : error;
}

/** The row of a run that begins now. */
export function newRow(
  plan: ClassifierPlan,
  flags: ClassifierFlags,
  { engine, dataset }: RunContext,
): ResultRow {
  const now = new Date();
  return {
    ...EMPTY_ROW,
    run_id: newRunId(plan.part, plan.model, flags.seed, now),
    started_at: now.toISOString(),
    part: plan.part,
    model: plan.model,
    test_images: dataset.test.count,
    train_images: dataset.train.count,
    epochs: flags.epochs,
    batch_size: flags.batchSize,
    learning_rate: flags.lr,
    weight_decay: plan.weightDecay,
    seed: flags.seed,
    dataset: dataset.name,
    dataset_sha256: dataset.sha256,
    backend: engine.backend,
    device: engine.device,
    precision: engine.precision,
  };
}

/** Lines of `history.csv`; features computed beforehand are epoch 0. */
export function historyRows(
  history: readonly EpochResult[],
  extraction: number | undefined,
): HistoryRow[] {
  const before = { epoch: 0, train_loss: NaN, train_accuracy: NaN };
  return [
    ...(extraction === undefined ? [] : [{ ...before, time_s: extraction }]),
    ...history.map(({ epoch, loss, correct, seen, seconds }) => ({
      epoch,
      train_loss: loss,
      train_accuracy: 100 * correct / seen,
      time_s: seconds,
    })),
  ];
}

/** Seconds of training alone: loading and evaluation are left out. */
export function trainingTime(history: readonly EpochResult[]): number {
  return history.reduce((sum, { seconds }) => sum + seconds, 0);
}

function withRemedy(plan: ClassifierPlan, flags: ClassifierFlags, done: number): InterruptedError {
  const kept = done === 0
    ? `before the first epoch was finished: ${plan.keptEarly ?? "nothing is kept"}; start it again`
    : `after epoch ${done} of ${flags.epochs}, which is kept: add --resume to the same command ` +
      "to go on";
  return new InterruptedError(`${plan.model} (seed ${flags.seed}) was interrupted ${kept}`);
}
