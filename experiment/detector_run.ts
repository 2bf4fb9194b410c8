/**
 * One run of a detector from start or partial results to its row: digits read, scored, noted.
 *
 * @module
 */

import { InterruptedError, StudyError } from "../io/errors.ts";
import { appendRow, type ResultRow } from "../report/record/results.ts";
import { type Manifest, newRunId, runFolder, writeManifest } from "../report/record/run_folder.ts";
import { type DigitReadings, readDigits } from "../training/detection/read_digits.ts";
import type { EpochResult } from "../training/trainer.ts";
import { ImageProgress } from "./detection_log.ts";
import type { DetectorContext, DetectorFlags, DetectorPlan, HeadRun } from "./detector_plan.ts";
import { DETECTOR_PART, emptyRow } from "./detector_row.ts";
import { summarize, trainingTime } from "./detector_summary.ts";
import { stopRow } from "./failure_rows.ts";
import { gitState, machine, versions } from "./provenance.ts";
import { noReadings, readReadings, writeReadings } from "./readings_file.ts";
import { findRun } from "./unfinished_runs.ts";

/** Milliseconds after which what has been read is written down. */
const SAVE_INTERVAL = 5000;

/**
 * Runs the plan and appends its row, whichever way it ends.
 *
 * @returns The row; the one that is there already if `--resume` found the run finished.
 * @throws {InterruptedError} After Ctrl-C, once what is finished is kept.
 * @throws {Error} Whatever stopped the run, once its error row is written.
 */
export async function runDetector(
  plan: DetectorPlan,
  flags: DetectorFlags,
  context: DetectorContext,
): Promise<ResultRow> {
  const { engine, dataset, reporter } = context;
  const { model } = plan;
  const settings = runSettings(plan, flags, context);
  const extent = { epochs: plan.head?.settings.epochs ?? null, test_images: dataset.test.count };
  const wanted = { part: DETECTOR_PART, model, settings, extent };
  const resumed = flags.resume ? await findRun(flags.out, wanted, "manifest.json") : undefined;
  if (resumed?.row) {
    reporter.line(`Run ${resumed.runId} is finished: nothing to resume`);
    return resumed.row;
  }
  if (flags.resume && resumed === undefined) {
    reporter.line(`No run of ${model} with seed ${flags.seed} to resume: starting anew`);
  }
  const startedAt = resumed?.startedAt ?? new Date().toISOString();
  const runId = resumed?.runId ?? newRunId(DETECTOR_PART, model, flags.seed, new Date(startedAt));
  const folder = runFolder(flags.out, runId);
  const row = emptyRow(plan, flags, context, { run_id: runId, started_at: startedAt });
  const history: EpochResult[] = [];
  const readings = resumed ? await earlierReadings(folder, flags, context) : noReadings();
  try {
    const manifest: Manifest = {
      run_id: runId,
      started_at: startedAt,
      part: DETECTOR_PART,
      model,
      settings: { ...settings, ...extent, source: dataset.source, command: context.command },
      versions: versions(engine),
      machine: machine(engine),
      git: await gitState(),
    };
    await writeManifest(folder, manifest);
    reporter.line(`${model}: seed ${flags.seed}, ${plan.weights.label} weights`);
    await trainAndRead({ plan, flags, context, folder, settings, history }, readings);
    const measured = await summarize({ plan, context, folder, readings, history }, row);
    await writeManifest(folder, { ...manifest, measured });
    row.status = "ok";
  } catch (error) {
    const interrupted = error instanceof InterruptedError;
    stopRow(row, error);
    if (interrupted) row.training_time_s = trainingTime(plan, history);
    // The first of the history is the computing of features.
    if (plan.head) row.epochs = Math.max(0, history.length - 1);
    await appendRow(flags.out, row).catch(({ message }) => {
      reporter.warn(`The row of run ${runId} is missing from the results: ${message}`);
    });
    throw interrupted ? withRemedy(plan, { flags, context, readings, history }) : error;
  }
  await appendRow(flags.out, row);
  return row;
}

/** What the run to go on with has read: whole batches, so that those to come are as in one go. */
async function earlierReadings(
  folder: string,
  { batchSize }: DetectorFlags,
  { dataset: { test }, reporter }: DetectorContext,
): Promise<DigitReadings> {
  const found = await readReadings(folder);
  const done = found.predictions.length;
  if (done > test.count) {
    throw new StudyError(
      `Cannot resume ${folder}: it has read ${done} images already, more than --test-limit ` +
        `${test.count}. Ask for ${done} or more, or start anew without --resume`,
    );
  }
  const kept = done < test.count ? done - done % batchSize : done;
  reporter.line(`Going on with ${folder} after ${kept} of ${test.count} test images`);
  return {
    predictions: found.predictions.slice(0, kept),
    scores: found.scores.slice(0, kept),
    milliseconds: found.milliseconds.slice(0, kept),
  };
}

async function trainAndRead(run: HeadRun, readings: DigitReadings): Promise<void> {
  const { plan, flags, context, folder } = run;
  const { engine, dataset: { test }, reporter, signal } = context;
  const detector = await plan.build(flags.seed);
  let savedAt = performance.now();
  const save = async () => {
    await writeReadings(folder, readings);
    savedAt = performance.now();
  };
  try {
    await plan.head?.train(detector, run);
    if (readings.predictions.length === test.count) return;
    const progress = new ImageProgress(reporter, "Inference", test.count);
    try {
      await readDigits(engine, detector, test, {
        batchSize: flags.batchSize,
        transform: plan.transform,
        readings,
        onBatch: async () => {
          progress.show(readings.predictions.length);
          if (performance.now() - savedAt > SAVE_INTERVAL) await save();
        },
        signal,
      });
    } finally {
      if (readings.predictions.length > 0) await save();
    }
  } finally {
    reporter.live("");
    detector.dispose();
  }
}

/** What decides a run's arithmetic: a resumed run must share it with the one it goes on with. */
function runSettings(
  { model, weights, normalise, head }: DetectorPlan,
  flags: DetectorFlags,
  { engine, dataset }: DetectorContext,
) {
  return {
    model,
    seed: flags.seed,
    batch_size: flags.batchSize,
    normalise,
    weights: weights.label,
    weights_sha256: weights.sha256,
    dataset: dataset.name,
    dataset_sha256: dataset.sha256,
    precision: engine.precision,
    ...(head && { ...head.settings, train_images: dataset.train.count }),
  };
}

function withRemedy(
  { model }: DetectorPlan,
  { flags, context, readings, history }: {
    flags: DetectorFlags;
    context: DetectorContext;
    readings: DigitReadings;
    history: readonly EpochResult[];
  },
): InterruptedError {
  const done = readings.predictions.length;
  const epoch = history.at(-1)?.epoch;
  const what = done > 0
    ? `after ${done} of ${context.dataset.test.count} test images`
    : epoch
    ? `after epoch ${epoch} of training`
    : "before the first test image";
  return new InterruptedError(
    `${model} (seed ${flags.seed}) was interrupted ${what}; what is done is kept: add --resume ` +
      "to the same command to go on",
  );
}
