/**
 * A training run on disk: what is trained, Adam's moments and how far it has come, in one
 * `.safetensors` file.
 *
 * The parameters have PyTorch's names and layouts, so PyTorch reads the file too; the moments stand
 * beside them as `optimizer.exp_avg.<name>` and `optimizer.exp_avg_sq.<name>`. Tensors are copied one
 * after the other, both ways.
 *
 * @module
 */

import type * as tf from "@tensorflow/tfjs";
import { StudyError } from "../io/errors.ts";
import {
  openSafetensors,
  type PendingTensor,
  streamCheckpoint,
} from "../models/checkpoint/safetensors.ts";
import { matchStateDict, type StateTensor } from "../models/checkpoint/state_dict.ts";
import type { Parameters } from "../models/parameters.ts";
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

/** What is saved of a model: what is trained of it. */
export interface TrainedModel {
  readonly parameters: Parameters;
}

/** What is saved of a trainer. */
export type TrainedBy = Pick<Trainer, "optimizer" | "step">;

/** Writes parameters, optimiser and progress; the file is replaced in one step. */
export async function saveTraining(
  path: string,
  { parameters }: TrainedModel,
  trainer: TrainedBy,
  progress: TrainingProgress,
): Promise<void> {
  const pending = new Map<string, PendingTensor>();
  let last: StateTensor | undefined;
  for (const { key, name, variable } of savedVariables(parameters, trainer)) {
    pending.set(key, {
      dtype: "float32",
      shape: parameters.shapes.get(name)!,
      tensor() {
        // It has been written when the next one is asked for.
        if (last !== undefined) release(last);
        return last = parameters.toState(variable, name);
      },
    });
  }
  const metadata = { ...progress, step: trainer.step };
  await streamCheckpoint(path, pending, { [METADATA_KEY]: JSON.stringify(metadata) });
}

/**
 * What a checkpoint says of its run, without reading its tensors.
 *
 * @throws {StudyError} If the file is no training checkpoint.
 */
export async function readProgress(path: string): Promise<TrainingProgress & { step: number }> {
  using checkpoint = await openSafetensors(path);
  const text = checkpoint.metadata[METADATA_KEY];
  if (text === undefined) {
    throw new StudyError(`${path} holds no training run: start again without --resume`);
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
  { parameters }: TrainedModel,
  trainer: TrainedBy,
): Promise<TrainingProgress> {
  const progress = await readProgress(path);
  using checkpoint = await openSafetensors(path);
  const saved = savedVariables(parameters, trainer);
  matchStateDict(
    new Map(checkpoint.names().map((key) => [key, checkpoint.describe(key)])),
    new Map(saved.map(({ key, name }) => [key, parameters.shapes.get(name)!])),
    { what: "the run to go on with" },
  );
  for (const { key, name, variable } of saved) {
    const tensor = await checkpoint.read(key);
    parameters.assign(variable, name, tensor);
    // Weights are laid out differently here, so that by now the device has copies of them.
    if (tensor.shape.length > 1) release(tensor);
  }
  trainer.step = progress.step;
  return progress;
}

/** Gives memory back at once: hundreds of megabytes would wait for the garbage collector. */
function release({ data: { buffer } }: StateTensor): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** A variable with its key in the file and the name of the parameter that it is laid out like. */
interface SavedVariable {
  key: string;
  name: string;
  variable: tf.Variable;
}

function savedVariables(
  parameters: TrainedModel["parameters"],
  { optimizer }: TrainedBy,
): SavedVariable[] {
  return [...parameters.variables].flatMap(([name, variable]) => {
    const { m, v } = optimizer.moments.get(name)!;
    return [
      { key: name, name, variable },
      { key: PREFIXES.m + name, name, variable: m },
      { key: PREFIXES.v + name, name, variable: v },
    ];
  });
}
