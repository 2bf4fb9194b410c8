/**
 * What a run's manifest says of the code and the machine.
 *
 * @module
 */

import { totalmem } from "node:os";
import process from "node:process";
import * as tf from "@tensorflow/tfjs";
import type { AdapterDescription, Engine } from "../engine/engine.ts";
import { repositoryRoot } from "../io/cache.ts";
import type { Reporter } from "../io/reporter.ts";
import { schedulableCpus } from "../io/machine_limits.ts";
import { runCommand } from "../io/run_command.ts";
import { peakMemory } from "../io/peak_memory.ts";
import { processor } from "../io/processor.ts";
import type { Json, Manifest } from "../report/record/run_folder.ts";

/** Versions of everything that takes part. */
export function versions(engine: Engine): Manifest["versions"] {
  return {
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    typescript: Deno.version.typescript,
    tfjs: tf.version_core,
    [engine.backend]: engine.version,
  };
}

/** Which engine runs, why it was taken, and what it computes with: one line. */
export function describeEngine({ backend, reason, description }: Engine): string {
  return `Engine: ${backend} (${reason}), ${description}`;
}

/** Says what answers and why, where it is another backend than TensorFlow: most often it is slower. */
export function mentionEngine(engine: Engine, reporter: Reporter): void {
  if (engine.backend !== "tensorflow") reporter.line(describeEngine(engine));
}

/** Processor, memory and operating system. */
export function machine(engine: Engine): Manifest["machine"] {
  return {
    os: Deno.build.os,
    arch: Deno.build.arch,
    ...processor(),
    cores: schedulableCpus(),
    threads: engine.threads,
    memory_bytes: totalmem(),
    device: engine.device,
    ...(engine.adapter && { adapter: adapterFacts(engine.adapter) }),
    ...(engine.backend === "tensorflow" && { libtensorflow: engine.library.source }),
  };
}

/** What `manifest.json` and `doctor --json` have of a graphics adapter. */
export function adapterFacts(
  { name, vendor, isSoftware, limits }: AdapterDescription,
): { readonly [name: string]: Json } {
  return { name, vendor, software: isSoftware, limits };
}

let state: Promise<Manifest["git"]> | undefined;

/**
 * The commit the code is at, and whether its tree is clean; `null` outside a repository. It is asked
 * once: what runs is the code as it was loaded.
 */
export function gitState(): Promise<Manifest["git"]> {
  return state ??= readGitState();
}

async function readGitState(): Promise<Manifest["git"]> {
  const commit = await git("rev-parse", "HEAD");
  const changes = await git(
    "status",
    "--porcelain",
    "--untracked-files=no",
    "--",
    ".",
    ":!results",
  );
  if (commit === undefined || changes === undefined) return null;
  return { commit: commit.trim(), clean: changes.trim() === "" };
}

async function git(...args: string[]): Promise<string | undefined> {
  const result = await runCommand(["git", "-C", repositoryRoot(), ...args]);
  return result?.success ? result.stdout : undefined;
}

/** What a run took of the processor, and the most memory that its processes have had. */
export interface ResourceUse {
  /** Seconds of all cores together, of the program and of the system on its behalf. */
  cpu_seconds: number;
  /** Seconds that passed meanwhile: with idle cores, or beside other work, more than their share. */
  wall_seconds: number;
  /** Resident bytes, at their highest since each process began. */
  peak_memory_bytes: number;
  [name: string]: number;
}

/** That of a run which begins. */
export const NOTHING_USED: ResourceUse = {
  cpu_seconds: 0,
  wall_seconds: 0,
  peak_memory_bytes: 0,
};

/** Starts to count; the function that is returned gives what has been used since, and earlier. */
export function measureResources(earlier = NOTHING_USED): () => ResourceUse {
  const before = process.resourceUsage();
  const start = performance.now();
  return () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    const microseconds = userCPUTime + systemCPUTime - before.userCPUTime - before.systemCPUTime;
    return {
      cpu_seconds: earlier.cpu_seconds + microseconds / 1e6,
      wall_seconds: earlier.wall_seconds + (performance.now() - start) / 1000,
      peak_memory_bytes: Math.max(earlier.peak_memory_bytes, peakMemory()),
    };
  };
}
