/**
 * What the runs of a sweep will take of a node: time, memory and disk.
 *
 * A script of its own, which reads and prints JSON: `workflow/Snakefile` hands it a list of
 * {@linkcode RunSize} on standard input and the path of a file of {@linkcode NodeRates}, and asks the
 * cluster for what it prints, a list of {@linkcode RunForecast}.
 *
 * @module
 */

import type { BackendName, EngineOptions } from "../engine/engine.ts";
import { runScript } from "../io/run_script.ts";
import { FINE_TUNED_NETWORKS } from "../models/fine_tuned_networks.ts";
import { featureCount } from "../models/frozen_feature_layout.ts";
import {
  ALEXNET,
  DETECTION,
  FASTER_RCNN_ADAPTED,
  FASTER_RCNN_HEAD_TUNED,
  type PartSize,
  type Recipe,
  RECIPES,
  type StudyModel,
  VGG16,
} from "../study.ts";
import { BOX_FEATURE_BYTES } from "../training/detection/box_features.ts";
import { expectedCheckpointBytes } from "./checkpoint_forecast.ts";
import { imageCounts, inferenceSeconds, type MachineRates, stepSeconds } from "./forecast.ts";

/** How much a run does. */
export interface RunSize extends PartSize {
  model: "simplecnn" | "fasterrcnn" | "vgg16" | "alexnet";
  recipe?: Recipe;
  /** Of `fasterrcnn`: whether its predictor is trained first. */
  trainHead?: boolean;
  batchSize?: number;
  /** Of part 4: whether it computes the features of the images, which other runs find on disk. */
  features?: boolean;
  /**
   * What computes it.
   *
   * @default {"tensorflow"}
   */
  backend?: BackendName;
  /**
   * Where; `auto` is a GPU where the rates are of one.
   *
   * @default {"auto"}
   */
  device?: NonNullable<EngineOptions["device"]>;
  /** Processor cores that it has. */
  threads: number;
}

/** What was measured of a node. */
export interface NodeRates extends MachineRates {
  /** What it was measured with; absent in older files. */
  backend?: BackendName;
  /**
   * Processor cores that it was measured with: another number takes as many core seconds. `null` where
   * a GPU computes, and they make no difference.
   */
  cores: number | null;
}

/** What a run will take. */
export interface RunForecast {
  /** Of the wall, start and end included. */
  seconds: number;
  /** Resident bytes, at their highest. */
  memoryBytes: number;
  /** While it runs: two checkpoints, as one takes the other's place. */
  diskBytes: number;
  /** Once it is finished, in its folder; a checkpoint that is kept comes on top. */
  keptBytes: number;
  /** Of a checkpoint, which a finished run does not need. */
  checkpointBytes: number;
  /** Of features that it leaves in the cache. */
  featureBytes: number;
  /** Through the file system that it writes to: a checkpoint after every epoch, and what is kept. */
  writtenBytes: number;
  /** Of features that it finds in the cache, once: with enough memory, later epochs read no more. */
  readBytes: number;
}

/**
 * Fits the committed runs: 0.5 to 0.8 GB of SimpleCNN, 1.4 of the detector, 1.2 to 2.2 of AlexNet, 2.3 to
 * 3.9 of VGG16. On a GPU the engine has its driver's memory too, and WebGPU's tensors are not in ours.
 */
const MEMORY = {
  cpu: { engine: 6.5e8, perParameter: 18 },
  cuda: { engine: 1.4e9, perParameter: 18 },
  webgpu: { engine: 8e8, perParameter: 5 },
  software: { engine: 8e8, perParameter: 18 },
} as const;

/** Of a training step, for each image beyond the published batch: SimpleCNN's takes 3.7e5. */
const STEP_BYTES = 4e5;

/** A line of `predictions.csv` with the committed runs' scores, and the other files of a run. */
const KEPT = { perTestImage: 18, files: 4000 } as const;

/** Features of an image, by the name in the study: of the detector's head those of 64 boxes. */
const FEATURE_BYTES: Readonly<Record<string, number>> = {
  [VGG16.name]: 4 * featureCount(FINE_TUNED_NETWORKS.vgg16.architecture),
  [ALEXNET.name]: 4 * featureCount(FINE_TUNED_NETWORKS.alexnet.architecture),
  [FASTER_RCNN_HEAD_TUNED.name]: BOX_FEATURE_BYTES,
};

/** What a run will take of such a node, downloads left out. */
export function forecastRun(size: RunSize, rates: NodeRates): RunForecast {
  const model = modelOf(size);
  const { train, test } = imageCounts(size, rates);
  const checkpointBytes = expectedCheckpointBytes(model, model.training);
  const keptBytes = KEPT.files + KEPT.perTestImage * test;
  const images = model.part === 2 ? headImages(size, rates) : train + test;
  const usedBytes = images * (FEATURE_BYTES[model.name] ?? 0);
  // As no preparation has those of a head's boxes, a run may have to compute them.
  const isOwn = size.features || model.part === 2;
  const featureBytes = isOwn ? usedBytes : 0;
  const slowdown = rates.cores === null ? 1 : rates.cores / size.threads;
  return {
    seconds: rates.startSeconds + workSeconds(size, rates) * slowdown,
    memoryBytes: memoryBytes(size, rates),
    diskBytes: keptBytes + 2 * checkpointBytes,
    keptBytes,
    checkpointBytes,
    featureBytes,
    writtenBytes: keptBytes + epochsOf(size) * checkpointBytes + featureBytes,
    readBytes: usedBytes,
  };
}

function memoryBytes(size: RunSize, rates: NodeRates): number {
  const { parameters, part, training } = modelOf(size);
  const { engine, perParameter } = MEMORY[placeOf(size, rates)];
  const batch = Math.min(size.batchSize ?? 0, imageCounts(size, rates).train);
  // Boxes of a head are small.
  const more = part === 2 ? 0 : Math.max(0, batch - (training?.batchSize ?? 0));
  // A head is trained on features in memory, which come there from another copy.
  const features = 2 * headImages(size, rates) * BOX_FEATURE_BYTES;
  return engine + perParameter * parameters + STEP_BYTES * more + features;
}

function placeOf(
  { backend = "tensorflow", device = "auto" }: RunSize,
  { cores }: NodeRates,
): keyof typeof MEMORY {
  if (backend === "webgpu") return device === "software" ? "software" : "webgpu";
  const isOnGpu = device === "gpu" || (device === "auto" && cores === null);
  return backend === "tensorflow" && isOnGpu ? "cuda" : "cpu";
}

/** Images whose boxes a detector's head is trained on. */
function headImages(size: RunSize, rates: NodeRates): number {
  if (!size.trainHead) return 0;
  return Math.min(size.limit ?? DETECTION.headImages, imageCounts(size, rates).train);
}

function modelOf({ model, recipe = "published", trainHead }: RunSize): StudyModel {
  switch (model) {
    case "simplecnn":
      return RECIPES[recipe];
    case "fasterrcnn":
      return trainHead ? FASTER_RCNN_HEAD_TUNED : FASTER_RCNN_ADAPTED;
    case "vgg16":
      return VGG16;
    case "alexnet":
      return ALEXNET;
  }
}

function epochsOf(size: RunSize): number {
  return size.epochs ?? modelOf(size).training?.epochs ?? 0;
}

/** Seconds with as many cores as the rates are of, or on its GPU. */
function workSeconds(size: RunSize, rates: NodeRates): number {
  const model = modelOf(size);
  const { train, test } = imageCounts(size, rates);
  const epochs = epochsOf(size);
  const { batchSize = model.training?.batchSize ?? 1, features = false } = size;
  switch (model.part) {
    case 1:
      // A gradient step is three forward passes' worth of work.
      return (epochs * train + test / 3) / rates.trainingImagesPerSecond;
    case 2:
      return inferenceSeconds(model, headImages(size, rates) + test, rates);
    case 4:
      return (features ? inferenceSeconds(model, train + test, rates) : 0) +
        stepSeconds(model, epochs * Math.ceil(train / batchSize), rates);
  }
}

async function main(): Promise<void> {
  const [path = ""] = Deno.args;
  const rates: NodeRates = JSON.parse(await Deno.readTextFile(path));
  const sizes: RunSize[] = JSON.parse(await new Response(Deno.stdin.readable).text());
  console.log(JSON.stringify(sizes.map((size) => forecastRun(size, rates))));
}

if (import.meta.main) await runScript(main);
