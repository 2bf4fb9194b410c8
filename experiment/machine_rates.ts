/**
 * How fast this machine does what the parts of the study consist of, measured in a few seconds.
 *
 * A script of its own, with the permissions of the parts: `deno task all` and `deno task sweep` run it
 * and read the one line of JSON that it prints, {@linkcode NodeRates}.
 *
 * @module
 */

import { loadDataset } from "../data/load_dataset.ts";
import { type Engine, startEngine } from "../engine/engine.ts";
import { StudyError } from "../io/errors.ts";
import { machineLimits, type ReadSystemFile, schedulableCpus } from "../io/machine_limits.ts";
import { parseFlags } from "../io/parse_flags.ts";
import { createReporter } from "../io/reporter.ts";
import { runScript } from "../io/run_script.ts";
import { PRECISIONS, SHARED_FLAGS } from "./flags.ts";
import { measureRates } from "./measure_rates.ts";
import type { NodeRates } from "./sweep_forecast.ts";

/**
 * Processor cores that an engine keeps busy, a decimal number where its control group has a share of
 * one: no more than it has threads, or may run on. `null` where a GPU computes.
 */
export function busyCores(
  { device, threads }: Pick<Engine, "device" | "threads">,
  read?: ReadSystemFile,
): number | null {
  if (device !== "CPU") return null;
  return Math.min(threads, schedulableCpus(read), machineLimits(read).cpus ?? Infinity);
}

async function main(): Promise<void> {
  const { data, backend, device, precision, threads, libtensorflow, quiet } = SHARED_FLAGS;
  const table = { data, backend, device, precision, threads, libtensorflow, quiet };
  const flags = parseFlags(Deno.args, table);
  const reporter = createReporter({ stream: "stderr" });
  const engine = await startEngine({
    ...flags,
    precision: PRECISIONS[flags.precision ?? "fp32"],
    reporter,
  });
  const startSeconds = performance.now() / 1000;
  const { train, test } = await loadDataset({ ...flags, reporter });
  const rates: NodeRates = {
    backend: engine.backend,
    cores: busyCores(engine),
    startSeconds,
    trainImages: train.count,
    testImages: test.count,
    ...await measureRates(engine),
  };
  console.log(JSON.stringify(rates));
  engine.dispose();
}

/** With `--quiet` the parts themselves will say what keeps an engine or data from being there. */
function failQuietly(error: unknown): void {
  if (!(error instanceof StudyError) || !Deno.args.includes("--quiet")) throw error;
  Deno.exitCode = error.exitCode;
}

if (import.meta.main) await runScript(() => main().catch(failQuietly));
