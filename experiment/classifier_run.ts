/**
 * One run of a classifier from start or checkpoint to its row: trained, evaluated, written down.
 *
 * @module
 */

import { join } from "node:path";
import type { Dataset } from "../data/dataset.ts";
import type { ObtainedWeights } from "../models/checkpoint/pretrained.ts";
import { appendRow, type ResultRow } from "../report/record/results.ts";
import {
  runFolder,
  writeHistory,
  writeManifest,
  writePredictions,
} from "../report/record/run_folder.ts";
import {
  readProgress,
  restoreTraining,
  saveTraining,
  type TrainingProgress,
} from "../training/checkpoint.ts";
import { evaluate } from "../training/evaluate.ts";
import { type BatchProgress, type EpochResult, Trainer } from "../training/trainer.ts";
import type {
  ClassifierFlags,
  ClassifierPlan,
  PreparedRun,
  RunContext,
} from "./classifier_plan.ts";
import { historyRows, leaveRow, newRow, runSettings, trainingTime } from "./classifier_row.ts";
import { gitState, machine, versions } from "./provenance.ts";
import { showBatch, showEpoch } from "./training_log.ts";
import { CHECKPOINT, findResumable } from "./unfinished_runs.ts";

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
  const { dataset, reporter } = context;
  const row = newRow(plan, flags, context);
  const history: EpochResult[] = [];
  const fail = (error: unknown) => leaveRow(error, { plan, flags, reporter, row, history });
  let weights: ObtainedWeights | undefined;
  try {
    weights = await plan.weights?.(reporter);
  } catch (error) {
    throw await fail(error);
  }
  row.weights = weights?.label ?? "";
  row.weights_sha256 = weights?.sha256 ?? "";
  const settings = runSettings(plan, flags, context, weights);
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
  if (resumed) Object.assign(row, { run_id: resumed.runId, started_at: resumed.startedAt });
  try {
    await writeManifest(runFolder(flags.out, row.run_id), {
      run_id: row.run_id,
      started_at: row.started_at,
      part: plan.part,
      model: plan.model,
      settings: { ...settings, ...extent, source: dataset.source, command: context.command },
      versions: versions(context.engine),
      machine: machine(context.engine),
      git: await gitState(),
    });
    const checkpoint = resumed?.checkpoint;
    const done = checkpoint === undefined ? [] : (await readProgress(checkpoint)).history;
    using run = await plan.prepare({
      ...context,
      flags,
      weights,
      epochsLeft: epochs - done.length,
      lastEpochSeconds: done.at(-1)?.seconds,
    });
    await trainAndEvaluate(plan, flags, context, { run, row, history, settings, checkpoint });
    row.status = "ok";
  } catch (error) {
    throw await fail(error);
  }
  await appendRow(flags.out, row);
  return row;
}

interface RunState {
  run: PreparedRun;
  row: ResultRow;
  history: EpochResult[];
  settings: TrainingProgress["settings"];
  checkpoint: string | undefined;
}

async function trainAndEvaluate(
  plan: ClassifierPlan,
  flags: ClassifierFlags,
  context: RunContext,
  { run, row, history, settings, checkpoint }: RunState,
): Promise<void> {
  const { engine, dataset, reporter, signal } = context;
  const { model, train, test, chunk, extraction } = run;
  const folder = runFolder(flags.out, row.run_id);
  const trainer = new Trainer(engine, model, train, {
    batchSize: flags.batchSize,
    adam: { learningRate: learningRate(plan, flags, dataset), weightDecay: plan.weightDecay },
    seed: flags.seed,
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
      await writeHistory(folder, historyRows(history, extraction?.train));
    }
    const result = await evaluate(engine, model, test, {
      batchSize: flags.batchSize,
      signal,
      ...(chunk !== undefined && { chunk }),
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
    const inferenceTime = (extraction?.test ?? 0) + result.seconds;
    Object.assign(row, {
      test_loss: result.loss,
      accuracy: 100 * result.accuracy,
      f1: result.f1,
      training_time_s: (extraction?.train ?? 0) + trainingTime(history),
      inference_ms_per_image: 1000 * inferenceTime / test.count,
      evaluated_images: test.count,
    });
  } finally {
    reporter.live("");
    trainer.dispose();
  }
}

function learningRate({ schedule }: ClassifierPlan, flags: ClassifierFlags, dataset: Dataset) {
  const steps = flags.epochs * Math.ceil(dataset.train.count / flags.batchSize);
  return schedule?.(flags.lr, steps) ?? flags.lr;
}
