/**
 * The case `profile`: what the milliseconds of a training step are spent on, as oneDNN, whose kernels
 * libtensorflow computes with, tells of each of them (`ONEDNN_VERBOSE`).
 *
 * @module
 */

import { StudyError } from "../io/errors.ts";
import {
  formatName,
  type KernelTime,
  type Measurement,
  type Precision,
} from "../report/record/bench_results.ts";
import { SIMPLE_CNN } from "../study.ts";
import { type BenchContext, startOurs } from "./context.ts";
import { convFlop, matmulFlop } from "./flops.ts";

const { batchSize: BATCH_SIZE } = SIMPLE_CNN.training;

/** Profiles our training step in both number formats. */
export async function measureProfile(context: BenchContext): Promise<Measurement[]> {
  const found: Measurement[] = [];
  for (const precision of ["float32", "bfloat16"] as const) {
    const format = formatName(precision);
    context.reporter.live(`Training in ${format} to see what a step is made of`);
    const title = `Training step, batch ${BATCH_SIZE}, ${format}, by its kernels`;
    const common = { case: "profile", title, precision, unit: "ms", on: context.ours } as const;
    try {
      found.push({ ...common, ...await profileStep(context, precision) });
    } catch (error) {
      // Not every processor has bfloat16.
      if (!(error instanceof StudyError) || context.signal.aborted) throw error;
      found.push({ ...common, value: null, note: error.message });
    }
  }
  return found;
}

async function profileStep(
  context: BenchContext,
  precision: Precision,
): Promise<Pick<Measurement, "value" | "kernels">> {
  const worker = await startOurs(context, precision, { env: { ONEDNN_VERBOSE: "1" } });
  try {
    const { seconds } = context;
    const request = { case: "step", variant: "default", precision, seconds } as const;
    // The first time it is warmed up, which is not to be counted.
    await worker.run(request);
    worker.takeRemarks();
    const timing = await worker.run(request);
    return {
      value: 1000 * timing.seconds / timing.units,
      kernels: kernelTimes(worker.takeRemarks(), timing.units),
    };
  } finally {
    await worker.stop();
  }
}

/**
 * Calls and time of each kernel in one of so many steps, those that take longest first.
 *
 * @param lines What oneDNN prints; other lines are left out.
 * @throws {StudyError} If it printed nothing: libtensorflow computes without it, or another backend.
 */
export function kernelTimes(lines: readonly string[], steps: number): KernelTime[] {
  const kernels = new Map<string, KernelTime>();
  for (const line of lines) {
    const kernel = readKernel(line);
    if (kernel === undefined) continue;
    const before = kernels.get(kernel.what);
    kernels.set(kernel.what, {
      ...kernel,
      calls: (before?.calls ?? 0) + 1 / steps,
      ms: (before?.ms ?? 0) + kernel.ms / steps,
    });
  }
  if (kernels.size === 0) {
    throw new StudyError("oneDNN, which can tell it, does not compute here");
  }
  return [...kernels.values()].sort((a, b) => b.ms - a.ms);
}

/** What oneDNN calls the passes of a layer. */
const PASSES: Readonly<Record<string, string>> = {
  forward_training: "forward",
  forward_inference: "forward",
  backward_data: "gradient of its input",
  backward_weights: "gradient of its weights",
};

/**
 * A call of a kernel from its line: `onednn_verbose,v1,primitive,exec,cpu,KIND,IMPLEMENTATION,PASS,
 * MEMORY,ATTRIBUTES,ALGORITHM,PROBLEM,MILLISECONDS`.
 */
function readKernel(line: string): Omit<KernelTime, "calls"> | undefined {
  const fields = line.split(",");
  const [mark, , subject, event, , kind = "", , pass = ""] = fields;
  if (mark !== "onednn_verbose" || subject !== "primitive" || event !== "exec") return undefined;
  const [problem = "", milliseconds] = fields.slice(-2);
  const ms = Number(milliseconds);
  if (fields.length < 12 || !Number.isFinite(ms)) return undefined;
  const direction = PASSES[pass] ?? "";
  switch (kind) {
    case "convolution": {
      const { mb = 0, ic = 0, oc = 0, oh = 0, ow = 0, kh = 0 } = sizes(problem);
      const shape = { height: oh, width: ow, inChannels: ic, outChannels: oc, kernelSize: kh };
      const what = `convolution ${kh}×${kh}, ${ic}→${oc} channels, ${direction}`;
      return { what, ms, gflop: mb * convFlop(shape) / 1e9 };
    }
    case "pooling": {
      const { ic = 0 } = sizes(problem);
      return { what: `max pooling, ${ic} channels, ${direction}`, ms };
    }
    case "matmul": {
      const [m = 0, k = 0, , n = 0] = problem.split(/[x:]/).map(Number);
      const what = `product ${m}×${k} · ${k}×${n}`;
      return { what, ms, gflop: matmulFlop(m, k, n) / 1e9 };
    }
    case "reorder":
      return { what: "change of layout or number format", ms };
    default:
      return { what: direction === "" ? kind : `${kind}, ${direction}`, ms };
  }
}

/** The numbers of a problem such as `mb128_ic32oc64_ih14oh14kh5`. */
function sizes(problem: string): Record<string, number> {
  return Object.fromEntries(
    [...problem.matchAll(/([a-z]+)(\d+)/g)].map(([, name, value]) => [name!, Number(value)]),
  );
}
