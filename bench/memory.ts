/**
 * The cases of resident memory: the most that a run of a part holds, from launch to CSV.
 *
 * @module
 */

import { setTimeout } from "node:timers/promises";
import { StudyError } from "../io/errors.ts";
import { systemReason } from "../io/system_reason.ts";
import { formatCount } from "../report/analysis/format_numbers.ts";
import type { Measurement } from "../report/record/bench_results.ts";
import { ALEXNET, DATA, FASTER_RCNN_ADAPTED, VGG16 } from "../study.ts";
import { type Child, type Program, startChild } from "./child.ts";
import type { BenchContext, OurSettings } from "./context.ts";
import { inFreshCache, withCache } from "./fresh_cache.ts";
import { checkStudyImages } from "./image_counts.ts";
import { drain, freshPath, partProgram } from "./program_times.ts";

/** `memory` is part 1's. */
export const MEMORY_CASES = [
  "memory",
  "memory-detector",
  "memory-alexnet",
  "memory-vgg16",
] as const;

/** One of {@linkcode MEMORY_CASES}. */
export type MemoryCase = typeof MEMORY_CASES[number];

/** What is run of a part. */
interface MemoryPlan {
  /** What of it is held, for a title and a target. */
  what: string;
  part: 1 | 2 | 4;
  flags: readonly string[];
  /** Gigabytes that it is to stay within. */
  most: number;
}

/** Part 1 is run as in the study. Part 4 has one epoch and part 2 few images, with which memory does not grow. */
export const MEMORY_PLANS: Readonly<Record<MemoryCase, MemoryPlan>> = {
  memory: {
    what: `part 1 at ${formatCount(DATA.trainImages)} images`,
    part: 1,
    flags: [],
    most: 1,
  },
  "memory-detector": {
    what: `part 2 with ${FASTER_RCNN_ADAPTED.title}, fp32`,
    part: 2,
    flags: ["--weights", "random", "--test-limit", "32"],
    most: 2,
  },
  "memory-alexnet": fineTuning(ALEXNET.title, ["--models", "alexnet"], 1.5),
  "memory-vgg16": fineTuning(
    `${VGG16.title}, its features in bf16`,
    ["--models", "vgg16", "--precision", "bf16"],
    3,
  ),
};

function fineTuning(model: string, flags: readonly string[], most: number): MemoryPlan {
  const what = `part 4 with ${model}, at ${formatCount(DATA.trainImages)} images`;
  return { what, part: 4, flags: [...flags, "--epochs", "1"], most };
}

const POLL_MS = 250;

/**
 * Largest resident memory of a run, evaluation and CSV included. Part 4 begins with no features in its
 * cache, so that what computes them counts, whatever was run before.
 *
 * @param folder For what the run writes.
 * @param peakOf Runs a program to its end and says its peak in bytes; tests put their own in place.
 * @throws {StudyError} If it fails, this is not Linux, or there are not as many images as it says.
 */
export async function measureMemory(
  context: BenchContext,
  name: MemoryCase,
  folder: string,
  peakOf: (program: Program) => Promise<number> = (program) => peakUntilEnd(startChild(program)),
): Promise<Measurement[]> {
  if (Deno.build.os !== "linux") {
    throw new StudyError("the peak of resident memory is read from Linux's /proc");
  }
  const { what, part } = MEMORY_PLANS[name];
  // The detector's is of a few test images, whatever there are.
  if (part !== 2) checkStudyImages(context.images);
  context.reporter.live(`Running ${what} for its memory`);
  // On the backend that the page is of: `auto` would take another for bfloat16 where it has none.
  const settings = { ...context, backend: context.ours.backend };
  const peak = await inFreshCache((cache) => peakOf(memoryRun(settings, name, { folder, cache })));
  if (peak === 0) throw new StudyError("the run ended before its memory was read");
  const title = `Peak resident memory of ${what}`;
  return [{ case: name, title, unit: "GB", on: context.ours, value: peak / 1e9 }];
}

/**
 * A run of a case's plan on the context's backend and data.
 *
 * @param places A folder for what the run writes, and its cache.
 */
export function memoryRun(
  context: OurSettings,
  name: MemoryCase,
  { folder, cache }: { folder: string; cache: string },
): Program {
  const { part, flags } = MEMORY_PLANS[name];
  return withCache(partProgram(context, part, flags, freshPath(folder)), cache);
}

/**
 * The largest of the readings that are begun while a program runs.
 *
 * @param read Reads a process' peak until then, in bytes; tests put their own in place.
 * @returns Bytes; 0 if the program ended before it was read.
 * @throws {StudyError} If the program fails, or what reads.
 */
export async function peakUntilEnd(
  child: Child,
  read: (pid: number) => Promise<number> = peakMemory,
): Promise<number> {
  const end = new AbortController();
  let peak = 0;
  const readings = async () => {
    while (!end.signal.aborted) {
      peak = Math.max(peak, await read(child.pid));
      await setTimeout(POLL_MS, undefined, { signal: end.signal }).catch(() => {});
    }
  };
  try {
    await Promise.all([drain(child).finally(() => end.abort()), readings()]);
  } finally {
    // Where nothing can be read, it need not run on.
    await child.kill();
  }
  return peak;
}

/** `VmHWM` in bytes; 0 if the process is gone. Deno itself may not read /proc without all rights. */
async function peakMemory(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("cat", {
    args: [`/proc/${pid}/status`],
    stderr: "null",
  }).output().catch((error) => {
    throw new StudyError(`Cannot read a process' memory by cat: ${systemReason(error)}`);
  });
  const [, kibibytes = "0"] = /^VmHWM:\s+(\d+) kB/m.exec(new TextDecoder().decode(stdout)) ?? [];
  return Number(kibibytes) * 1024;
}
