/**
 * One run of a classifier from start or checkpoint to its row: trained, evaluated, written down.
 *
 * @module
 */

import { join } from "node:path";
import type * as tf from "@tensorflow/tfjs";
import type { Dataset } from "../data/dataset.ts";
import type { Engine } from "../engine/engine.ts";
import { InterruptedError } from "../io/errors.ts";
import type { Reporter } from "../io/reporter.ts";
import type { Classifier } from "../models/classifier.ts";
import { appendRow, type ResultRow } from "../report/results.ts";
import {
  newRunId,
  runFolder,
  writeHistory,
  writeManifest,
  writePredictions,
} from "../report/run_folder.ts";
import { restoreTraining, saveTraining, type TrainingProgress } from "../training/checkpoint.ts";
import { evaluate } from "../training/evaluate.ts";
import { type BatchProgress, type EpochResult, Trainer } from "../training/trainer.ts";
import { gitState, machine, versions } from "./provenance.ts";
import { showBatch, showEpoch } from "./training_log.ts";
import { CHECKPOINT, findResumable } from "./unfinished_runs.ts";

/** What is to be run. */
export interface ClassifierPlan {
  /** Part of the study. */
  part: number;
  /** The model's name in the results. */
  model: string;
  /** Makes the model. */
  build: (seed: number) => Classifier;
  /** From pixels `[n, 784]`, 0..255, to what the model takes. */
  transform: (pixels: tf.Tensor) => tf.Tensor4D;
  /** Adam's L2 factor. */
  weightDecay: number;
  /** Learning rate of each step, from the flag and the steps of the run; constant if absent. */
  schedule?: (lr: number, totalSteps: number) => (step: number) => number;
}

/** The flags that decide a run. */
export interface ClassifierFlags {
  seed: number;
  epochs: number;
  batchSize: number;
  lr: number;
  out: string;
  resume: boolean;
}

/** Where a run happens. */
export interface RunContext {
  engine: Engine;
  dataset: Dataset;
  reporter: Reporter;
  /** The command line, for the manifest. */
  command: readonly string[];
  /** Aborts the run at the next batch. */
  signal: AbortSignal;
}

/**
 * Runs the plan and appends its row, whichever way it ends.
 *
 * @returns The row; the one that is there already if `--resume` found the run finished.
 * @throws {InterruptedError} After Ctrl-C, once what is finished is kept.
 * @throws {Error} Whatever stopped the run, once its error row is written.
 */
export async function runClassifier(
  plan: ClassifierPlan,
  flags: ClassifierFlags,
  context: RunContext,
): Promise<ResultRow> {
  const { engine, dataset, reporter } = context;
  const settings = runSettings(plan, flags, context);
  const extent = { epochs: flags.epochs, test_images: dataset.test.count };
  const resumed = flags.resume
    ? await findResumable(flags.out, { ...plan, settings, extent })
    : undefined;
  if (resumed?.row) {
    reporter.line(`Run ${resumed.runId} is finished: nothing to resume`);
    return resumed.row;
  }
  if (flags.resume && resumed === undefined) {
    reporter.line(`No run of ${plan.model} with seed ${flags.seed} to resume: starting anew`);
  }
  const { epochs, seed } = flags;
  reporter.line(`${plan.model}: ${epochs} epoch${epochs === 1 ? "" : "s"}, seed ${seed}`);
  const startedAt = resumed?.startedAt ?? new Date().toISOString();
  const runId = resumed?.runId ?? newRunId(plan.part, plan.model, seed, new Date(startedAt));
  const row = emptyRow(plan, flags, context, { run_id: runId, started_at: startedAt });
  const history: EpochResult[] = [];
  try {
    await writeManifest(runFolder(flags.out, runId), {
      run_id: runId,
      started_at: startedAt,
      part: plan.part,
      model: plan.model,
      settings: { ...settings, ...extent, source: dataset.source, command: context.command },
      versions: versions(engine),
      machine: machine(engine),
      git: await gitState(),
    });
    await trainAndEvaluate(plan, flags, context, {
      row,
      history,
      settings,
      checkpoint: resumed?.checkpoint,
    });
    row.status = "ok";
  } catch (error) {
    const interrupted = error instanceof InterruptedError;
    row.status = interrupted ? "interrupted" : "error";
    row.error = interrupted ? "" : error instanceof Error ? error.message : String(error);
    row.epochs = history.length;
    row.training_time_s = interrupted ? trainingTime(history) : "N/A (Error)";
    if (!interrupted) row.test_loss = row.accuracy = row.f1 = NaN;
    await appendRow(flags.out, row).catch(({ message }) => {
      reporter.warn(`The row of run ${runId} is missing from the results: ${message}`);
    });
    throw interrupted ? withRemedy(plan, flags, history.length) : error;
  }
  await appendRow(flags.out, row);
  return row;
}

interface RunState {
  row: ResultRow;
  history: EpochResult[];
  settings: TrainingProgress["settings"];
  checkpoint: string | undefined;
}

async function trainAndEvaluate(
  plan: ClassifierPlan,
  flags: ClassifierFlags,
  context: RunContext,
  { row, history, settings, checkpoint }: RunState,
): Promise<void> {
  const { engine, dataset, reporter, signal } = context;
  const { transform } = plan;
  const folder = runFolder(flags.out, row.run_id);
  const model = plan.build(flags.seed);
  const trainer = new Trainer(engine, model, dataset.train, {
    batchSize: flags.batchSize,
    adam: { learningRate: learningRate(plan, flags, dataset), weightDecay: plan.weightDecay },
    seed: flags.seed,
    transform,
  });
  try {
    if (checkpoint !== undefined) {
      history.push(...(await restoreTraining(checkpoint, model, trainer)).history);
      reporter.line(`Going on with run ${row.run_id} after epoch ${history.length}`);
    }
    for (let epoch = history.length + 1; epoch <= flags.epochs; epoch++) {
      const show = (progress: BatchProgress) => showBatch(reporter, progress, flags.epochs);
      const result = await trainer.trainEpoch(epoch, show, signal);
      history.push(result);
      showEpoch(reporter, result);
      await saveTraining(join(folder, CHECKPOINT), model, trainer, { settings, history });
      await writeHistory(folder, history.map(historyRow));
    }
    const { test } = dataset;
    const result = await evaluate(engine, model, test, {
      batchSize: flags.batchSize,
      transform,
      signal,
      onProgress: (done, total) => reporter.live(`Evaluating  ${done}/${total} images`),
    });
    reporter.line(
      `Test set: average loss ${result.loss.toFixed(4)}, accuracy ` +
        `${Math.round(result.accuracy * test.count)}/${test.count} ` +
        `(${(100 * result.accuracy).toFixed(2)}%), F1 ${result.f1.toFixed(4)}`,
    );
    await writePredictions(folder, {
      targets: test.labels,
      predictions: result.predictions,
      scores: result.scores,
    });
    Object.assign(row, {
      test_loss: result.loss,
      accuracy: 100 * result.accuracy,
      f1: result.f1,
      training_time_s: trainingTime(history),
      inference_ms_per_image: 1000 * result.seconds / test.count,
      evaluated_images: test.count,
    });
  } finally {
    reporter.live("");
    trainer.dispose();
    model.dispose();
  }
}

/** What decides a run's arithmetic: a resumed run must share it with the one it goes on with. */
function runSettings(
  plan: ClassifierPlan,
  flags: ClassifierFlags,
  { engine, dataset }: RunContext,
) {
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
    // A schedule stretches over the epochs asked for: with others it would be another run.
    ...(plan.schedule && { epochs: flags.epochs }),
  };
}

function learningRate({ schedule }: ClassifierPlan, flags: ClassifierFlags, dataset: Dataset) {
  const steps = flags.epochs * Math.ceil(dataset.train.count / flags.batchSize);
  return schedule?.(flags.lr, steps) ?? flags.lr;
}

function emptyRow(
  plan: ClassifierPlan,
  flags: ClassifierFlags,
  { engine, dataset }: RunContext,
  start: Pick<ResultRow, "run_id" | "started_at">,
): ResultRow {
  return {
    ...start,
    part: plan.part,
    model: plan.model,
    status: "error",
    test_loss: null,
    accuracy: null,
    f1: null,
    training_time_s: null,
    inference_ms_per_image: null,
    evaluated_images: null,
    test_images: dataset.test.count,
    train_images: dataset.train.count,
    epochs: flags.epochs,
    batch_size: flags.batchSize,
    learning_rate: flags.lr,
    weight_decay: plan.weightDecay,
    seed: flags.seed,
    dataset: dataset.name,
    dataset_sha256: dataset.sha256,
    weights: "",
    weights_sha256: "",
    backend: engine.backend,
    device: engine.device,
    precision: engine.precision,
    error: "",
  };
}

function historyRow({ epoch, loss, correct, seen, seconds }: EpochResult) {
  return { epoch, train_loss: loss, train_accuracy: 100 * correct / seen, time_s: seconds };
}

/** Seconds of training alone: loading and evaluation are left out. */
function trainingTime(history: readonly EpochResult[]): number {
  return history.reduce((sum, { seconds }) => sum + seconds, 0);
}

function withRemedy(plan: ClassifierPlan, flags: ClassifierFlags, done: number): InterruptedError {
  const kept = done === 0
    ? "before the first epoch was finished: nothing is kept; start it again"
    : `after epoch ${done} of ${flags.epochs}, which is kept: add --resume to the same command ` +
      "to go on";
  return new InterruptedError(`${plan.model} (seed ${flags.seed}) was interrupted ${kept}`);
}
