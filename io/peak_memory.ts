/**
 * How much memory the process has had.
 *
 * @module
 */

import process from "node:process";
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
  return 1024 * (kibibytes === undefined ? process.resourceUsage().maxRSS : Number(kibibytes));
}
