/**
 * What to say of a library that could not be opened.
 *
 * @module
 */

import { dirname } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { damageOfCached } from "../library/library_cache.ts";
import { OpenFailure } from "./open_failure.ts";

/**
 * The error for a library that the loader refused. One of the cache is compared with its checksum, so
 * that nobody is told to remove a sound one.
 *
 * @param path The library's file.
 * @param error What opening it threw.
 */
export async function openingError(path: string, error: unknown): Promise<unknown> {
  if (!(error instanceof OpenFailure)) return error;
  const damage = await damageOfCached(path);
  if (damage === undefined) return error;
  const text = damage === "sound"
    ? `${error.message} The library's own files are as they were unpacked: leave them.`
    : `libtensorflow at ${path} cannot be opened: ${damage}. Remove ${dirname(path)} and run ` +
      "again to have it fetched anew.";
  return new StudyError(text, { cause: error });
}
