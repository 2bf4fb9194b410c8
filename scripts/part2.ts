/**
 * Part 2: a Faster R-CNN with a new predictor, its best detection read as the digit.
 *
 * The study normalises the images with ImageNet's statistics and feeds them to a detector that does
 * the same again. So do we, unless `--normalise once` is given.
 *
 * Run it with `deno task part2`; `--help` lists the flags.
 *
 * @module
 */

import { normalizeRgb224, toTensorRgb224 } from "../data/transforms.ts";
import { UsageError } from "../io/errors.ts";
import { adaptedFasterRcnn } from "../models/adapted_faster_rcnn.ts";
import { FASTER_RCNN_WEIGHTS, obtainWeights } from "../models/checkpoint/pretrained.ts";
import { resultsPath } from "../report/record/results.ts";
import { appendFailedRow, DETECTOR_PART } from "../experiment/detector_row.ts";
import type { DetectorPlan } from "../experiment/detector_plan.ts";
import { runDetector } from "../experiment/detector_run.ts";
import {
  type FlagTable,
  type FlagValues,
  helpText,
  parseFlags,
  runFlags,
  seedList,
} from "../experiment/flags.ts";
import { headPlan } from "../experiment/head_run.ts";
import { interruptible, runScript } from "../io/run_script.ts";
import { type Setup, setUp } from "../experiment/run_setup.ts";

const COMMON = runFlags({ epochs: 50, batchSize: 2, lr: 0.001 });

/** Most images that a predictor is trained on, so that their features take at most 1.3 GB. */
const MAX_TRAINING_IMAGES = 2500;

const FLAGS = {
  weights: {
    kind: "choice",
    choices: ["pretrained", "random"],
    orFile: true,
    default: "pretrained",
    help:
      "what the detector starts from: torchvision's COCO weights or, where they can't be had, " +
      "random ones; random ones; or those of a .pth or .safetensors file. Its predictor is " +
      "always new",
  },
  normalise: {
    kind: "choice",
    choices: ["twice", "once"],
    default: "twice",
    excludes: ["trainHead"],
    help: "whether images are normalised before the detector does it again, as the study has it, " +
      "or by the detector alone, as it is meant; a model of its own in the results",
  },
  trainHead: {
    kind: "boolean",
    help: "train the new predictor on frozen features first; a model of its own in the results",
  },
  headBatchSize: {
    kind: "integer",
    min: 1,
    max: 60_000,
    default: 128,
    help: "with --train-head: boxes for each step",
  },
  ...COMMON,
  epochs: { ...COMMON.epochs, help: "with --train-head: passes over the boxes" },
  lr: { ...COMMON.lr, help: "with --train-head: Adam's learning rate" },
  limit: {
    ...COMMON.limit,
    default: 300,
    help: "with --train-head: train on the first N images only, each of which takes 256 KiB of " +
      "disk and twice that of memory",
  },
  batchSize: { ...COMMON.batchSize, max: 64, help: "images for each call of the detector" },
  strict: { ...COMMON.strict, help: "fail rather than use substitute weights" },
} as const satisfies FlagTable;

type Flags = FlagValues<typeof FLAGS>;

async function main(): Promise<void> {
  const flags = parseFlags(Deno.args, FLAGS);
  if (flags.help) {
    console.log(helpText({
      usage: "deno task part2 [flags]",
      description:
        "Gives a Faster R-CNN with COCO weights a new predictor of 11 classes, reads its " +
        "best detection in each test image as the digit, and adds a row to part2.csv in the " +
        "results folder.",
      table: FLAGS,
      examples: [
        "deno task part2",
        "deno task part2 --test-limit 200 --weights random",
        "deno task part2 --train-head --limit 500 --test-limit 500",
        "deno task part2 --resume",
      ],
    }));
    return;
  }
  if (flags.trainHead && flags.limit > MAX_TRAINING_IMAGES) {
    throw new UsageError(
      `--limit ${flags.limit}: --train-head takes at most ${MAX_TRAINING_IMAGES} images, whose ` +
        "features fit into memory",
    );
  }
  const seeds = seedList(flags);
  const { setup, plan } = await prepare(flags).catch(async (error) => {
    // Where no row can be written either, the first error says why.
    await appendFailedRow({ ...flags, seed: seeds[0]!, model: modelName(flags) }, error)
      .catch(() => {});
    throw error;
  });
  const { engine, reporter } = setup;
  await interruptible(async (signal) => {
    for (const seed of seeds) {
      signal.throwIfAborted();
      const context = { ...setup, signal, command: Deno.args };
      const row = await runDetector(plan, { ...flags, seed }, context);
      reporter.line(`Run ${row.run_id} is in ${resultsPath(flags.out, DETECTOR_PART)}`);
      if (flags.json) console.log(JSON.stringify(row));
    }
  });
  const where = flags.out === FLAGS.out.default ? "" : ` --out ${flags.out}`;
  reporter.line(`See the comparison with: deno task compare${where}`);
  engine.dispose();
}

/** Engine, data and weights: what all runs share. */
async function prepare(flags: Flags): Promise<{ setup: Setup; plan: DetectorPlan }> {
  const limit = flags.trainHead ? flags.limit : undefined;
  const setup = await setUp(DETECTOR_PART, { ...flags, limit });
  const { reporter } = setup;
  const weights = await obtainWeights({ ...flags, source: FASTER_RCNN_WEIGHTS, reporter });
  if (weights.path === undefined) {
    reporter.warn(
      "NO RESULT ABOUT FASTER R-CNN: with random weights the detector has learnt nothing",
    );
  }
  const plan: DetectorPlan = {
    model: modelName(flags),
    build: (seed) => adaptedFasterRcnn(weights, seed),
    weights,
    transform: flags.normalise === "once" ? toTensorRgb224 : normalizeRgb224,
    normalise: flags.normalise,
    ...(flags.trainHead && { head: headPlan(flags) }),
  };
  return { setup, plan };
}

function modelName({ trainHead, normalise }: Flags): string {
  if (trainHead) return "FasterRCNN_HeadTuned";
  return normalise === "once" ? "FasterRCNN_Adapted_NormaliseOnce" : "FasterRCNN_Adapted";
}

if (import.meta.main) await runScript(main);
