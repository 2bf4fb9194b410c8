/**
 * Gives back the memory that loading libtensorflow leaves resident.
 *
 * To resolve its symbols the loader reads tables of well over a hundred megabytes, and to register its
 * kernels the library runs through much of its code; both once. The pages stay mapped afterwards, as a
 * third of what a training of part 1 has resident. They are the file's own, unchanged: let go of, those
 * that are needed again come back from the system's file cache.
 *
 * @module
 */

import { readSystemFile, withLibc } from "../../io/libc.ts";

/** A part of the address space that a file is mapped into. */
export interface FileMapping {
  /** Address of the first byte. */
  start: bigint;
  /** Address behind the last byte. */
  end: bigint;
}

/** `madvise`'s advice that the pages are not needed; Linux's value, on every processor. */
const MADV_DONTNEED = 4;

/** More than `/proc/self/smaps` takes, some 0.5 MB. */
const SMAPS_LIMIT = 1 << 23;

/**
 * Lets go of the pages of the named libraries that are as they are in the files. Does nothing where
 * there is no `/proc/self/smaps`.
 *
 * @param names Whether a file's name, without its folder, is one of a library's.
 * @returns Mappings that have been given back.
 */
export function releaseStartUpPages(names: (file: string) => boolean): number {
  if (Deno.build.os !== "linux") return 0;
  const smaps = readSystemFile("/proc/self/smaps", SMAPS_LIMIT);
  if (smaps === undefined) return 0;
  const mappings = unchangedMappings(smaps, names);
  withLibc(({ madvise }) => {
    for (const { start, end } of mappings) {
      madvise(Deno.UnsafePointer.create(start), end - start, MADV_DONTNEED);
    }
  });
  return mappings.length;
}

/**
 * The mappings of files of which nothing can have been changed in memory: private ones that cannot be
 * written to, without a page of the process's own. Tables that the loader has filled in, and then
 * protected, are no such.
 *
 * @param smaps Text of `/proc/<pid>/smaps`.
 */
export function unchangedMappings(
  smaps: string,
  names: (file: string) => boolean,
): FileMapping[] {
  const found: FileMapping[] = [];
  for (const entry of smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p [0-9a-f]+ \S+ \d+ +(.+)$/m.exec(entry);
    if (head === null || !names(head[3]!.slice(head[3]!.lastIndexOf("/") + 1))) continue;
    const kilobytes = (field: string) =>
      Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(entry)?.[1] ?? NaN);
    const own = ["Private_Dirty", "Shared_Dirty", "Anonymous", "Locked"].map(kilobytes);
    if (!own.every((size) => size === 0)) continue;
    found.push({ start: BigInt(`0x${head[1]}`), end: BigInt(`0x${head[2]}`) });
  }
  return found;
}
