/**
 * The case `profile`: what the milliseconds of a training step are spent on, as oneDNN, whose kernels
 * libtensorflow computes with, tells when each of them began and how long it took (`ONEDNN_VERBOSE`).
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
  const worker = await startOurs(context, precision, {
    // What the page is of: `auto` would take another where it has no bfloat16.
    backend: context.ours.backend,
    env: { ONEDNN_VERBOSE: "1", ONEDNN_VERBOSE_TIMESTAMP: "1" },
  });
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

/** A call of a kernel. */
interface KernelCall extends Omit<KernelTime, "calls" | "ms"> {
  /** When it began and ended, in milliseconds of a clock of its own. */
  start: number;
  end: number;
}

/**
 * Calls and time of each kernel in one of so many steps, those that take longest first. Time in which
 * several ran side by side is divided among them.
 *
 * @param lines What oneDNN prints; other lines are left out.
 * @throws {StudyError} If it printed nothing: libtensorflow computes without it, or another backend.
 */
export function kernelTimes(lines: readonly string[], steps: number): KernelTime[] {
  const calls = lines.map(readCall).filter((call) => call !== undefined);
  const kernels = new Map<string, KernelTime>();
  for (const [{ what, gflop }, ms] of sharedTimes(calls)) {
    const before = kernels.get(what);
    kernels.set(what, {
      what,
      ...(gflop !== undefined && { gflop }),
      calls: (before?.calls ?? 0) + 1 / steps,
      ms: (before?.ms ?? 0) + ms / steps,
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

/** The milliseconds of each call, those of which it had only a part counted in part. */
function sharedTimes(calls: readonly KernelCall[]): Map<KernelCall, number> {
  const times = new Map(calls.map((call) => [call, 0]));
  const turns = calls
    .flatMap((call) => [{ at: call.start, call }, { at: call.end, call }])
    .sort((a, b) => a.at - b.at);
  const running = new Set<KernelCall>();
  let since = 0;
  for (const { at, call } of turns) {
    for (const one of running) times.set(one, times.get(one)! + (at - since) / running.size);
    since = at;
    if (!running.delete(call)) running.add(call);
  }
  return times;
}

/**
 * A call of a kernel from its line: `onednn_verbose,v1,TIMESTAMP,primitive,exec,cpu,KIND,IMPLEMENTATION,
 * PASS,MEMORY,ATTRIBUTES,ALGORITHM,PROBLEM,MILLISECONDS`.
 */
function readCall(line: string): KernelCall | undefined {
  const fields = line.split(",");
  const [mark, , timestamp, subject, event, , kind = "", , pass = ""] = fields;
  if (mark !== "onednn_verbose" || subject !== "primitive" || event !== "exec") return undefined;
  const [problem = "", milliseconds] = fields.slice(-2);
  const [start, took] = [Number(timestamp), Number(milliseconds)];
  if (fields.length < 13 || !Number.isFinite(start) || !Number.isFinite(took)) return undefined;
  const times = { start, end: start + took };
  const direction = PASSES[pass] ?? "";
  switch (kind) {
    case "convolution": {
      const { mb = 0, ic = 0, oc = 0, oh = 0, ow = 0, kh = 0 } = sizes(problem);
      const shape = { height: oh, width: ow, inChannels: ic, outChannels: oc, kernelSize: kh };
      const what = `convolution ${kh}×${kh}, ${ic}→${oc} channels, ${direction}`;
      return { what, ...times, gflop: mb * convFlop(shape) / 1e9 };
    }
    case "pooling": {
      const { ic = 0 } = sizes(problem);
      return { what: `max pooling, ${ic} channels, ${direction}`, ...times };
    }
    case "matmul": {
      const [m = 0, k = 0, , n = 0] = problem.split(/[x:]/).map(Number);
      const what = `product ${m}×${k} · ${k}×${n}`;
      return { what, ...times, gflop: matmulFlop(m, k, n) / 1e9 };
    }
    case "reorder":
      return { what: "change of layout or number format", ...times };
    default:
      return { what: direction === "" ? kind : `${kind}, ${direction}`, ...times };
  }
}

/** The numbers of a problem such as `mb128_ic32oc64_ih14oh14kh5`. */
function sizes(problem: string): Record<string, number> {
  return Object.fromEntries(
    [...problem.matchAll(/([a-z]+)(\d+)/g)].map(([, name, value]) => [name!, Number(value)]),
  );
}
