/**
 * A training run on disk: parameters, Adam's moments and how far it has come, in one
 * `.safetensors` file.
 *
 * The parameters have PyTorch's names and layouts, so PyTorch reads the file too; the moments stand
 * beside them as `optimizer.exp_avg.<name>` and `optimizer.exp_avg_sq.<name>`.
 *
 * @module
 */

import { StudyError } from "../io/errors.ts";
import type { Classifier } from "../models/classifier.ts";
import { openCheckpoint, saveCheckpoint, type StateDict } from "../models/state_dict.ts";
import type { EpochResult, Trainer } from "./trainer.ts";

/** What a checkpoint says besides tensors. */
export interface TrainingProgress {
  /** Settings that decide the run's arithmetic: a run goes on only with the same. */
  settings: Readonly<Record<string, string | number>>;
  /** Finished epochs, in order. */
  history: EpochResult[];
}

const PREFIXES = { m: "optimizer.exp_avg.", v: "optimizer.exp_avg_sq." } as const;

/** Key in the file's metadata. */
const METADATA_KEY = "training";

/** Writes model, optimiser and progress; the file is replaced in one step. */
export async function saveTraining(
  path: string,
  model: Classifier,
  trainer: Trainer,
  progress: TrainingProgress,
): Promise<void> {
  const state: StateDict = new Map(model.stateDict());
  for (const [name, moments] of trainer.optimizer.moments) {
    for (const which of ["m", "v"] as const) {
      state.set(PREFIXES[which] + name, model.parameters.toState(moments[which], name));
    }
  }
  const metadata = { ...progress, step: trainer.step };
  await saveCheckpoint(path, state, { [METADATA_KEY]: JSON.stringify(metadata) });
}

/**
 * What a checkpoint says of its run, without reading its tensors.
 *
 * @throws {StudyError} If the file is no training checkpoint.
 */
export async function readProgress(path: string): Promise<TrainingProgress & { step: number }> {
  using checkpoint = await openCheckpoint(path);
  const text = checkpoint.metadata[METADATA_KEY];
  if (text === undefined) {
    throw new StudyError(`${path} holds no training run: start anew without --resume`);
  }
  return JSON.parse(text);
}

/**
 * Brings model and trainer to where {@linkcode saveTraining} left them, to the bit.
 *
 * @returns The run's progress.
 * @throws {StudyError} If the file is damaged or of another model.
 */
export async function restoreTraining(
  path: string,
  model: Classifier,
  trainer: Trainer,
): Promise<TrainingProgress> {
  const progress = await readProgress(path);
  using checkpoint = await openCheckpoint(path);
  const parameters: StateDict = new Map();
  for (const [name, moments] of trainer.optimizer.moments) {
    parameters.set(name, await checkpoint.read(name));
    for (const which of ["m", "v"] as const) {
      const tensor = await checkpoint.read(PREFIXES[which] + name);
      model.parameters.assign(moments[which], name, tensor);
    }
  }
  model.loadStateDict(parameters);
  trainer.step = progress.step;
  return progress;
}
