/**
 * The files of a published data set in the cache: checked at every reading, fetched where needed.
 *
 * @module
 */

import { join } from "node:path";
import { download } from "../io/download.ts";
import { StudyError } from "../io/errors.ts";
import { withLock } from "../io/lock.ts";
import type { Reporter } from "../io/reporter.ts";
import { sha256Hex } from "../io/sha256.ts";
import { decodeIdx } from "./idx.ts";
import { eachStem, type IdxFiles, kindOf } from "./idx_folder.ts";
import {
  FILE_STEMS,
  type FileStem,
  type PinnedDataset,
  type PinnedFile,
  publishedName,
} from "./sources.ts";

/** What is in the cache under the name of a published file. */
export type CachedFile =
  | { state: "valid"; path: string; bytes: Uint8Array }
  | { state: "absent"; path: string }
  | { state: "damaged"; path: string; reason: string };

/** Options of {@linkcode obtainPublished}. */
export interface ObtainOptions {
  /** Folder of the cache; the set has a folder of its own in it. */
  cache: string;
  /** Where progress goes. */
  reporter: Reporter;
  /** Time allowed for a mirror's first answer, in milliseconds. */
  connectTimeoutMs: number;
  /** Time allowed without a single byte, in milliseconds. */
  stallTimeoutMs: number;
}

/** Sets that no mirror delivered in this process: asked for once, not again. */
const unobtainable = new WeakMap<PinnedDataset, StudyError>();

/**
 * The four files of a published set, from the cache or else its mirrors.
 *
 * Size and SHA-256 are checked at every reading. A damaged file is fetched again, which is said. Two
 * processes do not fetch at once: the second waits and finds the files. When a file can be had
 * nowhere, the others are not tried, nor is anything later in this process.
 *
 * @returns The files, and in words where they came from.
 * @throws {StudyError} When a file is neither in the cache nor to be had.
 */
export async function obtainPublished(
  set: PinnedDataset,
  options: ObtainOptions,
): Promise<{ files: IdxFiles; source: string }> {
  const folder = join(options.cache, set.name);
  let cached = await inspectCache(set, options.cache);
  let source = `cache ${folder}`;
  if (!isComplete(cached)) {
    const known = unobtainable.get(set);
    if (known !== undefined) throw known;
    const onWait = () => options.reporter.line(`${set.title}: waiting for another run's download`);
    try {
      const urls = await withLock(join(folder, ".lock"), () => fetchMissing(set, options), {
        onWait,
      });
      if (urls.length > 0) source = urls.join(", ");
    } catch (error) {
      throw readable(error, set, folder);
    }
    cached = await inspectCache(set, options.cache);
  }
  const files = await eachStem((stem) => {
    const file = cached[stem];
    if (file.state !== "valid") {
      throw new StudyError(`Cannot read ${file.path}: it changed while it was read. Run again.`);
    }
    return Promise.resolve(decodeIdx(file.path, file.bytes, kindOf(stem)));
  });
  return { files, source };
}

/** What the cache holds of a published set; the network is left alone. */
export function inspectCache(
  set: PinnedDataset,
  cache: string,
): Promise<Record<FileStem, CachedFile>> {
  return eachStem((stem) =>
    inspectFile(join(cache, set.name, publishedName(stem)), set.files[stem])
  );
}

/** Whether all four files are there and sound. */
export function isComplete(cached: Record<FileStem, CachedFile>): boolean {
  return FILE_STEMS.every((stem) => cached[stem].state === "valid");
}

async function inspectFile(path: string, pinned: PinnedFile): Promise<CachedFile> {
  let bytes: Uint8Array;
  try {
    const { size } = await Deno.stat(path);
    if (size !== pinned.bytes) {
      return { state: "damaged", path, reason: `${size} bytes, expected ${pinned.bytes}` };
    }
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { state: "absent", path };
    return { state: "damaged", path, reason: (error as Error).message };
  }
  const sha256 = sha256Hex(bytes);
  if (sha256 === pinned.sha256) return { state: "valid", path, bytes };
  return { state: "damaged", path, reason: `SHA-256 ${sha256}, expected ${pinned.sha256}` };
}

/** Downloads what is not sound; returns the addresses that delivered, without the files' names. */
async function fetchMissing(set: PinnedDataset, options: ObtainOptions): Promise<string[]> {
  const cached = await inspectCache(set, options.cache);
  const delivered: string[] = [];
  for (const stem of FILE_STEMS) {
    const file = cached[stem];
    if (file.state === "valid") continue;
    if (file.state === "damaged") {
      options.reporter.warn(`${file.path} is damaged (${file.reason}); fetching it again`);
    }
    const name = publishedName(stem);
    // A mirror that has just delivered goes first, so that a dead one is waited for only once.
    const mirrors = new Set([...delivered, ...set.mirrors]);
    try {
      const { url } = await download({
        urls: [...mirrors].map((mirror) => mirror + name),
        path: file.path,
        size: set.files[stem].bytes,
        sha256: set.files[stem].sha256,
        label: `${set.title} ${name}`,
        reporter: options.reporter,
        connectTimeoutMs: options.connectTimeoutMs,
        stallTimeoutMs: options.stallTimeoutMs,
      });
      const mirror = url.slice(0, -name.length);
      if (!delivered.includes(mirror)) delivered.unshift(mirror);
    } catch (error) {
      if (!(error instanceof StudyError)) throw error;
      const failure = file.state === "damaged"
        ? new StudyError(`${file.path} is damaged (${file.reason}). ${error.message}`)
        : error;
      unobtainable.set(set, failure);
      throw failure;
    }
  }
  return delivered;
}

/** A cache folder that cannot be written is the user's to mend. */
function readable(error: unknown, set: PinnedDataset, folder: string): unknown {
  if (error instanceof StudyError || !(error instanceof Error)) return error;
  if (!("code" in error) && !(error instanceof Deno.errors.NotCapable)) return error;
  return new StudyError(
    `Cannot keep ${set.title} in ${folder}: ${error.message}. ` +
      `Make it writable, or set MNIST_STUDY_CACHE to a folder that is.`,
    { cause: error },
  );
}
