/**
 * Part 1: how well does a small network do that is trained from scratch?
 *
 *     deno task part1
 *
 * Expect what the runs on record found. SimpleCNN: correct on 99.20 ± 0.07 % of 10,000 images, 135
 * ± 2 s of training (5 of 10 seeds), 0.8 GB of memory; 10 seeds, on AMD EPYC, 2 cores.
 * SimpleCNN_Fast (bfloat16): correct on 99.41 ± 0.05 % of 10,000 images, 9.6 ± 0.4 s of training,
 * 0.6 GB of memory; 20 seeds, on AMD EPYC, 2 cores. SimpleCNN_Accurate (bfloat16): correct on 99.64
 * ± 0.01 % of 10,000 images, 131 ± 3 s of training, 0.7 GB of memory; 5 seeds, on AMD EPYC, 2
 * cores.
 *
 * @module
 */

import { ImageBatches, normalizeMnist } from "../data/image_batches.ts";
import { showDryRun } from "../experiment/dry_run.ts";
import { part1Command, recipePrecision, seedList } from "../experiment/flags.ts";
import { planPart1 } from "../experiment/plan.ts";
import { recipeNetwork, warnOfShortMean } from "../experiment/recipe.ts";
import { runExperiment } from "../experiment/run.ts";
import { runEach, type RunningSetup, setUp } from "../experiment/set_up.ts";
import {
  classify,
  decidingRecipe,
  evaluationEvery,
  testClassifier,
  trainEpochs,
  trainerOptions,
  trainingColumns,
  trainingSettings,
} from "../experiment/training.ts";
import { readCommandLine, readFlags } from "../io/help_text.ts";
import { runScript } from "../io/run_script.ts";
import type { ResultRow } from "../report/record/results.ts";
import { RECIPES, type StudyModel, type TrainingSettings } from "../study.ts";
import { CHECKPOINT } from "../experiment/resume.ts";
import { Trainer } from "../training/trainer.ts";

async function main(): Promise<void> {
  // The recipe decides the other flags' defaults.
  const { recipe } = readFlags(part1Command("published").table);
  const model = RECIPES[recipe];
  const flags = readCommandLine(part1Command(recipe));
  if (flags === undefined) return;
  if (flags.dryRun) return await showDryRun([planPart1(flags)]);
  const settings = trainingSettings(model.training, flags);
  const precision = flags.precision ?? recipePrecision(recipe);
  const seeds = seedList(flags);
  const planned = { models: [model.name], seeds, file: CHECKPOINT } as const;
  using setup = await setUp(model.part, { ...flags, precision, planned });
  await runEach(
    setup,
    seeds.map((seed) => ({
      title: `${model.name} (seed ${seed})`,
      start: (setup) => trainAndTest(setup, { ...flags, model, settings, seed }),
    })),
  );
}

/** One run: from random parameters to a row. */
export function trainAndTest(
  setup: RunningSetup,
  { model, settings, seed, evalEvery }: {
    model: StudyModel;
    settings: TrainingSettings;
    seed: number;
    evalEvery: number | undefined;
  },
): Promise<ResultRow> {
  const plan = {
    model,
    seed,
    columns: trainingColumns(settings, setup),
    settings: decidingRecipe(settings),
    resume: { file: CHECKPOINT },
  } as const;
  return runExperiment(plan, setup, async (run) => {
    // Data: 8-bit on the device, normalised batch by batch.
    const { dataset: { train: trainSet } } = setup;
    using train = new ImageBatches(trainSet, normalizeMnist, settings.recipe?.augmentation); // [n, 28, 28, 1]
    using test = new ImageBatches(setup.dataset.test, normalizeMnist);

    // Model: two convolutions and two linear layers, initialised as PyTorch does or the recipe says.
    using network = recipeNetwork(settings, { seed, train: trainSet });

    // Training: Adam on mean cross-entropy or what the recipe has instead, reshuffled every epoch.
    using trainer = new Trainer(
      setup.engine,
      network,
      train,
      trainerOptions(settings, { seed, count: train.count }),
    );
    warnOfShortMean(settings, { ...run, count: train.count });
    await trainEpochs(run, network, trainer, {
      ...settings,
      ...evaluationEvery(evalEvery, () => classify(run, network, test, settings)),
    });

    // Evaluation, once, as the study does: the row's loss, accuracy and F1.
    return await testClassifier(run, network, test, settings);
  });
}

if (import.meta.main) await runScript(main);
