/**
 * How much memory the process has had.
 *
 * @module
 */

import process from "node:process";
import { compareVersions } from "./compare_versions.ts";
import { readSystemFile } from "./libc.ts";

/**
 * Resident bytes at their highest since the process began.
 *
 * On Linux the system's count for a process begins with what the one that started it had, where that was
 * more; its memory's own is read instead, where the system lets it be read.
 */
export function peakMemory(): number {
  const status = Deno.build.os === "linux" ? readSystemFile("/proc/self/status") : undefined;
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status ?? "") ?? [];
  return kibibytes === undefined ? peakBytes() : 1024 * Number(kibibytes);
}

/** What Deno says of a process, and which Deno on what system. */
export interface ResourceUsage {
  os: string;
  deno: string;
  maxRSS: number;
}

/** The peak that Deno tells, in bytes: it is in kibibytes, but on macOS in bytes until Deno 2.9.7. */
export function peakBytes(
  { os, deno, maxRSS }: ResourceUsage = {
    os: Deno.build.os,
    deno: Deno.version.deno,
    maxRSS: process.resourceUsage().maxRSS,
  },
): number {
  const isInBytes = os === "darwin" && compareVersions(deno, "2.9.7") < 0;
  return isInBytes ? maxRSS : 1024 * maxRSS;
}
