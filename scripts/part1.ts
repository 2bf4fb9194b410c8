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
import { type ClassifierPlan, runClassifier } from "./classifier_run.ts";
import { helpText, parseFlags, runFlags, seedList } from "./flags.ts";
import { interruptible, runScript } from "./run_script.ts";
import { describeEngine } from "./provenance.ts";

/** The study's settings. */
const STUDY = { epochs: 10, batchSize: 128, lr: 0.001, weightDecay: 1e-4 } as const;

const FLAGS = runFlags(STUDY);

const PLAN: ClassifierPlan = {
  part: 1,
  model: "SimpleCNN",
  build: (seed) => simpleCnn({ seed }),
  transform: normalizeMnist,
  weightDecay: STUDY.weightDecay,
};

async function main(): Promise<void> {
  const flags = parseFlags(Deno.args, FLAGS);
  if (flags.help) {
    console.log(helpText({
      usage: "deno task part1 [flags]",
      description: "Trains SimpleCNN on MNIST from scratch, evaluates it, and adds a row to " +
        "part1.csv in the results folder.",
      table: FLAGS,
      examples: [
        "deno task part1",
        "deno task part1 --data fashion --seeds 1,2,3",
        "deno task part1 --limit 1000 --epochs 2 --out /tmp/try",
      ],
    }));
    return;
  }
  const reporter = createReporter({ quiet: flags.quiet, stream: flags.json ? "stderr" : "stdout" });
  const engine = await startEngine({
    ...flags,
    precision: flags.precision === "bf16" ? "bfloat16" : "float32",
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
      reporter.line(`${PLAN.model}: ${flags.epochs} epochs, seed ${seed}`);
      const context = { engine, dataset, reporter, signal, command: Deno.args };
      const row = await runClassifier(PLAN, { ...flags, seed }, context);
      if (row === undefined) continue;
      reporter.line(`Run ${row.run_id} is in ${flags.out}/part1.csv`);
      if (flags.json) console.log(JSON.stringify(row));
    }
  });
  reporter.line(`See the comparison with: deno task compare`);
  engine.dispose();
}

if (import.meta.main) await runScript(main);
