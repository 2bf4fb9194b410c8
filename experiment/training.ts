/**
 * What a run does with a classifier: epochs with checkpoints, and the test that gives its row.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { StudyError } from "../io/errors.ts";
import { exists } from "../io/path_kind.ts";
import { freeSpace } from "../io/free_space.ts";
import { formatBytes } from "../io/reporter.ts";
import { stopsAfter } from "../io/stop_notice.ts";
import {
  isKnownToDiffer,
  readEvaluations,
  readManifest,
  writeEvaluations,
  writeHistory,
  writePredictions,
} from "../report/record/run_folder.ts";
import type { TrainingSettings } from "../study.ts";
import {
  checkpointBytes,
  restoreTraining,
  saveTraining,
  type TrainedModel,
} from "../training/checkpoint.ts";
import { evaluate, type Evaluation, type LabelledBatches } from "../training/evaluate.ts";
import { smoothedCrossEntropy } from "../training/cross_entropy.ts";
import { oneCycle } from "../training/one_cycle.ts";
import type { EpochResult, TrainableModel, Trainer, TrainerOptions } from "../training/trainer.ts";
import { beginsAnew } from "./continuation.ts";
import { EvaluationProgress, showBatch, showEpoch } from "./progress.ts";
import { CHECKPOINT } from "./resume.ts";
import type { Measured, Run, RunPlan } from "./run.ts";
import type { Setup } from "./set_up.ts";

/** Published settings with what the command line says in their place. */
export function trainingSettings(
  published: TrainingSettings,
  { epochs, batchSize, lr }: { epochs: number; batchSize: number; lr: number },
): TrainingSettings {
  return { ...published, epochs, batchSize, learningRate: lr };
}

/** The columns of a row that say how a classifier is trained, on the images of a setup if there is one. */
export function trainingColumns(
  { epochs, batchSize, learningRate, weightDecay }: TrainingSettings,
  setup?: Setup,
): RunPlan["columns"] {
  return {
    ...(setup && { train_images: setup.dataset.train.count }),
    epochs,
    batch_size: batchSize,
    learning_rate: learningRate,
    weight_decay: weightDecay,
  };
}

/** What a trainer is to do with a set of `count` examples. */
export function trainerOptions(
  { epochs, batchSize, learningRate, weightDecay, oneCycle: cycle, recipe = {} }: TrainingSettings,
  { seed, count }: { seed: number; count: number },
): Pick<TrainerOptions, "batchSize" | "adam" | "seed" | "frozen" | "muon" | "average" | "loss"> {
  const totalSteps = epochs * Math.ceil(count / batchSize);
  const shape = typeof cycle === "object" ? cycle : {};
  const rate = (maxLr: number) => cycle ? oneCycle({ maxLr, totalSteps, ...shape }) : maxLr;
  const { beta2, labelSmoothing, frozen, muon, average } = recipe;
  return {
    batchSize,
    adam: {
      learningRate: rate(learningRate),
      weightDecay,
      ...(beta2 !== undefined && { beta2 }),
    },
    seed,
    ...(labelSmoothing !== undefined && { loss: smoothedCrossEntropy(labelSmoothing) }),
    ...(frozen && { frozen }),
    ...(muon && { muon: { ...muon, learningRate: rate(muon.learningRate) } }),
    ...(average && { average }),
  };
}

/**
 * What decides a run's arithmetic besides the columns of its row. A schedule and a running mean end
 * with the epochs asked for: with others it would be another run.
 */
export function decidingRecipe(
  { epochs, oneCycle, recipe }: TrainingSettings,
): NonNullable<RunPlan["settings"]> {
  return {
    ...((oneCycle || recipe?.average) && { epochs }),
    ...(typeof oneCycle === "object" && { one_cycle: JSON.stringify(oneCycle) }),
    ...(recipe && { recipe: JSON.stringify(recipe) }),
  };
}

/** Options of {@linkcode trainEpochs}. */
export interface TrainEpochsOptions {
  epochs: number;
  /** What is said when a checkpoint is taken up, with the number of its epochs. */
  resumed?: (done: number) => string;
  /** Leaves out the log lines of batches. */
  epochsOnly?: boolean;
  /**
   * What the model is trained on, in the plural.
   *
   * @default {"images"}
   */
  unit?: string;
  /** Called after every so many epochs, outside the clock, for `evaluations.csv`. */
  evaluation?: { every: number; evaluate: () => Promise<Evaluation> };
}

/**
 * Trains up to as many epochs, from the run's checkpoint where it has one; after each there is a new
 * checkpoint and `history.csv` has a new line.
 *
 * @throws {StudyError} If a loss or a parameter is not finite, if the checkpoint is damaged, and if the
 *   disk has no room for checkpoints.
 * @throws {InterruptedError} If aborted; finished epochs are kept.
 */
export async function trainEpochs<Input, Output, Targets>(
  run: Run,
  model: TrainedModel,
  trainer: Trainer<Input, Output, Targets>,
  { epochs, resumed, epochsOnly = false, unit = "images", evaluation }: TrainEpochsOptions,
): Promise<void> {
  const { reporter, signal, folder, settings, history, row } = run;
  const own = join(folder, CHECKPOINT);
  const isContinued = await exists(run.checkpoint);
  if (isContinued) {
    history.push(...(await restoreTraining(run.checkpoint, model, trainer)).history);
    // It may have been stopped between an epoch's checkpoint and its line, and the last has no next.
    await saveHistory(run);
    if (run.checkpoint !== own) await takeOverEvaluations(run);
    const done = history.length;
    reporter.line(resumed?.(done) ?? `Going on with run ${row.run_id} after epoch ${done}`);
  }
  run.events?.begin(trainer.step, unit);
  if (history.length < epochs) {
    await requireCheckpointRoom(folder, checkpointBytes(model, trainer));
  }
  const evaluateEpoch = async () => {
    const epoch = history.length;
    if (!evaluation || epoch === 0 || epoch % evaluation.every !== 0) return;
    // After the last epoch the running mean is in the model's parameters already.
    if (epoch !== epochs) trainer.swapAverage();
    await saveEvaluation(run, await evaluation.evaluate());
    if (epoch !== epochs) trainer.swapAverage();
  };
  stopsAfter("batch");
  try {
    // It may have been stopped between an epoch's checkpoint and the evaluation.
    if (isContinued && run.checkpoint === own && !(await isEvaluated(run))) await evaluateEpoch();
    for (let epoch = history.length + 1; epoch <= epochs; epoch++) {
      const result = await trainer.trainEpoch(epoch, (progress) => {
        showBatch(reporter, progress, { epochs, epochsOnly, unit });
        run.events?.batch(progress, trainer);
      }, signal);
      // What is tested and kept in the end is the running mean, where there is one.
      if (epoch === epochs) trainer.swapAverage();
      showEpoch(reporter, result);
      // Before the checkpoint: a run that goes on from it has the events up to it.
      await run.events?.epoch(result);
      await saveTraining(own, model, trainer, { settings, history: [...history, result] });
      // From here on it is kept, whatever happens.
      history.push(result);
      await saveHistory(run);
      await run.keepResources();
      await evaluateEpoch();
    }
  } finally {
    reporter.live("");
  }
}

/** A checkpoint takes the place of the one before it when it is all there, so there are two. */
async function requireCheckpointRoom(folder: string, bytes: number): Promise<void> {
  const copies = await exists(join(folder, CHECKPOINT)) ? 1 : 2;
  const free = await freeSpace(folder);
  if (free === undefined || copies * bytes <= free) return;
  throw new StudyError(
    `Not enough room for checkpoints: one takes ${formatBytes(bytes)}, while it is written the ` +
      `one before it stays, and ${folder} has ${formatBytes(free)}`,
    { remedy: "free space there or choose another folder with --out" },
  );
}

/** The evaluation that `--eval-every` asks for, for {@linkcode trainEpochs}. */
export function evaluationEvery(
  every: number | undefined,
  evaluate: () => Promise<Evaluation>,
): Pick<TrainEpochsOptions, "evaluation"> {
  return every === undefined ? {} : { evaluation: { every, evaluate } };
}

/** Options of {@linkcode testClassifier}. */
export interface TestClassifierOptions {
  /** Images over which a batch's mean loss is taken. */
  batchSize: number;
  /**
   * Seconds that the test images' features took, where they are computed before.
   *
   * @default {0}
   */
  featureSeconds?: number;
}

/** Classifies the test images, without leaving a trace in the run. */
export async function classify<Input>(
  { engine, reporter, signal }: Run,
  model: Pick<TrainableModel<Input>, "forward">,
  test: LabelledBatches<Input>,
  { batchSize }: TestClassifierOptions,
): Promise<Evaluation> {
  const progress = new EvaluationProgress(reporter);
  stopsAfter("batch");
  try {
    return await evaluate(engine, model, test, {
      batchSize,
      signal,
      onProgress: (done, total) => progress.show(done, total),
    });
  } finally {
    reporter.live("");
  }
}

/** Classifies the test images, writes `predictions.csv`, and returns what the row is to say. */
export async function testClassifier<Input>(
  run: Run,
  model: Pick<TrainableModel<Input>, "forward">,
  test: LabelledBatches<Input>,
  options: TestClassifierOptions,
): Promise<Measured> {
  const { reporter, folder } = run;
  const { featureSeconds = 0 } = options;
  const { count, labels } = test;
  const { loss, accuracy, f1, predictions, scores, seconds } = await classify(
    run,
    model,
    test,
    options,
  );
  reporter.line(
    `Test set: average loss ${loss.toFixed(4)}, accuracy ${
      Math.round(accuracy * count)
    }/${count} ` +
      `(${(100 * accuracy).toFixed(2)}%), F1 ${f1.toFixed(4)}`,
  );
  await writePredictions(folder, { targets: labels, predictions, scores });
  run.events?.result({ loss, accuracy, f1 }, { predictions, scores });
  return {
    test_loss: loss,
    accuracy: 100 * accuracy,
    f1,
    inference_ms_per_image: 1000 * (featureSeconds + seconds) / count,
    evaluated_images: count,
  };
}

/** Writes `history.csv`; features computed beforehand are epoch 0. */
async function saveHistory({ folder, history, featureSeconds }: Run): Promise<void> {
  const before = { epoch: 0, train_loss: NaN, train_accuracy: NaN };
  await writeHistory(folder, [
    ...(featureSeconds === undefined ? [] : [{ ...before, time_s: featureSeconds }]),
    ...history.map(({ epoch, loss, correct, seen, seconds }: EpochResult) => ({
      epoch,
      train_loss: loss,
      train_accuracy: 100 * correct / seen,
      time_s: seconds,
    })),
  ]);
}

/**
 * Writes the lines that a shorter run has for the epochs taken over from it, or says that they are of
 * another number of test images.
 */
async function takeOverEvaluations(run: Run): Promise<void> {
  const { folder, checkpoint, history, row, reporter } = run;
  const shorter = dirname(checkpoint);
  const was = (await readManifest(shorter).catch(() => undefined))?.settings.test_images;
  const theirs = await readEvaluations(shorter).catch(() => []);
  const rows = theirs.filter(({ epoch }) => epoch <= history.length);
  if (rows.length === 0) return;
  if (!isKnownToDiffer(was, row.test_images)) return await writeEvaluations(folder, rows);
  reporter.line(beginsAnew(was, row.test_images));
}

/** The lines of `evaluations.csv`; none where there is no such file. */
async function evaluationsOf({ folder }: Run): ReturnType<typeof readEvaluations> {
  return await exists(join(folder, "evaluations.csv")) ? await readEvaluations(folder) : [];
}

/** Whether the test images were classified after the last epoch so far. */
async function isEvaluated(run: Run): Promise<boolean> {
  return (await evaluationsOf(run)).some(({ epoch }) => epoch === run.history.length);
}

/** Adds an epoch's line to `evaluations.csv`; later ones, of an earlier attempt, go. */
async function saveEvaluation(run: Run, { loss, accuracy }: Evaluation): Promise<void> {
  const { folder, reporter, history: { length: epoch } } = run;
  await writeEvaluations(folder, [
    ...(await evaluationsOf(run)).filter((row) => row.epoch < epoch),
    { epoch, test_loss: loss, test_accuracy: 100 * accuracy },
  ]);
  await run.events?.evaluation(epoch, { loss, accuracy });
  reporter.line(
    `Test set after epoch ${epoch}: average loss ${loss.toFixed(4)}, accuracy ` +
      `${(100 * accuracy).toFixed(2)}%`,
  );
}
