/**
 * Which processor this is.
 *
 * @module
 */

import { cpus } from "node:os";
import { readSystemFile } from "./libc.ts";

/** A processor; the names are those in `manifest.json`. */
export interface Processor {
  /** Its name, as the maker or the machine that is rented says; `"unknown"` if none does. */
  processor: string;
  /** {@linkcode processorModel}; absent where the system does not tell. */
  processor_model?: string;
}

/** The processor of this machine, as far as the system names it. */
export function processor(): Processor {
  const model = processorModel();
  return {
    processor: cpus()[0]?.model ?? "unknown",
    ...(model !== undefined && { processor_model: model }),
  };
}

/** What tells kinds apart, by Linux's name and ours: on x86-64 and on arm64. */
const MARKS = [
  [["cpu family", "family"], ["model", "model"]],
  [["CPU implementer", "implementer"], ["CPU part", "part"]],
] as const;

/**
 * What tells a processor from others of its name, such as `family 26, model 2`: rented machines call
 * generations that differ twofold in speed by one name. `undefined` where it is not known.
 *
 * @param cpuinfo The description of the processor, in the form of Linux's `/proc/cpuinfo`.
 */
export function processorModel(
  cpuinfo: string | undefined = readSystemFile("/proc/cpuinfo"),
): string | undefined {
  for (const marks of MARKS) {
    const values = marks.map(([name]) => cpuinfoField(cpuinfo, name) ?? "");
    if (values.every((value) => /^\S+$/.test(value))) {
      return marks.map(([, word], index) => `${word} ${values[index]}`).join(", ");
    }
  }
  return undefined;
}

/**
 * What a description of processors, in the form of Linux's `/proc/cpuinfo`, says under a name of the
 * first that has it; `undefined` if none has.
 */
export function cpuinfoField(cpuinfo: string | undefined, name: string): string | undefined {
  return new RegExp(`^${name}\\s*:(.*)$`, "m").exec(cpuinfo ?? "")?.[1]?.trim();
}
