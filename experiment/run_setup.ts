/**
 * What every part does before its first run: it starts the engine and loads the data.
 *
 * @module
 */

import type { Dataset } from "../data/dataset.ts";
import { loadDataset, type LoadDatasetOptions } from "../data/load_dataset.ts";
import { type Engine, type EngineOptions, startEngine } from "../engine/engine.ts";
import type { Reporter } from "../io/reporter.ts";
import { createReporter } from "../io/reporter.ts";
import { checkResultsFile } from "../report/record/results.ts";
import { PRECISIONS } from "./flags.ts";
import { describeEngine } from "./provenance.ts";

/** The flags that decide it. */
export interface SetupFlags
  extends Omit<EngineOptions, "precision" | "reporter">, Omit<LoadDatasetOptions, "reporter"> {
  backend: "auto" | "tensorflow";
  out: string;
  quiet: boolean;
  json: boolean;
  precision: keyof typeof PRECISIONS | undefined;
}

/** What a run happens with. */
export interface Setup {
  engine: Engine;
  dataset: Dataset;
  reporter: Reporter;
}

/**
 * Makes sure that results can be written, starts the engine and loads the data, and says which.
 *
 * @throws {StudyError} If any of it fails.
 */
export async function setUp(part: number, flags: SetupFlags): Promise<Setup> {
  const reporter = createReporter({ quiet: flags.quiet, stream: flags.json ? "stderr" : "stdout" });
  await checkResultsFile(flags.out, part);
  const engine = await startEngine({
    ...flags,
    precision: PRECISIONS[flags.precision ?? "fp32"],
    reporter,
  });
  reporter.line(describeEngine(engine, flags.backend));
  const dataset = await loadDataset({ ...flags, reporter });
  reporter.line(
    `Data: ${dataset.name}, ${dataset.train.count} training and ${dataset.test.count} test ` +
      `images (${dataset.source})`,
  );
  return { engine, dataset, reporter };
}
