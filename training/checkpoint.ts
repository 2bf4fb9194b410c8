/**
 * A training run on disk: what is trained, the optimiser's state and how far it has come, in one
 * `.safetensors` file.
 *
 * The parameters have PyTorch's names and layouts, so PyTorch reads the file too; Adam's moments stand
 * beside them as `optimizer.exp_avg.<name>` and `optimizer.exp_avg_sq.<name>`, and so does what else a
 * recipe needs. Tensors are copied one after the other, both ways, and written in parts. The file's
 * notes have a checksum of all of it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type * as tf from "@tensorflow/tfjs";
import { StudyError } from "../io/errors.ts";
import { isRecord } from "../io/is_record.ts";
import { sha256Hex } from "../io/sha256.ts";
import { MOMENT_PREFIXES } from "../models/checkpoint/optimizer_state.ts";
import {
  CHECKSUM_NOTE,
  describeSum,
  ownChecksum,
  TRAINING_NOTE,
} from "../models/checkpoint/own_checksum.ts";
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

/** What is saved of a model: what is trained of it. */
export interface TrainedModel {
  readonly parameters: Parameters;
}

/** What is saved of a trainer. */
export type TrainedBy =
  & Pick<Trainer, "optimizer" | "step">
  & Partial<Pick<Trainer, "muon" | "average">>;

/** Bytes of a checkpoint's tensors, which its notes add little to. */
export function checkpointBytes({ parameters }: TrainedModel, trainer: TrainedBy): number {
  return savedVariables(parameters, trainer).reduce(
    (sum, { variable }) => sum + 4 * variable.size,
    0,
  );
}

/**
 * Writes parameters, optimiser and progress; the file is replaced in one step.
 *
 * @throws {StudyError} If a parameter is not finite any more: the file stays as it was.
 */
export async function saveTraining(
  path: string,
  { parameters }: TrainedModel,
  trainer: TrainedBy,
  progress: TrainingProgress,
): Promise<void> {
  const pending = new Map<string, PendingTensor>();
  const sums = new Map<string, string>();
  for (const { key, name, variable } of savedVariables(parameters, trainer)) {
    pending.set(key, {
      dtype: "float32",
      shape: parameters.shapes.get(name)!,
      *parts() {
        const hash = createHash("sha256");
        for (const part of parameters.toStateParts(variable, name)) {
          if (key === name) checkFinite(part, { name, step: trainer.step });
          hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
          yield part;
          release(part);
        }
        sums.set(key, describeSum("float32", hash.digest("hex")));
      },
    });
  }
  const training = JSON.stringify({ ...progress, step: trainer.step });
  await streamCheckpoint(path, pending, () => ({
    [TRAINING_NOTE]: training,
    [CHECKSUM_NOTE]: ownChecksum(training, sums),
  }));
}

/** What no later step looks at, where it is the last one that has left it. */
function checkFinite(values: Float32Array, { name, step }: { name: string; step: number }): void {
  if (values.every(Number.isFinite)) return;
  throw new StudyError(
    `${name} has values that are not finite after step ${step}: lower the learning rate with --lr`,
  );
}

function tensorSum({ dtype, data: { buffer, byteOffset, byteLength } }: StateTensor): string {
  return describeSum(dtype, sha256Hex(new Uint8Array(buffer, byteOffset, byteLength)));
}

/**
 * What a checkpoint says of its run, without reading its tensors.
 *
 * @throws {StudyError} If the file is no training checkpoint, or what it says cannot be.
 */
export async function readProgress(path: string): Promise<TrainingProgress & { step: number }> {
  using checkpoint = await openSafetensors(path);
  const text = checkpoint.metadata[TRAINING_NOTE];
  if (text === undefined) {
    throw new StudyError(`${path} holds no training run: start again without --resume`);
  }
  const progress = parseProgress(text);
  if (progress === undefined) throw damaged(path);
  return progress;
}

/** What the notes say; `undefined` if no training can have left it. */
function parseProgress(text: string): TrainingProgress & { step: number } | undefined {
  let value: Partial<TrainingProgress & { step: number }> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { settings, history, step } = value ?? {};
  if (!isRecord(settings) || !Array.isArray(history) || !history.every(isEpoch)) return undefined;
  // Every epoch has as many steps.
  const isStep = Number.isSafeInteger(step) && step! >= history.length &&
    (history.length === 0 ? step === 0 : step! % history.length === 0);
  return isStep ? { ...value, settings, history, step: step! } : undefined;
}

function isEpoch(value: Partial<EpochResult> | null, index: number): boolean {
  const { epoch, loss, correct, seen, seconds } = value ?? {};
  return epoch === index + 1 && Number.isFinite(loss) && Number.isSafeInteger(seen) && seen! > 0 &&
    Number.isFinite(correct) && correct! >= 0 && correct! <= seen! && Number.isFinite(seconds) &&
    seconds! >= 0;
}

function damaged(path: string): StudyError {
  return new StudyError(`${path} is damaged: start a new run without --resume`);
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
  const { [TRAINING_NOTE]: training, [CHECKSUM_NOTE]: expected } = checkpoint.metadata;
  const sums = new Map<string, string>();
  const saved = savedVariables(parameters, trainer);
  matchStateDict(
    new Map(checkpoint.names().map((key) => [key, checkpoint.describe(key)])),
    new Map(saved.map(({ key, name }) => [key, parameters.shapes.get(name)!])),
    { what: "the run to go on with" },
  );
  for (const { key, name, variable } of saved) {
    const tensor = await checkpoint.read(key);
    sums.set(key, tensorSum(tensor));
    parameters.assign(variable, name, tensor);
    // Weights are laid out differently here, so that by now the device has copies of them.
    if (tensor.shape.length > 1) release(tensor.data);
  }
  // Earlier versions wrote none.
  if (expected !== undefined && expected !== ownChecksum(training!, sums)) throw damaged(path);
  trainer.step = progress.step;
  return progress;
}

/** Gives memory back at once: hundreds of megabytes would wait for the garbage collector. */
function release({ buffer }: StateTensor["data"]): void {
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
  { optimizer, muon, average }: TrainedBy,
): SavedVariable[] {
  return [...parameters.variables].flatMap(([name, variable]) => {
    const state = {
      ...optimizer.moments.get(name),
      momentum: muon?.momenta.get(name),
      average: average?.variables.get(name),
    };
    return [
      { key: name, name, variable },
      ...Object.entries(MOMENT_PREFIXES).flatMap(([kind, prefix]) => {
        const variable = state[kind as keyof typeof MOMENT_PREFIXES];
        return variable === undefined ? [] : [{ key: prefix + name, name, variable }];
      }),
    ];
  });
}
