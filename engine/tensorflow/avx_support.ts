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
  { arch, cpuinfo }: Processor = {
    arch: Deno.build.arch,
    cpuinfo: readSystemFile("/proc/cpuinfo"),
  },
): ProcessorProblem | undefined {
  if (arch !== "x86_64") return undefined;
  const flags = processorFlags(cpuinfo);
  if (flags === undefined || flags.includes("avx")) return undefined;
  const lacks = "This processor has no AVX, which TensorFlow's own builds need";
  if (CHOSEN.includes(source)) {
    const text = `${lacks}: if ${path} does too, the process ends now without a message`;
    return { text, fatal: false };
  }
  const text = `${lacks}: run on a machine that has it, or set LIBTENSORFLOW_PATH to a ` +
    "libtensorflow that is built without";
  return { text, fatal: true };
}

/** What an x86-64 can do, in Linux's words; `undefined` where its description says nothing of it. */
export function processorFlags(cpuinfo: string | undefined): string[] | undefined {
  return cpuinfoField(cpuinfo, "flags")?.split(/\s+/);
}
