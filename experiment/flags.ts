/**
 * What can be said on the command line of the parts of the study.
 *
 * @module
 */

import type { HelpOptions } from "../io/help_text.ts";
import type { FlagTable } from "../io/parse_flags.ts";
import {
  DETECTION,
  FASTER_RCNN_HEAD_TUNED,
  type Recipe,
  RECIPES,
  type TrainingSettings,
  VGG16,
} from "../study.ts";

/** Folder of the results below the repository's root, unless `--out` names another. */
export const DEFAULT_OUT = "results";

/** Low enough that `seed + runs` is still a 32-bit integer, as TensorFlow wants seeds. */
const MAX_SEED = 2_000_000_000;

const SEEDS = {
  seed: {
    kind: "integer",
    min: 0,
    max: MAX_SEED,
    default: 1,
    help: "fixes initial weights, shuffling and dropout",
  },
  seeds: {
    kind: "integers",
    min: 0,
    max: MAX_SEED,
    excludes: ["seed", "runs"],
    help: "one run for each of these seeds",
  },
  runs: {
    kind: "integer",
    min: 1,
    max: 1000,
    default: 1,
    help: "number of runs, with consecutive seeds from --seed",
  },
} as const satisfies FlagTable;

const COMMON = {
  data: {
    kind: "choice",
    choices: ["auto", "mnist", "fashion"],
    orFolder: true,
    default: "auto",
    help: "the images: MNIST (auto is the same), Fashion-MNIST, or a folder of IDX files",
  },
  limit: { kind: "integer", min: 1, help: "train on the first N images only" },
  testLimit: { kind: "integer", min: 1, help: "test on the first N images only" },
  backend: {
    kind: "choice",
    choices: ["auto", "tensorflow", "webgpu", "wasm"],
    default: "auto",
    help:
      "what computes: libtensorflow, WebGPU (a GPU of any vendor) or WebAssembly; auto takes the " +
      "fastest that starts here",
  },
  device: {
    kind: "choice",
    choices: ["auto", "cpu", "gpu", "software"],
    default: "auto",
    help:
      "where to compute; gpu fails if there is none; software lets webgpu use an adapter emulated " +
      "on the CPU, for tests",
  },
  precision: {
    kind: "choice",
    choices: ["fp32", "bf16"],
    help: "number format of convolutions and matrix products; bf16 needs Linux, the CPU and a " +
      "processor that has it",
    defaultText: "fp32",
  },
  threads: {
    kind: "integer",
    min: 1,
    max: 1024,
    help: "threads to compute with",
    defaultText: "one for each processor that it may use",
  },
  libtensorflow: {
    kind: "path",
    existing: "file or folder",
    help: "the library to use, instead of one found or fetched",
  },
  out: {
    kind: "path",
    folder: true,
    default: DEFAULT_OUT,
    help: "folder that results are written to",
  },
  resume: { kind: "boolean", help: "go on with a run that was interrupted" },
  tensorboard: {
    kind: "boolean",
    help: "write curves and a picture of misread digits for TensorBoard into the run's folder",
  },
  strict: { kind: "boolean", help: "fail rather than use substitute weights" },
  quiet: { kind: "boolean", help: "print warnings only" },
  json: { kind: "boolean", help: "print the result as JSON, everything else on standard error" },
  verbose: { kind: "boolean", help: "show stacks of errors and the engine's own messages" },
  help: { kind: "boolean", help: "show this page; -h does too" },
} as const satisfies FlagTable;

/** The flags that do not depend on how a part trains. */
export const SHARED_FLAGS = { ...SEEDS, ...COMMON } as const satisfies FlagTable;

/** The table of flags of a part that trains, with its own defaults. */
export function runFlags(defaults: Omit<TrainingSettings, "weightDecay">) {
  return {
    ...SEEDS,
    epochs: {
      kind: "integer",
      min: 1,
      max: 1000,
      default: defaults.epochs,
      help: "passes over the training images",
    },
    batchSize: {
      kind: "integer",
      min: 1,
      max: 60_000,
      default: defaults.batchSize,
      help: "images for each step",
    },
    evalEvery: {
      kind: "integer",
      min: 1,
      max: 1000,
      help: "classify the test images after every N epochs too, outside the clock, and keep loss " +
        "and accuracy in evaluations.csv; the study does so once, after the last epoch",
    },
    lr: { kind: "number", above: 0, default: defaults.learningRate, help: "Adam's learning rate" },
    ...COMMON,
  } as const satisfies FlagTable;
}

/** For commands that can say what they would do. */
export const DRY_RUN = {
  dryRun: {
    kind: "boolean",
    help:
      "say what would be run, fetched and written and how long it would take, and do none of it",
  },
} as const satisfies FlagTable;

/** What `--recipe` takes, the usual one first. */
export const RECIPE_NAMES = Object.keys(RECIPES) as [Recipe, ...Recipe[]];

/** The number format of a recipe where none is asked for: the study's is fp32. */
export function recipePrecision(recipe: Recipe): "fp32" | "auto" {
  return recipe === "published" ? "fp32" : "auto";
}

/** A setting of a recipe and, where others have another, theirs: `10; fast 1, accurate 13`. */
function ofRecipes(recipe: Recipe, valueOf: (recipe: Recipe) => number | string): string {
  const own = valueOf(recipe);
  const others = RECIPE_NAMES.filter((name) => valueOf(name) !== own)
    .map((name) => `${name} ${valueOf(name)}`);
  return [String(own), ...(others.length > 0 ? [others.join(", ")] : [])].join("; ");
}

/** Part 1 on the command line; the recipe decides the flags' defaults. */
export function part1Command(recipe: Recipe) {
  const flags = runFlags(RECIPES[recipe].training);
  const defaultOf = (key: "epochs" | "batchSize" | "learningRate") =>
    ofRecipes(recipe, (name) => RECIPES[name].training[key]);
  return {
    usage: "deno task part1 [flags]",
    description: "Trains SimpleCNN on MNIST from scratch, evaluates it, and adds a row to " +
      "part1.csv in the results folder.",
    table: {
      recipe: {
        kind: "choice",
        choices: RECIPE_NAMES,
        default: "published",
        help:
          "how to train: published, as the study does; fast, in one pass over the images with Muon " +
          "and Adam; accurate, for the best accuracy in about the published recipe's time. fast and " +
          "accurate use bf16 where the processor has it",
      },
      ...flags,
      epochs: { ...flags.epochs, defaultText: defaultOf("epochs") },
      batchSize: { ...flags.batchSize, defaultText: defaultOf("batchSize") },
      lr: { ...flags.lr, defaultText: defaultOf("learningRate") },
      precision: {
        ...flags.precision,
        defaultText: ofRecipes(
          recipe,
          (name) => recipePrecision(name) === "fp32" ? "fp32" : "bf16 or fp32",
        ),
      },
      strict: {
        ...flags.strict,
        help: "changes nothing here, where no weights are taken; parts 2 and 4 have it",
      },
      ...DRY_RUN,
    },
    examples: [
      "deno task part1",
      "deno task part1 --recipe fast",
      "deno task part1 --recipe accurate",
      "deno task part1 --data fashion --seeds 1,2,3",
      "deno task part1 --limit 1000 --epochs 2 --out /tmp/try",
    ],
  } as const satisfies HelpOptions;
}

const { evalEvery: _, ...BOXES } = runFlags(FASTER_RCNN_HEAD_TUNED.training);

/** Part 2 on the command line; the flags of training are about its new predictor. */
export const PART_2 = {
  usage: "deno task part2 [flags]",
  description: "Gives a Faster R-CNN with COCO weights a new predictor of 11 classes, reads its " +
    "best detection in each test image as the digit, and adds a row to part2.csv in the " +
    "results folder.",
  table: {
    weights: {
      kind: "choice",
      choices: ["pretrained", "random"],
      orFile: true,
      default: "pretrained",
      help:
        "what the detector starts from: pretrained, torchvision's COCO weights (random ones if " +
        "these are not available); random; or a .pth or .safetensors file. Its predictor is " +
        "always new",
    },
    normalise: {
      kind: "choice",
      choices: ["twice", "once"],
      default: "twice",
      excludes: ["trainHead"],
      help:
        "twice: images are normalised before the detector does so again, as in the study; once: " +
        "only the detector does so, as intended, which is a separate model in the results",
    },
    trainHead: {
      kind: "boolean",
      help: "train the new predictor on frozen features first; a model of its own in the results",
    },
    headBatchSize: {
      ...BOXES.batchSize,
      needs: "trainHead",
      help: "with --train-head: boxes for each step",
    },
    ...BOXES,
    epochs: {
      ...BOXES.epochs,
      needs: "trainHead",
      help: "with --train-head: passes over the boxes",
    },
    lr: { ...BOXES.lr, needs: "trainHead", help: "with --train-head: Adam's learning rate" },
    limit: {
      ...BOXES.limit,
      default: DETECTION.headImages,
      needs: "trainHead",
      help: "with --train-head: train on the first N images only, each of which takes 256 KiB of " +
        "disk and twice that of memory",
    },
    batchSize: {
      ...BOXES.batchSize,
      max: 64,
      default: DETECTION.batchSize,
      help: "images for each call of the detector",
    },
    ...DRY_RUN,
  },
  examples: [
    "deno task part2",
    "deno task part2 --test-limit 200 --weights random",
    "deno task part2 --train-head --limit 500 --test-limit 500",
    "deno task part2 --resume",
  ],
} as const satisfies HelpOptions;

const FINE_TUNING = runFlags(VGG16.training);

/** Part 4 on the command line. */
export const PART_4 = {
  usage: "deno task part4 [flags]",
  description: "Fine-tunes VGG16 and AlexNet on MNIST: their ImageNet features stay as they " +
    "are and are computed once, their classifiers are trained. Adds a row for each to " +
    "part4.csv in the results folder.",
  table: {
    models: {
      kind: "choices",
      choices: ["vgg16", "alexnet"],
      default: ["vgg16", "alexnet"],
      help: "what is fine-tuned, in this order",
    },
    weights: {
      kind: "choice",
      choices: ["pretrained", "convolutions", "random"],
      orFile: true,
      default: "pretrained",
      help: "what a model starts from: pretrained, torchvision's weights (if not available, its " +
        "convolutions, else random weights); convolutions, torchvision's with a new classifier; " +
        "random; or a .pth or .safetensors file, which may hold the features only",
    },
    inChannels: {
      kind: "choice",
      choices: ["3", "1"],
      default: "3",
      help:
        "channels of the images; with 1 the first convolution is averaged over its input channels",
    },
    noFeatureCache: {
      kind: "boolean",
      help: "compute features again in every epoch, as the study does, and keep none on disk",
    },
    ...FINE_TUNING,
    ...DRY_RUN,
  },
  examples: [
    "deno task part4",
    "deno task part4 --models alexnet --limit 2000 --epochs 3",
    "deno task part4 --weights convolutions --seeds 1,2,3",
    "deno task part4 --resume",
  ],
} as const satisfies HelpOptions;

/** What the engine calls the values of `--precision`. */
export const PRECISIONS = { fp32: "float32", bf16: "bfloat16", auto: "auto" } as const;

/** The seeds of all runs that `--seed`, `--seeds` and `--runs` ask for, in order. */
export function seedList(
  { seed, seeds, runs }: { seed: number; seeds: number[] | undefined; runs: number },
): number[] {
  return seeds ?? Array.from({ length: runs }, (_, i) => seed + i);
}
