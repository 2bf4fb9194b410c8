/**
 * Files of weights in the suite's cache: where they lie, and whether they are what they should be.
 *
 * @module
 */

import { basename, join } from "node:path";
import { cacheDir } from "../../io/cache.ts";
import { exists } from "../../io/path_kind.ts";
import { formatBytes, type Reporter } from "../../io/reporter.ts";
import { sha256File } from "../../io/sha256.ts";

/** What a file must be. */
export interface PinnedFile {
  readonly file: string;
  /** Size in bytes. */
  readonly bytes?: number;
  /** SHA-256, lower-case hexadecimal, or how it begins. */
  readonly sha256: string;
}

/** The cache's folder of weights. */
export function weightsFolder(cache: string = cacheDir()): string {
  return join(cache, "weights");
}

/** What lies where a file of weights should be. */
export type CachedWeights =
  | { state: "valid"; sha256: string }
  | { state: "absent" }
  | { state: "damaged"; reason: string };

/** Looks at a file's size and SHA-256. */
export async function inspectWeights(
  path: string,
  { bytes, sha256: expected }: PinnedFile,
  reporter: Reporter,
): Promise<CachedWeights> {
  if (!await exists(path)) return { state: "absent" };
  const { size } = await Deno.stat(path);
  if (bytes !== undefined && size !== bytes) {
    return { state: "damaged", reason: `${size} bytes, expected ${bytes}` };
  }
  const sha256 = await hashWeights(path, reporter);
  if (sha256.startsWith(expected)) return { state: "valid", sha256 };
  return { state: "damaged", reason: `SHA-256 ${sha256}, expected ${describeSum(expected)}` };
}

/** SHA-256 of a file, which is said as it takes a while. */
export async function hashWeights(path: string, reporter: Reporter): Promise<string> {
  const { size } = await Deno.stat(path);
  reporter.live(`Checking ${basename(path)} (${formatBytes(size)})`);
  const sha256 = await sha256File(path);
  reporter.live("");
  return sha256;
}

/** A SHA-256 in words; its beginning with an ellipsis. */
export function describeSum(sha256: string): string {
  return sha256.length < 64 ? `${sha256}…` : sha256;
}
