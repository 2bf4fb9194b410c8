/**
 * Part 1: SimpleCNN, trained from scratch and evaluated.
 *
 * Run it with `deno task part1`; `--help` lists the flags.
 *
 * @module
 */

import { loadDataset } from "../data/load_dataset.ts";
import { normalizeMnist } from "../data/transforms.ts";
import { startEngine } from "../engine/engine.ts";
import { createReporter } from "../io/reporter.ts";
import { simpleCnn } from "../models/simple_cnn.ts";
import { checkResultsFile, resultsPath } from "../report/results.ts";
import { oneCycle } from "../training/one_cycle.ts";
import { type ClassifierPlan, runClassifier } from "./classifier_run.ts";
import {
  type FlagTable,
  helpText,
  parseFlags,
  type RunDefaults,
  runFlags,
  seedList,
} from "./flags.ts";
import { interruptible, runScript } from "./run_script.ts";
import { describeEngine } from "./provenance.ts";

/** What is the same whichever way it is trained. */
const COMMON = {
  part: 1,
  build: (seed: number) => simpleCnn({ seed }),
  transform: normalizeMnist,
  weightDecay: 1e-4,
} as const;

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

const PRECISIONS = { fp32: "float32", bf16: "bfloat16", auto: "auto" } as const;

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
  const reporter = createReporter({ quiet: flags.quiet, stream: flags.json ? "stderr" : "stdout" });
  await checkResultsFile(flags.out, plan.part);
  const engine = await startEngine({
    ...flags,
    precision: PRECISIONS[flags.precision ?? (recipe === "fast" ? "auto" : "fp32")],
    reporter,
  });
  reporter.line(describeEngine(engine, flags.backend));
  const dataset = await loadDataset({ ...flags, reporter });
  reporter.line(
    `Data: ${dataset.name}, ${dataset.train.count} training and ${dataset.test.count} test ` +
      `images (${dataset.source})`,
  );
  await interruptible(async (signal) => {
    for (const seed of seedList(flags)) {
      signal.throwIfAborted();
      const context = { engine, dataset, reporter, signal, command: Deno.args };
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
