/**
 * Whether this processor has what TensorFlow's builds are compiled for.
 *
 * @module
 */

import { readSystemFile } from "../../io/libc.ts";
import { cpuinfoField } from "../../io/processor.ts";
import type { LibraryLocation } from "../library/library_cache.ts";

/** Places of libraries that the user has chosen, which may be built for less. */
const CHOSEN: readonly LibraryLocation["source"][] = ["option", "environment", "system"];

/** What is known of the processor. */
export interface Processor {
  arch: string;
  /** Its description in the form of Linux's `/proc/cpuinfo`; `undefined` where there is none. */
  cpuinfo: string | undefined;
}

/** That of this machine, as far as its system tells. */
export function runningProcessor(): Processor {
  return { arch: Deno.build.arch, cpuinfo: readSystemFile("/proc/cpuinfo") };
}

/** What is to be said of a library before it is opened. */
export interface ProcessorProblem {
  /** One line with the remedy. */
  text: string;
  /** Whether opening the library would end the process for certain. */
  fatal: boolean;
}

/**
 * Why a library cannot run on this processor; `undefined` if nothing is known against it.
 *
 * Every build for x86-64 that TensorFlow publishes needs AVX and ends the process without a word
 * where there is none. Only Linux says so in a file: on macOS and Windows nothing is known.
 */
export function processorProblem(
  { source, path }: LibraryLocation,
  processor: Processor = runningProcessor(),
): ProcessorProblem | undefined {
  const lack = fetchedProblem(processor);
  if (lack === undefined) return undefined;
  const lacks = lack.reason.replace(/^t/, "T");
  if (CHOSEN.includes(source)) {
    const text = `${lacks}: if ${path} does too, the process ends now without a message`;
    return { text, fatal: false };
  }
  return { text: `${lacks}: ${lack.remedy}`, fatal: true };
}

/** Why a build of TensorFlow's own, as one that is fetched, cannot run; `undefined` as above. */
export function fetchedProblem(
  { arch, cpuinfo }: Processor,
): { reason: string; remedy: string } | undefined {
  if (arch !== "x86_64") return undefined;
  const flags = processorFlags(cpuinfo);
  if (flags === undefined || flags.includes("avx")) return undefined;
  return {
    reason: "this processor has no AVX, which TensorFlow's own builds need",
    remedy: "run on a machine that has it, or set LIBTENSORFLOW_PATH to a libtensorflow that is " +
      "built without",
  };
}

/** What an x86-64 can do, in Linux's words; `undefined` where its description says nothing of it. */
export function processorFlags(cpuinfo: string | undefined): string[] | undefined {
  return cpuinfoField(cpuinfo, "flags")?.split(/\s+/);
}
