/**
 * Whether libtensorflow is here and starts; nothing is fetched.
 *
 * @module
 */

import { StudyError } from "../io/errors.ts";
import { isFile, PathAccessError } from "../io/path_kind.ts";
import { silentReporter } from "../io/reporter.ts";
import {
  fetchedProblem,
  type Processor,
  processorProblem,
  runningProcessor,
} from "./tensorflow/avx_support.ts";
import { bfloat16Problem } from "./tensorflow/bfloat16_support.ts";
import { findLibrary, type LibraryLocation, libraryObstacle } from "./library/find_library.ts";
import { type CLibrary, cLibraryProblem, runningCLibrary } from "./library/glibc.ts";
import { libraryIn } from "./library/library_file.ts";
import { openingError } from "./tensorflow/opening_error.ts";
import { withQuietStderr } from "../io/quiet_stderr.ts";
import {
  currentPlatform,
  PACKAGE_KINDS,
  type PackageKind,
  type Release,
  RELEASES,
  type WheelRelease,
} from "./library/releases.ts";
import { TensorFlow } from "./tensorflow/tensorflow.ts";

/** What gives this system a Python with pip. */
export const PIP_REMEDY: string = {
  linux: "apt install python3-pip (or as your distribution has it)",
  darwin: "brew install python",
  windows: "winget install Python.Python.3.13",
}[Deno.build.os as string] ?? "see https://pip.pypa.io/en/stable/installation/";

/** A library that was opened. */
export interface WorkingLibrary {
  state: "ok";
  /** How it was found. */
  source: LibraryLocation["source"];
  path: string;
  /** TensorFlow's version, as the library tells it. */
  version: string;
  /** `CPU` or `GPU`: where kernels run unless told otherwise. */
  device: string;
  /** Full names of all devices. */
  devices: string[];
  /** Threads that TensorFlow spreads one operation over. */
  threads: number;
  /** What `--precision` can be. */
  precisions: string[];
}

/** A library that is not there, or cannot be used. */
export interface UnusableLibrary {
  /** `damaged`: there is one, but it cannot be used. */
  state: "missing" | "damaged";
  /** One line on what was found and what is wrong. */
  problem: string;
  /** All places that were looked in, and what was found there. */
  details: readonly string[];
  /** The command or step that fixes it; empty where `problem` says it. */
  remedy: string;
  /** Whether the parts of the study would fetch one themselves. */
  fetchable: boolean;
}

export interface LibraryStatusOptions {
  libtensorflow?: string | undefined;
  /** Whether there is a pip to fetch the wheel with. */
  hasPip: () => Promise<boolean>;
}

/** Finds the library as the parts of the study do, and opens it. */
export async function libraryStatus(
  options: LibraryStatusOptions,
): Promise<WorkingLibrary | UnusableLibrary> {
  const { libtensorflow } = options;
  let library: LibraryLocation;
  try {
    library = await findLibrary({
      reporter: silentReporter,
      fetch: false,
      ...(libtensorflow !== undefined && { libtensorflow }),
    });
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    return { problem: error.what, details: error.details, ...await remedyFor(options) };
  }
  try {
    const obstacle = processorProblem(library);
    if (obstacle?.fatal) throw new StudyError(obstacle.text);
    return withQuietStderr(() => open(library));
  } catch (failure) {
    const error = await openingError(library.path, failure);
    const problem = error instanceof Error ? error.message : String(error);
    return { state: "damaged", problem, details: [], remedy: "", fetchable: false };
  }
}

function open({ path, source }: LibraryLocation): WorkingLibrary {
  const tensorflow = TensorFlow.open(path);
  try {
    const { version, devices, device, threads } = tensorflow;
    return {
      state: "ok",
      source,
      path,
      version,
      device: device.type,
      devices: devices.map(({ name }) => name),
      threads,
      precisions: bfloat16Problem(device.type) === undefined ? ["fp32", "bf16"] : ["fp32"],
    };
  } finally {
    tensorflow.close();
  }
}

/** What to do about a library that was named and refused, or not found. */
async function remedyFor(
  { libtensorflow, hasPip }: LibraryStatusOptions,
): Promise<Omit<UnusableLibrary, "problem" | "details"> & { problem?: string }> {
  const named = libtensorflow ?? Deno.env.get("LIBTENSORFLOW_PATH");
  if (named) {
    const isThere = await isLibrary(named);
    const way = libtensorflow === undefined
      ? "unset LIBTENSORFLOW_PATH"
      : "leave out --libtensorflow";
    const remedy = `${way} to have a library found or fetched, or name another`;
    return { state: isThere ? "damaged" : "missing", remedy, fetchable: false };
  }
  const conditions = await fetchConditions(hasPip);
  const remedy = fetchObstacle(conditions);
  if (remedy !== undefined) return { state: "missing", remedy, fetchable: false };
  const obstacle = await libraryObstacle(fetchedWheel(conditions));
  if (obstacle !== undefined) {
    const remedy = `${obstacle.remedy}; or pip install tensorflow`;
    return { state: "missing", problem: obstacle.what, remedy, fetchable: false };
  }
  const [kind] = fetchableKinds(conditions);
  const version = conditions.release![kind!]!.version;
  return {
    state: "missing",
    remedy: `deno task part1 (fetches it at its first run, ${version}), or pip install tensorflow`,
    fetchable: true,
  };
}

/** Whether a path that was named has a library, usable or not. */
async function isLibrary(path: string): Promise<boolean> {
  try {
    return await isFile(path) || await libraryIn(path) !== undefined;
  } catch (error) {
    if (error instanceof PathAccessError) return true;
    throw error;
  }
}

/** What decides what can be fetched. */
export interface FetchConditions {
  release: Release | undefined;
  cLibrary: CLibrary | undefined;
  processor: Processor;
  hasPip: boolean;
}

/** What decides it here. */
export async function fetchConditions(hasPip: () => Promise<boolean>): Promise<FetchConditions> {
  const release = RELEASES[currentPlatform()];
  const processor = runningProcessor();
  return { release, cLibrary: runningCLibrary(), processor, hasPip: await hasPip() };
}

/** The packages that can be fetched, in the order in which they are tried. */
export function fetchableKinds(conditions: FetchConditions): PackageKind[] {
  return publishedKinds(conditions).filter((kind) =>
    packageProblem(kind, conditions) === undefined
  );
}

/** The wheel, if it is tried first. */
export function fetchedWheel(conditions: FetchConditions): WheelRelease | undefined {
  const [kind] = fetchableKinds(conditions);
  return kind === "wheel" ? conditions.release?.wheel : undefined;
}

/**
 * What must be done before libtensorflow can be fetched; `undefined` if nothing.
 *
 * Either package will do, and the official archive needs no pip. Whether their servers can be
 * reached is not asked.
 */
export function fetchObstacle(conditions: FetchConditions): string | undefined {
  const [first] = publishedKinds(conditions);
  if (first === undefined) {
    return "none is published for this platform: build or install one and set " +
      "LIBTENSORFLOW_PATH to it";
  }
  return fetchableKinds(conditions).length > 0 ? undefined : packageProblem(first, conditions);
}

function publishedKinds({ release }: FetchConditions): PackageKind[] {
  return PACKAGE_KINDS.filter((kind) => release?.[kind] !== undefined);
}

function packageProblem(
  kind: PackageKind,
  { release, cLibrary, processor, hasPip }: FetchConditions,
): string | undefined {
  const unusable = fetchedProblem(processor);
  if (unusable !== undefined) return `${unusable.reason}: ${unusable.remedy}`;
  return cLibraryProblem(release?.[kind]?.glibc, cLibrary) ??
    (kind === "archive" || hasPip ? undefined : `${PIP_REMEDY}: pip fetches it`);
}
