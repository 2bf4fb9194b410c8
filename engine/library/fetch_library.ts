/**
 * libtensorflow fetched into the suite's cache, once: the wheel, else the official archive.
 *
 * @module
 */

import { basename, join } from "node:path";
import { CacheError, cacheError } from "../../io/cache.ts";
import { isDiskFull } from "../../io/disk_error.ts";
import { download } from "../../io/download.ts";
import { InterruptedError, StudyError } from "../../io/errors.ts";
import { withLock } from "../../io/lock.ts";
import { formatBytes, type Reporter } from "../../io/reporter.ts";
import { retried } from "../../io/retry.ts";
import { sha256File } from "../../io/sha256.ts";
import type { MinimumRate } from "../../io/transfer_watch.ts";
import { fetchedProblem, type Processor, runningProcessor } from "../tensorflow/avx_support.ts";
import { BrokenWheel, fetchWheel, PIP_COMMANDS } from "./fetch_wheel.ts";
import { type CLibrary, cLibraryProblem, runningCLibrary } from "./glibc.ts";
import {
  cachedLibrary,
  cacheFolderName,
  libraryCache,
  type LibraryLocation,
  type LibraryManifest,
} from "./library_cache.ts";
import { markSound } from "./library_check.ts";
import {
  currentPlatform,
  MOST_ARCHIVE_BYTES,
  PACKAGE_KINDS,
  type PackageKind,
  type Release,
  RELEASES,
} from "./releases.ts";
import { unpackMembers } from "../../io/unpack_archive.ts";

/** Options of {@linkcode fetchLibrary}; all but the reporter are there to be replaced by tests. */
export interface FetchLibraryOptions {
  reporter: Reporter;
  /** What to fetch. @default the pinned release for this platform */
  release?: Release;
  /** The folder of all cached libraries. @default {libraryCache()} */
  cache?: string;
  /** Ways to call pip. @default {PIP_COMMANDS} */
  pipCommands?: readonly (readonly string[])[];
  /** The running C library. @default {runningCLibrary()} */
  cLibrary?: CLibrary | undefined;
  /** What the library would run on. @default {runningProcessor()} */
  processor?: Processor;
  /** Time allowed for the archive server's first answer, in milliseconds. @default {5000} */
  connectTimeoutMs?: number;
  /** See the download's own; the first is pip's too. @default {[1_000, 4_000]} */
  retryDelaysMs?: readonly number[];
  /** Whether a host may be connected to without a question. @default {Deno's permissions} */
  mayConnect?: (host: string) => Promise<boolean>;
  /** The least that pip must bring. @default {PIP_RATE} */
  minimumRate?: MinimumRate;
}

/** Prefix of the folder that a fetch works in. */
const UNFINISHED = "unfinished-";

/** Names of archives that are complete or begun. */
const ARCHIVES = /\.(tar\.gz|zip)(\.part)?$/;

/**
 * Fetches the pinned libtensorflow into the cache, or waits for another process that is at it.
 *
 * @returns The library, with source `archive`, `wheel`, or `cache` if another process was faster.
 * @throws {CacheError} When the cache cannot be written, or there is no room in it.
 * @throws {StudyError} When neither package is available, with the reason for each, or could run here.
 */
export async function fetchLibrary(options: FetchLibraryOptions): Promise<LibraryLocation> {
  const { reporter, cache = libraryCache(), processor = runningProcessor() } = options;
  const unusable = fetchedProblem(processor);
  if (unusable !== undefined) throw new StudyError("Cannot fetch libtensorflow", unusable);
  const release = options.release ?? RELEASES[currentPlatform()];
  if (release === undefined) {
    throw new StudyError(
      `No libtensorflow is published for ${currentPlatform()}: build or install one and set ` +
        "LIBTENSORFLOW_PATH to it.",
    );
  }
  const onWait = () =>
    reporter.line("Another run is fetching libtensorflow: waiting for it to finish");
  try {
    return await withLock(join(cache, "lock"), () => fetchAlone({ ...options, cache, release }), {
      onWait,
    });
  } catch (error) {
    throw cacheError(error, "libtensorflow", cache);
  }
}

/** What {@linkcode fetchLibrary} does while no other process does it. */
async function fetchAlone(
  options: FetchLibraryOptions & { cache: string; release: Release },
): Promise<LibraryLocation> {
  const { cache, release } = options;
  const { library } = await cachedLibrary(cache, release);
  if (library !== undefined) return library;
  // What dead runs left: we hold the lock, so no other run is alive here.
  await removeNamed(cache, new RegExp(`^${UNFINISHED}`));
  const folder = await Deno.makeTempDir({ dir: cache, prefix: UNFINISHED });
  try {
    return await fetchInto(folder, options);
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

/** Tries the wheel, then the archive, with `folder` as the place to work in. */
async function fetchInto(
  folder: string,
  options: FetchLibraryOptions & { cache: string; release: Release },
): Promise<LibraryLocation> {
  const { reporter, cache, release } = options;
  const cLibrary = "cLibrary" in options ? options.cLibrary : runningCLibrary();
  if (cLibrary?.name === "other") {
    throw new StudyError(`Cannot fetch libtensorflow: ${cLibraryProblem("2", cLibrary)}.`);
  }
  const failures: { kind: string; error: StudyError }[] = [];
  for (const kind of PACKAGE_KINDS) {
    const pinned = release[kind];
    if (pinned === undefined) continue;
    const label = `libtensorflow ${pinned.version}`;
    try {
      const problem = cLibraryProblem(pinned.glibc, cLibrary);
      if (problem !== undefined) throw new StudyError(problem);
      const archive = kind === "archive"
        ? await fetchArchive({ ...options, label })
        : await fetchWheelInto(folder, { ...options, label });
      const path = await install({ archive, folder, cache, release, kind, label, reporter });
      await Deno.remove(archive).catch(() => {});
      await removeNamed(cache, ARCHIVES);
      return { path, source: kind, version: pinned.version };
    } catch (error) {
      if (!(error instanceof StudyError) || error instanceof InterruptedError) throw error;
      // Another package, of an older version, is no answer to a disk that is the user's to clear.
      if (isDiskFull(error.cause)) throw new CacheError("libtensorflow", cache, error.cause);
      await removeNamed(folder, /^/);
      failures.push({ kind: kind === "archive" ? "official archive" : "wheel", error });
      if (kind === "wheel" && release.archive !== undefined) {
        const { version } = release.archive;
        reporter.line(
          `${label}: the wheel is not available (${error.reason ?? error.what}); trying the ` +
            `official archive, which is of ${version}`,
        );
      }
    }
  }
  throw new StudyError("libtensorflow could not be fetched", {
    reason: failures.map(({ error }) => error.reason ?? error.what).join("; "),
    details: failures.map(({ kind, error }) => `${kind}: ${withoutRemedy(error)}`),
    remedy: anyOf(failures.map(({ error }) => error.remedy)),
    cause: failures.at(-1)!.error,
  });
}

/** All of a failure but its remedy, which is said once for all. */
function withoutRemedy({ what, reason, details }: StudyError): string {
  return new StudyError(what, { reason, details }).message.replace(/\.$/, "");
}

/** What each failure's remedy asks for, and the one that always helps. */
function anyOf(remedies: readonly (string | undefined)[]): string {
  const steps = remedies.filter((remedy) => remedy !== undefined)
    .map((remedy) => remedy.replace(/ and run again$/, ""));
  return [...new Set(steps), "or set LIBTENSORFLOW_PATH to a library that you have"].join(", ")
    .replace(/^or /, "");
}

/** The wheel, asked for once more where the transfer broke off: the archive is of an older version. */
async function fetchWheelInto(
  place: string,
  options: FetchLibraryOptions & { release: Release; label: string },
): Promise<string> {
  const { label, reporter, retryDelaysMs: [delay = 1000] = [] } = options;
  return await retried(() => tryWheel(place, options), {
    ...{ delaysMs: [delay], after: BrokenWheel, reporter },
    describe: ({ what }) => `${label}: ${what}`,
  });
}

/** The same once, in a folder of its own of which nothing stays if pip fails. */
async function tryWheel(
  place: string,
  options: FetchLibraryOptions & { release: Release; label: string },
): Promise<string> {
  const { release, label, reporter, pipCommands = PIP_COMMANDS, minimumRate } = options;
  const folder = await Deno.makeTempDir({ dir: place });
  try {
    return await fetchWheel({
      ...{ wheel: release.wheel!, folder, label, reporter, pipCommands },
      ...(minimumRate && { minimumRate }),
    });
  } catch (error) {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    throw error;
  }
}

/** The official archive, continued if an earlier run was cut off; it lies in the cache itself. */
async function fetchArchive(
  options: FetchLibraryOptions & { cache: string; release: Release; label: string },
): Promise<string> {
  const { version, url, sha256, size } = options.release.archive!;
  const path = join(options.cache, `${version}-${basename(new URL(url).pathname)}`);
  try {
    if (await sha256File(path) === sha256) return path;
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  // At a terminal Deno would ask for what a task that needs no network does not list.
  const { host } = new URL(url);
  if (!await (options.mayConnect ?? isGranted)(host)) {
    throw new StudyError(`${options.label} cannot be fetched`, {
      reason: `${host} may not be reached (Deno's permissions)`,
      remedy: "run deno task part1 once",
    });
  }
  await download({
    urls: [url],
    path,
    sha256,
    ...(size === undefined ? { maxBytes: MOST_ARCHIVE_BYTES } : { size }),
    label: options.label,
    reporter: options.reporter,
    connectTimeoutMs: options.connectTimeoutMs ?? 5000,
    ...(options.retryDelaysMs && { retryDelaysMs: options.retryDelaysMs }),
  });
  return path;
}

async function isGranted(host: string): Promise<boolean> {
  return (await Deno.permissions.query({ name: "net", host })).state === "granted";
}

/** Unpacks a checked package and puts the library's folder in place, in one step. */
async function install(options: {
  archive: string;
  folder: string;
  cache: string;
  release: Release;
  kind: PackageKind;
  label: string;
  reporter: Reporter;
}): Promise<string> {
  const { archive, folder, cache, release, kind, label, reporter } = options;
  const pinned = release[kind]!;
  const library = join(folder, kind);
  await Deno.mkdir(library);
  try {
    const files = await unpackMembers({
      archive,
      members: pinned.members,
      folder: library,
      onProgress: (bytes) => reporter.live(`${label}: unpacking, ${formatBytes(bytes)}`),
    });
    const manifest: LibraryManifest = {
      version: pinned.version,
      platform: release.platform,
      kind,
      package_sha256: pinned.sha256,
      files,
    };
    await Deno.writeTextFile(
      join(library, "manifest.json"),
      JSON.stringify(manifest, null, 2) + "\n",
    );
    await markSound(library, files);
    const place = join(cache, cacheFolderName(release, kind)!);
    await Deno.remove(place, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    await Deno.rename(library, place);
    reporter.live("");
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    reporter.line(`${label}: unpacked ${formatBytes(bytes)} into ${place}`);
    return join(place, files[0]!.name);
  } catch (error) {
    reporter.live("");
    throw new StudyError(`${basename(archive)} cannot be unpacked into ${cache}`, {
      reason: error instanceof Error ? error.message : String(error),
      remedy: "check the disk space there and run again",
      cause: error,
    });
  }
}

/** Removes what a folder has under such names. */
async function removeNamed(folder: string, names: RegExp): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!names.test(name)) continue;
    await Deno.remove(join(folder, name), { recursive: true }).catch(() => {});
  }
}
