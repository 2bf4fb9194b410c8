/**
 * Which C library this process runs on.
 *
 * @module
 */

import { compareVersions } from "../../io/compare_versions.ts";

/** The C library of a Linux system: glibc with its version, or another one (musl). */
export type CLibrary = { name: "glibc"; version: string } | { name: "other" };

/** The running C library; undefined on systems other than Linux. */
export function runningCLibrary(): CLibrary | undefined {
  if (Deno.build.os !== "linux") return undefined;
  try {
    const library = Deno.dlopen("libc.so.6", {
      gnu_get_libc_version: { parameters: [], result: "pointer" /* const char* */ },
    });
    try {
      const version = library.symbols.gnu_get_libc_version();
      if (version === null) return { name: "other" };
      return { name: "glibc", version: Deno.UnsafePointerView.getCString(version) };
    } finally {
      library.close();
    }
  } catch {
    return { name: "other" };
  }
}

/**
 * What is wrong with `running` for a package that needs glibc `required`, with the remedy;
 * undefined if nothing is.
 *
 * @param required Version such as `2.27`; undefined where the package does not depend on one.
 */
export function cLibraryProblem(
  required: string | undefined,
  running: CLibrary | undefined,
): string | undefined {
  if (required === undefined || running === undefined) return undefined;
  if (running.name !== "glibc") {
    return "this system's C library is not glibc (musl, as in Alpine Linux, is not supported): " +
      "use a Linux with glibc, for example Debian or Ubuntu";
  }
  if (compareVersions(running.version, required) >= 0) return undefined;
  return `it needs glibc ${required} or newer, this system has ${running.version}: ` +
    "use a newer Linux release, or set LIBTENSORFLOW_PATH to a library built for this one";
}
