/**
 * How many of the machine's cores this process may use.
 *
 * @module
 */

import { readSystemFile } from "./libc.ts";

/**
 * Cores that the process may run on: those that `taskset`, a container's cpuset or a batch system has
 * left it. Libraries start as many threads, and the order in which they add numbers up, and so the last
 * bits of a result, go with that.
 */
export function coresInUse(): number {
  const status = Deno.build.os === "linux" ? readSystemFile("/proc/self/status") : undefined;
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status ?? "")?.[1];
  return (list && countCores(list)) || navigator.hardwareConcurrency;
}

/** The number of cores in a list as Linux writes it: `0-2,7` has four. */
export function countCores(list: string): number {
  return list.split(",").reduce((sum, range) => {
    const [first, last = first] = range.split("-").map(Number);
    return sum + last! - first! + 1;
  }, 0);
}
