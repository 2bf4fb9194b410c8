/**
 * Our side of the bench: the suite's own training, evaluation and engine, timed on request; see
 * `worker.ts`.
 *
 * @module
 */

import { loadDataset } from "../data/load_dataset.ts";
import { normalizeMnist } from "../data/image_batches.ts";
import { type Engine, startEngine } from "../engine/engine.ts";
import { bfloat16Problem } from "../engine/tensorflow/bfloat16_support.ts";
import { SHARED_FLAGS } from "../experiment/flags.ts";
import { gitState, machine, versions } from "../experiment/provenance.ts";
import { StudyError } from "../io/errors.ts";
import { parseFlags } from "../io/parse_flags.ts";
import { createReporter } from "../io/reporter.ts";
import { runScript } from "../io/run_script.ts";
import type { ComputedOn, Precision } from "../report/record/bench_results.ts";
import { OurWork } from "./our_work.ts";

async function main(): Promise<void> {
  const { data, backend, device, threads, libtensorflow, precision, verbose } = SHARED_FLAGS;
  const flags = parseFlags(Deno.args, {
    data,
    backend,
    device,
    threads,
    libtensorflow,
    precision,
    verbose,
  });
  // Standard output is for answers.
  const reporter = createReporter({ quiet: true, stream: "stderr" });
  const lines = stdinLines();
  const answer = (value: unknown) => console.log(JSON.stringify(value));
  try {
    const engine = await startEngine({
      ...flags,
      precision: flags.precision === "bf16" ? "bfloat16" : "float32",
      reporter,
    });
    const dataset = await loadDataset({ data: flags.data, reporter });
    const work = new OurWork(engine, dataset, normalizeMnist);
    answer({
      ready: true,
      versions: versions(engine),
      on: computedOn(engine),
      precisions: precisionsOf(engine),
      machine: machine(engine),
      git: await gitState(),
      images: { train: dataset.train.count, test: dataset.test.count },
      dataset: { name: dataset.name, sha256: dataset.sha256 },
    });
    for await (const line of lines) {
      try {
        answer(await work.do(JSON.parse(line)));
      } catch (error) {
        // What a device has no memory for or cannot do says nothing of the next request.
        answer({ error: error instanceof Error ? error.message : String(error) });
      }
    }
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    answer({ error: error.message });
  }
}

function computedOn({ backend, device, adapter }: Engine): ComputedOn {
  if (adapter === undefined) return { backend, device };
  return { backend, device, vendor: adapter.vendor, software: adapter.isSoftware };
}

/** Asked here, as only what may use FFI can look at the processor. */
function precisionsOf({ backend, device }: Engine): Precision[] {
  const hasBfloat16 = backend === "tensorflow" && bfloat16Problem(device) === undefined;
  return hasBfloat16 ? ["float32", "bfloat16"] : ["float32"];
}

async function* stdinLines(): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

if (import.meta.main) await runScript(main);
