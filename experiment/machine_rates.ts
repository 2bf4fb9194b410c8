/**
 * How fast this machine does what the parts of the study consist of, measured in a few seconds.
 *
 * A script of its own, with the permissions of the parts: `deno task all` runs it and reads the one
 * line of JSON that it prints, a {@linkcode MachineRates}.
 *
 * @module
 */

import { loadDataset } from "../data/load_dataset.ts";
import { startEngine } from "../engine/engine.ts";
import { StudyError } from "../io/errors.ts";
import { parseFlags } from "../io/parse_flags.ts";
import { createReporter } from "../io/reporter.ts";
import { runScript } from "../io/run_script.ts";
import { PRECISIONS, SHARED_FLAGS } from "./flags.ts";
import type { MachineRates } from "./forecast.ts";
import { measureRates } from "./measure_rates.ts";

async function main(): Promise<void> {
  const { data, backend, device, precision, threads, libtensorflow, strict } = SHARED_FLAGS;
  const table = { data, backend, device, precision, threads, libtensorflow, strict };
  const flags = parseFlags(Deno.args, table);
  const reporter = createReporter({ stream: "stderr" });
  const engine = await startEngine({
    ...flags,
    precision: PRECISIONS[flags.precision ?? "fp32"],
    reporter,
  });
  const startSeconds = performance.now() / 1000;
  const { train, test } = await loadDataset({ ...flags, reporter });
  const rates: MachineRates = {
    startSeconds,
    trainImages: train.count,
    testImages: test.count,
    ...await measureRates(engine),
  };
  console.log(JSON.stringify(rates));
  engine.dispose();
}

/** The parts themselves will say what keeps an engine or data from being there. */
function failQuietly(error: unknown): void {
  if (!(error instanceof StudyError)) throw error;
  Deno.exitCode = error.exitCode;
}

if (import.meta.main) await runScript(() => main().catch(failQuietly));
