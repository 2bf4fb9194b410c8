/**
 * Part 1: SimpleCNN, trained from scratch and evaluated.
 *
 * Run it with `deno task part1`; `--help` lists the flags.
 *
 * @module
 */

import { normalizeMnist } from "../data/transforms.ts";
import { simpleCnn } from "../models/simple_cnn.ts";
import { resultsPath } from "../report/record/results.ts";
import { ImageBatches } from "../training/image_batches.ts";
import { oneCycle } from "../training/one_cycle.ts";
import type {
  ClassifierPlan,
  PreparationContext,
  PreparedRun,
} from "../experiment/classifier_plan.ts";
import { runClassifier } from "../experiment/classifier_run.ts";
import {
  type FlagTable,
  helpText,
  parseFlags,
  type RunDefaults,
  runFlags,
  seedList,
} from "../experiment/flags.ts";
import { interruptible, runScript } from "../io/run_script.ts";
import { setUp } from "../experiment/run_setup.ts";

/** What is the same whichever way it is trained. */
const COMMON = { part: 1, prepare, weightDecay: 1e-4 } as const;

/** Ways to train the network. The study's is `published`. */
const RECIPES: Record<"published" | "fast", { plan: ClassifierPlan; defaults: RunDefaults }> = {
  published: {
    plan: { ...COMMON, model: "SimpleCNN" },
    defaults: { epochs: 10, batchSize: 128, lr: 0.001 },
  },
  // Chosen on the last 1,500 of the embedded training digits, by bench/tune_fast.ts.
  fast: {
    plan: {
      ...COMMON,
      model: "SimpleCNN_Fast",
      schedule: (maxLr, totalSteps) => oneCycle({ maxLr, totalSteps }),
    },
    defaults: { epochs: 4, batchSize: 96, lr: 0.003 },
  },
};

function flagTable(defaults: RunDefaults) {
  return {
    recipe: {
      kind: "choice",
      choices: ["published", "fast"],
      default: "published",
      help: "how to train: as the study does, or with a one-cycle learning rate in fewer epochs, " +
        "in bf16 where the processor has it",
    },
    ...runFlags(defaults),
  } as const satisfies FlagTable;
}

/** SimpleCNN on images. */
// Plans may take their time.
// deno-lint-ignore require-await
async function prepare({ dataset, flags }: PreparationContext): Promise<PreparedRun> {
  const stack = new DisposableStack();
  const model = stack.adopt(simpleCnn({ seed: flags.seed }), (model) => model.dispose());
  const train = stack.use(new ImageBatches(dataset.train, normalizeMnist));
  const test = stack.use(new ImageBatches(dataset.test, normalizeMnist));
  return { model, train, test, [Symbol.dispose]: () => stack.dispose() };
}

async function main(): Promise<void> {
  // The recipe decides the other flags' defaults.
  const { recipe } = parseFlags(Deno.args, flagTable(RECIPES.published.defaults));
  const { plan, defaults } = RECIPES[recipe];
  const table = flagTable(defaults);
  const flags = parseFlags(Deno.args, table);
  if (flags.help) {
    console.log(helpText({
      usage: "deno task part1 [flags]",
      description: "Trains SimpleCNN on MNIST from scratch, evaluates it, and adds a row to " +
        "part1.csv in the results folder.",
      table,
      examples: [
        "deno task part1",
        "deno task part1 --recipe fast",
        "deno task part1 --data fashion --seeds 1,2,3",
        "deno task part1 --limit 1000 --epochs 2 --out /tmp/try",
      ],
    }));
    return;
  }
  const setup = await setUp(plan.part, {
    ...flags,
    precision: flags.precision ?? (recipe === "fast" ? "auto" : "fp32"),
  });
  const { engine, reporter } = setup;
  await interruptible(async (signal) => {
    for (const seed of seedList(flags)) {
      signal.throwIfAborted();
      const context = { ...setup, signal, command: Deno.args };
      const row = await runClassifier(plan, { ...flags, seed }, context);
      reporter.line(`Run ${row.run_id} is in ${resultsPath(flags.out, plan.part)}`);
      if (flags.json) console.log(JSON.stringify(row));
    }
  });
  const where = flags.out === table.out.default ? "" : ` --out ${flags.out}`;
  reporter.line(`See the comparison with: deno task compare${where}`);
  engine.dispose();
}

if (import.meta.main) await runScript(main);
