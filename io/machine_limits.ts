/**
 * What this process may have of the machine: processors and memory, as its control group limits them.
 *
 * @module
 */

import { readSystemFile } from "./libc.ts";

/** Reads a small file of the system's; `undefined` if it cannot be read. */
export type ReadSystemFile = (path: string) => string | undefined;

/** The limits of a control group; `undefined` where there is none, or it is not known. */
export interface MachineLimits {
  memoryBytes: number | undefined;
  /** Processors that it may keep busy, a decimal number. */
  cpus: number | undefined;
}

/** How many processors this process may run on at all. */
export function schedulableCpus(read: ReadSystemFile = readSystemFile): number {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)/m.exec(read("/proc/self/status") ?? "")?.[1];
  if (list === undefined) return navigator.hardwareConcurrency;
  return list.split(",").reduce((sum, range) => {
    const [first = NaN, last = first] = range.split("-").map(Number);
    return sum + last - first + 1;
  }, 0);
}

/** Where Linux shows control groups. */
const ROOT = "/sys/fs/cgroup";

/** Version 1 writes a number near 2⁶³ for no limit. */
const UNLIMITED = 2 ** 60;

/**
 * The limits of this process's control group on Linux, in version 1 or 2: the narrowest of its own and
 * those of the groups around it.
 */
export function machineLimits(read: ReadSystemFile = readSystemFile): MachineLimits {
  const groups = (read("/proc/self/cgroup") ?? "").split("\n").flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    return controllers === undefined || path === undefined
      ? []
      : [{ controllers: controllers.split(","), path }];
  });
  const memory: number[] = [];
  const cpus: number[] = [];
  for (const { controllers, path } of groups) {
    // Inside of a container a group may be called by its path outside of it.
    for (const folder of [...withParents(path)]) {
      if (controllers[0] === "") {
        memory.push(number(read(`${ROOT}${folder}/memory.max`)));
        const [quota, period] = (read(`${ROOT}${folder}/cpu.max`) ?? "").trim().split(" ");
        cpus.push(number(quota) / number(period));
      }
      if (controllers.includes("memory")) {
        memory.push(number(read(`${ROOT}/memory${folder}/memory.limit_in_bytes`)));
      }
      if (controllers.includes("cpu")) {
        const base = `${ROOT}/${controllers.join(",")}${folder}`;
        const file = (name: string) =>
          number(read(`${base}/${name}`) ?? read(`${ROOT}/cpu${folder}/${name}`));
        cpus.push(file("cpu.cfs_quota_us") / file("cpu.cfs_period_us"));
      }
    }
  }
  return {
    memoryBytes: least(memory.filter((bytes) => bytes < UNLIMITED)),
    cpus: least(cpus),
  };
}

/** A path and all above it, without a slash at the end: `/a/b`, `/a`, and nothing. */
function withParents(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  return Array.from(
    { length: parts.length + 1 },
    (_, i) => parts.slice(0, parts.length - i).map((part) => `/${part}`).join(""),
  );
}

/** A positive number; NaN for `max`, -1 and all else. */
function number(text: string | undefined): number {
  const value = /^\s*\d+\s*$/.test(text ?? "") ? Number(text) : NaN;
  return value > 0 ? value : NaN;
}

function least(values: readonly number[]): number | undefined {
  const known = values.filter((value) => Number.isFinite(value));
  return known.length === 0 ? undefined : Math.min(...known);
}
