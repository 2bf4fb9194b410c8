/**
 * Where libtensorflow is: as told, in the cache, in Python, in the system, or fetched.
 *
 * @module
 */

import { basename, delimiter, join, resolve } from "node:path";
import { CacheError, cacheObstacle, userFolder } from "../../io/cache.ts";
import { compareVersions } from "../../io/compare_versions.ts";
import { InterruptedError, StudyError } from "../../io/errors.ts";
import { PathAccessError, pathKind } from "../../io/path_kind.ts";
import type { Reporter } from "../../io/reporter.ts";
import { fetchLibrary } from "./fetch_library.ts";
import { roomProblem } from "./fetch_wheel.ts";
import { cachedLibrary, libraryCache, type LibraryLocation } from "./library_cache.ts";
import { libraryIn, libraryNames, libraryProblem } from "./library_file.ts";
import { PYTHON_COMMANDS } from "../../io/python.ts";
import { OLDEST_VERSION, pythonLibrary } from "./python_library.ts";
import { currentPlatform, type Release, RELEASES, type WheelRelease } from "./releases.ts";

export type { LibraryLocation } from "./library_cache.ts";

export interface FindLibraryOptions {
  /** The library's file, or a folder that holds it; no other place is then searched. */
  libtensorflow?: string;
  /** Where progress of a fetch goes. */
  reporter: Reporter;
  /**
   * Whether to fetch the library if it is nowhere.
   *
   * @default {true}
   */
  fetch?: boolean;
}

/**
 * Finds libtensorflow, fetching it into the suite's cache if it is nowhere else.
 *
 * Searched in this order: the option, `LIBTENSORFLOW_PATH`, the cache, the `tensorflow` package of
 * `python3` or `python`, the system's library folders. A library that was named by the option or
 * the variable is used or refused, never replaced by another.
 *
 * @throws {StudyError} When the named library is unusable, or none is found: with what was tried.
 */
export function findLibrary(options: FindLibraryOptions): Promise<LibraryLocation> {
  const release = RELEASES[currentPlatform()];
  const { reporter, libtensorflow } = options;
  return searchLibrary({
    ...(libtensorflow === undefined ? {} : { option: libtensorflow }),
    environment: Deno.env.get("LIBTENSORFLOW_PATH"),
    cache: libraryCache(),
    release,
    pythonCommands: PYTHON_COMMANDS,
    systemFolders: systemFolders(),
    fetch: options.fetch === false ? undefined : () => fetchLibrary({ reporter }),
    onProblem: (text) => reporter.warn(text),
    live: (text) => reporter.live(text),
  });
}

/** The places of {@linkcode searchLibrary}. */
export interface SearchPlaces {
  option?: string | undefined;
  /** Value of `LIBTENSORFLOW_PATH`; empty counts as unset. */
  environment?: string | undefined;
  /** Folder of cached libraries. */
  cache: string;
  /** The pinned release whose cached copy counts. */
  release: Release | undefined;
  pythonCommands: readonly (readonly string[])[];
  /** Folders of the system. */
  systemFolders: readonly string[];
  fetch?: (() => Promise<LibraryLocation>) | undefined;
  /** Told of a cached library that is passed over. */
  onProblem?: (text: string) => void;
  /** Shows what takes a while; an empty text clears it. */
  live?: (text: string) => void;
}

/** {@linkcode findLibrary} with every place given. */
export async function searchLibrary(places: SearchPlaces): Promise<LibraryLocation> {
  const { option, environment, cache, release } = places;
  if (option !== undefined) {
    return { ...await namedLibrary(option, "--libtensorflow"), source: "option" };
  }
  if (environment) {
    return { ...await namedLibrary(environment, "LIBTENSORFLOW_PATH"), source: "environment" };
  }
  const tried: string[] = [];
  const { library, problems = [] } = release ? await cachedLibrary(cache, release, places) : {};
  if (library !== undefined) return library;
  for (const problem of problems) {
    tried.push(problem);
    places.onProblem?.(`Passed over in the cache: ${problem}`);
  }
  if (problems.length === 0) tried.push(`cache: no complete library in ${cache}`);
  for (const command of places.pythonCommands) {
    const answer = await pythonLibrary(command);
    if ("path" in answer) return { ...answer, source: "python" };
    tried.push(answer.problem);
  }
  for (const folder of places.systemFolders) {
    let path: string | undefined;
    try {
      path = await libraryIn(folder);
    } catch (error) {
      if (!(error instanceof PathAccessError)) throw error;
      tried.push(error.message);
    }
    if (path === undefined) continue;
    const problem = await libraryProblem(path) ?? await ageProblem(path);
    if (problem === undefined) return { ...await located(path), source: "system" };
    tried.push(`${path} ${problem}`);
  }
  tried.push(`system: no usable library in ${places.systemFolders.join(", ") || "any folder"}`);
  if (places.fetch === undefined) {
    throw new StudyError("libtensorflow was not found", {
      details: tried,
      remedy: "set LIBTENSORFLOW_PATH to one, or let it be fetched",
    });
  }
  try {
    return await places.fetch();
  } catch (error) {
    if (!(error instanceof StudyError) || error instanceof InterruptedError) throw error;
    const { reason, remedy, details } = error;
    const isHomeless = error instanceof CacheError;
    throw new StudyError(
      isHomeless ? homeless(error) : "libtensorflow could not be found or fetched",
      {
        reason: isHomeless ? undefined : reason ?? error.what,
        details: [...(details.length > 0 ? details : [error.message]), ...tried],
        remedy: remedy ?? "set LIBTENSORFLOW_PATH to a libtensorflow that you have",
        cause: error,
      },
    );
  }
}

/**
 * Why a library that is nowhere cannot be fetched into the cache, and what helps, if that is so.
 *
 * @param wheel What would be fetched, if it is one.
 */
export async function libraryObstacle(
  wheel: WheelRelease | undefined,
): Promise<StudyError | undefined> {
  const folder = libraryCache();
  let obstacle = await cacheObstacle("libtensorflow", folder);
  const tooLittle = obstacle || !wheel ? undefined : await roomProblem(wheel, folder);
  if (tooLittle) obstacle = new CacheError("libtensorflow", folder, new Error(tooLittle));
  return obstacle && new StudyError(homeless(obstacle), { remedy: obstacle.remedy });
}

/** What is said where it is nowhere and the cache cannot take it. */
function homeless({ folder, reason }: CacheError): string {
  return `libtensorflow was not found, and cannot be kept in ${folder} (${reason})`;
}

/** The library that the user named, as a file or as a folder that holds it. */
async function namedLibrary(
  value: string,
  name: string,
): Promise<{ path: string; version?: string }> {
  const expected = `${libraryNames().join(" or ")}, or a folder that holds it`;
  const path = value.trim() === "" ? value : resolve(userFolder(), value);
  let file: string | undefined;
  try {
    const kind = value.trim() === "" ? "nothing" : await pathKind(path);
    if (kind === "nothing") {
      throw new StudyError(`${name}: "${path}" does not exist; expected ${expected}.`);
    }
    file = kind === "folder" ? await libraryIn(path) : path;
  } catch (error) {
    if (!(error instanceof PathAccessError)) throw error;
    const { reason, remedy } = error;
    throw new StudyError(`${name}: "${path}" cannot be examined`, { reason, remedy, cause: error });
  }
  if (file === undefined) {
    throw new StudyError(
      `${name}: the folder "${path}" holds no libtensorflow; expected ${expected}.`,
    );
  }
  const problem = await libraryProblem(file) ?? await ageProblem(file);
  if (problem !== undefined) {
    throw new StudyError(`${name}: ${file} ${problem}; expected ${expected}.`);
  }
  return located(file);
}

/** A library with the version that the name of its file tells. */
async function located(path: string): Promise<{ path: string; version?: string }> {
  const version = await versionInName(path);
  return version === undefined ? { path } : { path, version };
}

async function ageProblem(path: string): Promise<string | undefined> {
  const version = await versionInName(path);
  if (version === undefined || compareVersions(version, OLDEST_VERSION) >= 0) return undefined;
  return `is TensorFlow ${version}; ${OLDEST_VERSION} or newer is needed`;
}

/** `libtensorflow.so.2` is usually a link to `libtensorflow.so.2.18.0`. */
async function versionInName(path: string): Promise<string | undefined> {
  const name = basename(await Deno.realPath(path));
  return /\.so\.(\d+\.\d+[.\d]*)$/.exec(name)?.[1] ?? /\.(\d+\.\d+[.\d]*)\.dylib$/.exec(name)?.[1];
}

/** Folders in which this system's loader looks, those of its search variable first. */
export function systemFolders(): string[] {
  const paths = (variable: string) => (Deno.env.get(variable) ?? "").split(delimiter);
  const folders = Deno.build.os === "windows"
    ? paths("PATH")
    : Deno.build.os === "darwin"
    ? [...paths("DYLD_LIBRARY_PATH"), "/opt/homebrew/lib", "/usr/local/lib", "/usr/lib"]
    : [
      ...paths("LD_LIBRARY_PATH"),
      ...configuredFolders("/etc/ld.so.conf"),
      "/usr/local/lib",
      `/usr/lib/${Deno.build.arch}-linux-gnu`,
      `/lib/${Deno.build.arch}-linux-gnu`,
      "/usr/lib64",
      "/lib64",
      "/usr/lib",
      "/lib",
    ];
  return [...new Set(folders.filter((folder) => folder !== ""))];
}

/** The folders that `ldconfig` reads from its configuration. */
function configuredFolders(file: string): string[] {
  try {
    return Deno.readTextFileSync(file).split("\n").flatMap((line) => {
      const text = line.replace(/#.*/, "").trim();
      const included = /^include\s+(.*)\/\*\.conf$/.exec(text)?.[1];
      if (included === undefined) return text.startsWith("/") ? [text] : [];
      return [...Deno.readDirSync(included)]
        .filter((entry) => entry.name.endsWith(".conf"))
        .flatMap((entry) => configuredFolders(join(included, entry.name)));
    });
  } catch {
    return [];
  }
}
