/**
 * Part 4: how well do networks do that were pretrained on photographs, when only their classifiers
 * are trained on digits?
 *
 *     deno task part4
 *
 * Expect what the runs on record found. vgg16_FineTuned (new classifier, bfloat16): correct on
 * 98.99 ± 0.17 % of 10,000 images, 3594 ± 6 s of training (2 of 3 seeds), 2.3 GB of memory; 3
 * seeds, on AMD EPYC, 2 cores. alexnet_FineTuned (new classifier): correct on 99.07 ± 0.07 % of
 * 10,000 images, 1123 ± 2 s of training (2 of 5 seeds), 1.2 GB of memory; 5 seeds, on AMD EPYC, 2
 * cores.
 *
 * @module
 */

import { basename } from "node:path";
import { showDryRun } from "../experiment/dry_run.ts";
import { PART_4, seedList } from "../experiment/flags.ts";
import { cachedFeatures, featuresEveryEpoch } from "../experiment/frozen_features.ts";
import { planPart4 } from "../experiment/plan.ts";
import { CHECKPOINT } from "../experiment/resume.ts";
import { runExperiment } from "../experiment/run.ts";
import { runEach, type RunningSetup, setUp } from "../experiment/set_up.ts";
import {
  classify,
  evaluationEvery,
  testClassifier,
  trainEpochs,
  trainerOptions,
  trainingColumns,
  trainingSettings,
} from "../experiment/training.ts";
import { readCommandLine } from "../io/help_text.ts";
import type { FlagValues } from "../io/parse_flags.ts";
import { silentReporter } from "../io/reporter.ts";
import { runScript } from "../io/run_script.ts";
import { mayStartPip, obtainWeights } from "../models/checkpoint/pretrained.ts";
import { FINE_TUNED_NETWORKS } from "../models/fine_tuned_networks.ts";
import { describeLoadedLayers } from "../models/loaded_layers.ts";
import type { ResultRow } from "../report/record/results.ts";
import { FINE_TUNED, VGG16 } from "../study.ts";
import { Trainer } from "../training/trainer.ts";

type Flags = FlagValues<typeof PART_4.table>;

async function main(): Promise<void> {
  const flags = readCommandLine(PART_4);
  if (flags === undefined) return;
  if (flags.dryRun) return await showDryRun([planPart4(flags)]);
  const pip = flags.models.map((name) =>
    mayStartPip({ ...flags, source: FINE_TUNED_NETWORKS[name].source, reporter: silentReporter })
  );
  const mayStartPrograms = (await Promise.all(pip)).includes(true);
  const seeds = seedList(flags);
  const planned = {
    models: flags.models.map((name) => FINE_TUNED[name][flags.inChannels].name),
    seeds,
    file: CHECKPOINT,
  } as const;
  using setup = await setUp(VGG16.part, { ...flags, mayStartPrograms, planned });
  await runEach(
    setup,
    flags.models.flatMap((name) =>
      seeds.map((seed) => ({
        title: `${FINE_TUNED[name][flags.inChannels].name} (seed ${seed})`,
        start: (setup) => fineTuneAndTest(setup, { name, seed, flags }),
      }))
    ),
  );
}

/** One run: from pretrained features and a new classifier to a row. */
function fineTuneAndTest(
  setup: RunningSetup,
  { name, seed, flags }: { name: keyof typeof FINE_TUNED_NETWORKS; seed: number; flags: Flags },
): Promise<ResultRow> {
  const { source, build } = FINE_TUNED_NETWORKS[name];
  const model = FINE_TUNED[name][flags.inChannels];
  const settings = trainingSettings(model.training, flags);
  const inChannels = flags.inChannels === "1" ? 1 : 3;
  const { reporter, signal } = setup;
  const plan = {
    model,
    seed,
    columns: trainingColumns(settings, setup),
    settings: { in_channels: inChannels, feature_cache: flags.noFeatureCache ? "no" : "yes" },
    weights: () => obtainWeights({ ...flags, source, reporter, signal }),
    resume: { file: CHECKPOINT },
    ...(!flags.noFeatureCache && { keptEarly: "the features so far are kept" }),
  } as const;
  return runExperiment(plan, setup, async (run) => {
    // Model: convolutions from the weights, frozen; the classifier's last layer is new, or all of it.
    using network = build({ seed, inChannels });
    const { title } = model;
    const path = run.weights?.path;
    run.reporter.line(
      path === undefined
        ? `${title}: random features: this is not a result about a pretrained ${title}`
        : describeLoadedLayers(await network.loadPretrainedFile(path), {
          title,
          source: basename(path),
          seed,
        }),
    );

    // Data: images of 224×224, and what the convolutions make of them, once, if it may be kept.
    using trainable = flags.noFeatureCache
      ? featuresEveryEpoch(run, network)
      : await cachedFeatures(run, network);

    // Training: the classifier alone, Adam on mean cross-entropy, reshuffled every epoch.
    using trainer = new Trainer(
      setup.engine,
      trainable.model,
      trainable.train,
      trainerOptions(settings, { seed, count: trainable.train.count }),
    );
    const testing = { batchSize: settings.batchSize, ...trainable.testing };
    await trainEpochs(run, network, trainer, {
      ...settings,
      ...evaluationEvery(
        flags.evalEvery,
        () => classify(run, trainable.model, trainable.test, testing),
      ),
    });

    // Evaluation, once, as the study does: the row's loss, accuracy and F1.
    return await testClassifier(run, trainable.model, trainable.test, testing);
  });
}

if (import.meta.main) await runScript(main);
