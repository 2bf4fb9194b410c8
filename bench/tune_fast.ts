/**
 * What each ingredient of part 1's recipes is worth: the recipe and the recipe with one ingredient fewer or
 * more, trained on the first 50,000 of the training digits and judged on the last 10,000. The test digits
 * are not looked at.
 *
 *     deno task tune --recipe fast --seeds 1,2,3,4,5
 *
 * Every trial goes to a CSV file as soon as it is finished, and what is there already is not done
 * again, so that it may be interrupted. `bench.md` has the table. The committed trials are of `fast`; those
 * by which both recipes were chosen, on the same digits, were not kept.
 *
 * @module
 */

import { join } from "node:path";
import type { ImageSet } from "../data/dataset.ts";
import { IMAGE_PIXELS } from "../data/idx.ts";
import { ImageBatches, normalizeMnist } from "../data/image_batches.ts";
import { loadDataset } from "../data/load_dataset.ts";
import { type Engine, startEngine } from "../engine/engine.ts";
import { RECIPE_NAMES, SHARED_FLAGS } from "../experiment/flags.ts";
import { recipeNetwork } from "../experiment/recipe.ts";
import { describeEngine } from "../experiment/provenance.ts";
import { trainerOptions } from "../experiment/training.ts";
import { UsageError } from "../io/errors.ts";
import { readCommandLine } from "../io/help_text.ts";
import type { FlagTable } from "../io/parse_flags.ts";
import { createReporter } from "../io/reporter.ts";
import { interruptible, runScript } from "../io/run_script.ts";
import { meanAndSd } from "../metrics/descriptive_statistics.ts";
import { formatMeanAndSd } from "../report/analysis/format_numbers.ts";
import { DATA, RECIPES, type TrainingSettings } from "../study.ts";
import { evaluate } from "../training/evaluate.ts";
import { Trainer } from "../training/trainer.ts";
import { candidatesOf } from "./recipe_candidates.ts";
import { addTrial, checkTrials, isSameTrial, renderTrials, TRIALS_FILE } from "./recipe_trials.ts";

/** Of the training digits, the last: what candidates are judged on. */
const VALIDATION_DIGITS = 10_000;

const { libtensorflow, threads, quiet, verbose, help } = SHARED_FLAGS;

const FLAGS = {
  recipe: {
    kind: "choice",
    choices: RECIPE_NAMES,
    default: "fast",
    help: "which recipe's ingredients",
  },
  seeds: {
    kind: "integers",
    min: 0,
    max: 1_000_000,
    help: "one trial of each candidate for each of these seeds",
    defaultText: "1,2,3,4,5",
  },
  only: {
    kind: "text",
    placeholder: "TEXT",
    help: "only candidates whose names have this in them",
  },
  precision: {
    kind: "choice",
    choices: ["fp32", "bf16"],
    help: "of convolutions and products",
    defaultText: "bf16 where the processor has it",
  },
  out: { kind: "path", folder: true, default: "results/bench", help: "folder for recipes.csv" },
  libtensorflow,
  threads,
  quiet,
  verbose,
  help,
} as const satisfies FlagTable;

async function main(): Promise<void> {
  const flags = readCommandLine({
    usage: "deno task tune [flags]",
    description: "Trains SimpleCNN by a recipe and without each of its ingredients, judges it on " +
      "validation digits, and writes recipes.csv.",
    table: FLAGS,
    examples: [
      "deno task tune --recipe fast --seeds 1,2,3,4,5",
    ],
  });
  if (flags === undefined) return;
  const { only = "", seeds = [1, 2, 3, 4, 5], recipe, out } = flags;
  const settings: TrainingSettings = RECIPES[recipe].training;
  const candidates = [...candidatesOf(settings)].filter(([name]) => name.includes(only));
  if (candidates.length === 0) {
    const names = [...candidatesOf(settings).keys()].join("; ");
    throw new UsageError(`--only ${only}: no candidate has that in its name; there are: ${names}`);
  }
  const path = join(out, TRIALS_FILE);
  let trials = await checkTrials(path);
  const reporter = createReporter({ quiet: flags.quiet });
  const precision = flags.precision === undefined
    ? "auto"
    : ({ fp32: "float32", bf16: "bfloat16" } as const)[flags.precision];
  using engine = await startEngine({
    // What is said of the recipes is said of one engine; where it cannot start, no other takes its place.
    backend: "tensorflow",
    precision,
    libtensorflow: flags.libtensorflow,
    threads: flags.threads,
    reporter,
  });
  reporter.line(describeEngine(engine));
  const { train } = await loadDataset({ data: DATA.name, reporter });
  const split = train.count - VALIDATION_DIGITS;
  const [fitted, validation] = [slice(train, 0, split), slice(train, split, train.count)];
  await interruptible(async (signal) => {
    // Seed by seed, so that an interrupted search has as much of every candidate.
    for (const seed of seeds) {
      for (const [candidate, candidateSettings] of candidates) {
        const trial = {
          ...{ recipe, candidate, seed, precision: engine.precision },
          settings: JSON.stringify(candidateSettings),
        };
        if (trials.some((one) => isSameTrial(one, trial))) continue;
        const found = await run(engine, candidateSettings, { seed, fitted, validation, signal });
        trials = await addTrial(path, { ...trial, ...found });
        const own = trials.filter((one) => isSameTrial({ ...one, seed }, trial));
        const mean = formatMeanAndSd(meanAndSd(own.map(({ accuracy }) => accuracy)), 2);
        reporter.line(
          `${candidate}, seed ${seed}: ${found.accuracy.toFixed(2)} % in ` +
            `${found.seconds.toFixed(1)} s; mean of ${own.length}: ${mean} %`,
        );
      }
    }
  });
  reporter.line(`\n${renderTrials(trials.filter((one) => one.recipe === recipe))}`);
}

/** Trains and judges one candidate. */
async function run(
  engine: Engine,
  settings: TrainingSettings,
  { seed, fitted, validation, signal }: {
    seed: number;
    fitted: ImageSet;
    validation: ImageSet;
    signal: AbortSignal;
  },
): Promise<{ accuracy: number; seconds: number }> {
  using model = recipeNetwork(settings, { seed, train: fitted });
  using images = new ImageBatches(fitted, normalizeMnist, settings.recipe?.augmentation);
  using trainer = new Trainer(
    engine,
    model,
    images,
    trainerOptions(settings, { seed, count: fitted.count }),
  );
  let seconds = 0;
  for (let epoch = 1; epoch <= settings.epochs; epoch++) {
    seconds += (await trainer.trainEpoch(epoch, () => {}, signal)).seconds;
  }
  trainer.swapAverage();
  using held = new ImageBatches(validation, normalizeMnist);
  const { accuracy } = await evaluate(engine, model, held, { ...settings, signal });
  return { accuracy: 100 * accuracy, seconds };
}

function slice({ images, labels }: ImageSet, start: number, end: number): ImageSet {
  return {
    images: images.slice(start * IMAGE_PIXELS, end * IMAGE_PIXELS),
    labels: labels.slice(start, end),
    count: end - start,
  };
}

if (import.meta.main) await runScript(main);
