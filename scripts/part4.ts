/**
 * Part 4: VGG16 and AlexNet, fine-tuned: frozen features, the classifier trained.
 *
 * Run it with `deno task part4`; `--help` lists the flags.
 *
 * @module
 */

import { InterruptedError, StudyError } from "../io/errors.ts";
import { alexnet } from "../models/alexnet.ts";
import { ALEXNET_WEIGHTS, obtainWeights, VGG16_WEIGHTS } from "../models/checkpoint/pretrained.ts";
import { vgg16 } from "../models/vgg16.ts";
import { resultsPath } from "../report/record/results.ts";
import type { ClassifierPlan } from "../experiment/classifier_plan.ts";
import { runClassifier } from "../experiment/classifier_run.ts";
import { type FineTunedModel, prepareFineTuning } from "../experiment/fine_tuning.ts";
import {
  type FlagTable,
  type FlagValues,
  helpText,
  parseFlags,
  runFlags,
  seedList,
} from "../experiment/flags.ts";
import { interruptible, runScript } from "../io/run_script.ts";
import { setUp } from "../experiment/run_setup.ts";

const PART = 4;
const WEIGHT_DECAY = 1e-4;

const MODELS: Record<"vgg16" | "alexnet", FineTunedModel> = {
  vgg16: { model: "vgg16_FineTuned", title: "VGG16", source: VGG16_WEIGHTS, build: vgg16 },
  alexnet: {
    model: "alexnet_FineTuned",
    title: "AlexNet",
    source: ALEXNET_WEIGHTS,
    build: alexnet,
  },
};

const COMMON = runFlags({ epochs: 8, batchSize: 32, lr: 0.0005 });

const FLAGS = {
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
    help: "what a model starts from: torchvision's weights or, where they can't be had, their " +
      "convolutions or random weights; their convolutions with a new classifier; random weights; " +
      "or a .pth or .safetensors file, which may have the features alone",
  },
  inChannels: {
    kind: "choice",
    choices: ["3", "1"],
    default: "3",
    help: "of the images; with 1 the first convolution is averaged over its input channels",
  },
  noFeatureCache: {
    kind: "boolean",
    help: "compute features anew in every epoch, as the study does, and keep none on disk",
  },
  ...COMMON,
  strict: { ...COMMON.strict, help: "fail rather than use substitute weights" },
} as const satisfies FlagTable;

type Flags = FlagValues<typeof FLAGS>;

async function main(): Promise<void> {
  const flags = parseFlags(Deno.args, FLAGS);
  if (flags.help) {
    console.log(helpText({
      usage: "deno task part4 [flags]",
      description: "Fine-tunes VGG16 and AlexNet on MNIST: their ImageNet features stay as they " +
        "are and are computed once, their classifiers are trained. Adds a row for each to " +
        "part4.csv in the results folder.",
      table: FLAGS,
      examples: [
        "deno task part4",
        "deno task part4 --models alexnet --limit 2000 --epochs 3",
        "deno task part4 --weights random --limit 2000",
        "deno task part4 --resume",
      ],
    }));
    return;
  }
  const setup = await setUp(PART, flags);
  const { engine, reporter } = setup;
  const runs = flags.models.flatMap((name) => seedList(flags).map((seed) => ({ name, seed })));
  const failures: { run: string; error: unknown }[] = [];
  await interruptible(async (signal) => {
    for (const { name, seed } of runs) {
      signal.throwIfAborted();
      const plan = planOf(MODELS[name], flags);
      const context = { ...setup, signal, command: Deno.args };
      try {
        const row = await runClassifier(plan, { ...flags, seed }, context);
        reporter.line(`Run ${row.run_id} is in ${resultsPath(flags.out, PART)}`);
        if (flags.json) console.log(JSON.stringify(row));
      } catch (error) {
        if (error instanceof InterruptedError || runs.length === 1) throw error;
        failures.push({ run: `${plan.model} (seed ${seed})`, error });
        const reason = error instanceof Error ? error.message : error;
        reporter.warn(`${plan.model} (seed ${seed}) failed: ${reason}`);
      }
    }
  });
  const where = flags.out === FLAGS.out.default ? "" : ` --out ${flags.out}`;
  reporter.line(`See the comparison with: deno task compare${where}`);
  engine.dispose();
  if (failures.length === 0) return;
  const which = failures.map(({ run }) => run).join(", ");
  throw new StudyError(
    `${failures.length} of ${runs.length} runs failed: ${which}; why is told above and in ` +
      resultsPath(flags.out, PART),
    { cause: failures[0]!.error },
  );
}

function planOf(model: FineTunedModel, flags: Flags): ClassifierPlan {
  const inChannels = flags.inChannels === "1" ? 1 : 3;
  const featureCache = !flags.noFeatureCache;
  const tuning = { inChannels, featureCache, weightDecay: WEIGHT_DECAY } as const;
  return {
    part: PART,
    model: model.model,
    weights: (reporter) => obtainWeights({ ...flags, source: model.source, reporter }),
    settings: { in_channels: inChannels, feature_cache: featureCache ? "yes" : "no" },
    prepare: (context) => prepareFineTuning(model, tuning, context),
    weightDecay: WEIGHT_DECAY,
    ...(featureCache && { keptEarly: "the features so far are kept" }),
  };
}

if (import.meta.main) await runScript(main);
