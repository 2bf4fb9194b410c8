/**
 * What this machine has for the study, and what it lacks. Nothing is fetched or written.
 *
 * @module
 */

import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { datasetStatus } from "../data/dataset_status.ts";
import type { DatasetState } from "../data/dataset_status.ts";
import { defaultSources } from "../data/load_dataset.ts";
import { PIP_COMMANDS } from "../engine/library/fetch_wheel.ts";
import {
  libraryStatus,
  PIP_REMEDY,
  type UnusableLibrary,
  type WorkingLibrary,
} from "../engine/library_status.ts";
import { type ChoiceOutlook, outlookOfAuto } from "../engine/choice/outlook.ts";
import { surroundings } from "../engine/choice/probe.ts";
import { FindingFile, findingsPath } from "../engine/choice/record.ts";
import { isLibraryNamed } from "../engine/engine.ts";
import { type WasmStatus, wasmStatus } from "../engine/wasm/status.ts";
import { type WebGpuStatus, webGpuStatus } from "../engine/webgpu/status.ts";
import { PYTHON_COMMANDS } from "../io/python.ts";
import {
  cacheDir,
  type CacheError,
  cacheObstacle,
  folderProblem,
  repositoryRoot,
} from "../io/cache.ts";
import { denoProblem } from "../io/deno_version.ts";
import { diskRemedy } from "../io/disk_error.ts";
import { failureLine } from "../io/errors.ts";
import { findProgram } from "../io/find_program.ts";
import { folderEntries, type SizedEntry, totalBytes } from "../io/folder_size.ts";
import { machineLimits } from "../io/machine_limits.ts";
import { writeObstacle } from "../io/may_write.ts";
import { type Processor, processor } from "../io/processor.ts";
import { systemReason } from "../io/system_reason.ts";
import {
  ALEXNET_WEIGHTS,
  cachedWeightsPath,
  FASTER_RCNN_WEIGHTS,
  type PinnedWeights,
  VGG16_WEIGHTS,
} from "../models/checkpoint/pretrained.ts";
import { resultsFolders } from "../report/record/results.ts";
import { DEFAULT_OUT } from "./flags.ts";
import { adapterFacts } from "./provenance.ts";

/** State of one thing. */
export type State = "ok" | "missing" | "damaged";

/** A program that the fetch of libtensorflow may need. */
export interface ProgramStatus {
  state: State;
  /** How it is called; empty when it is missing. */
  command: string;
  /** What it says of its version; empty when it is missing. */
  version: string;
  /** Why one that is there does not run; absent where nothing is to be said of it. */
  problem?: string;
  /** The command that fixes it; empty when nothing is to be fixed. */
  remedy: string;
}

/** A data set in one place. */
export interface DataStatus extends Omit<DatasetState, "state"> {
  state: State;
  /** The command that fixes it; empty when it is valid, here or in another place. */
  remedy: string;
}

/** A published file of weights in the cache. */
export interface WeightStatus {
  state: State;
  name: string;
  /** Its size; 0 when it is missing. */
  bytes: number;
  /** What is wrong with it; empty when nothing is. */
  problem: string;
  /** The command that fixes it; empty when nothing is to be fixed. */
  remedy: string;
}

/** What `deno task doctor --json` prints. */
export interface DoctorReport {
  /** Whether part 1 can run, after fetching by itself what it can. */
  ok: boolean;
  versions: { deno: string; v8: string; typescript: string };
  machine: Processor & {
    os: string;
    arch: string;
    cores: number;
    memory_bytes: number;
    /** What its control group allows this process; `null` where there is no limit. */
    limits: { cpus: number | null; memory_bytes: number | null };
  };
  /** What the `tensorflow` backend computes with. */
  engine: WorkingLibrary | UnusableLibrary;
  /** The `webgpu` backend and its adapter. */
  webgpu: Omit<WebGpuStatus, "adapter"> & { adapter: ReturnType<typeof adapterFacts> | null };
  /** The `wasm` backend, which needs packages alone. */
  wasm: WasmStatus;
  /** What `--backend auto` would take of them. */
  auto: ChoiceOutlook;
  python: ProgramStatus;
  pip: ProgramStatus;
  data: {
    /** Name of the set that `--data auto` takes without a network; empty if there is none. */
    auto: string;
    /** A line on why the data cannot be looked at; empty when they can. */
    problem: string;
    datasets: DataStatus[];
  };
  /** The cache's folder of weights: what is in it, and the published files that parts 2 and 4 want. */
  weights: { folder: string; files: SizedEntry[]; published: WeightStatus[] };
  cache: {
    folder: string;
    bytes: number;
    entries: SizedEntry[];
    /** Why it cannot be looked into; absent if it can. */
    problem?: string;
    /** Why nothing can be kept in it; absent if all can. */
    obstacle?: { reason: string; remedy: string };
  };
  /** Where the parts write, unless told otherwise. */
  results: {
    folder: string;
    /** Why nothing can be written there; empty if it can. */
    problem: string;
    /** What fixes it; empty when nothing is to be fixed. */
    remedy: string;
  };
}

/** Looks at everything; takes a second or two. */
export async function examineMachine(
  { libtensorflow }: { libtensorflow?: string | undefined } = {},
): Promise<DoctorReport> {
  // Other processes first: they run while this one reads.
  const python = programStatus(PYTHON_COMMANDS);
  const pip = programStatus(PIP_COMMANDS);
  const hasPip = async () => (await pip).state === "ok";
  const folder = cacheDir();
  const unwritable = await cacheObstacle("anything", folder);
  const data = await dataStatus(unwritable);
  const engine = await libraryStatus({ libtensorflow, hasPip });
  const webgpu = await webGpuStatus();
  const wasm = await wasmStatus();
  const isNamed = isLibraryNamed(libtensorflow);
  const { adapter, state } = webgpu;
  const hardware = state === "ok" && adapter !== null ? adapter : undefined;
  const auto = await outlookOfAuto({
    tensorflow: engine.state === "ok" ? engine : undefined,
    isFetchable: engine.state !== "ok" && engine.fetchable,
    isLibraryNamed: isNamed,
    hardware,
    hasWasm: wasm.state !== "damaged",
  }, { store: new FindingFile(), path: findingsPath(), surroundings: surroundings() });
  const entries = await folderEntries(folder);
  const problem = await folderProblem(folder);
  const obstacle = unwritable && { reason: unwritable.reason!, remedy: unwritable.remedy! };
  const weights = join(folder, "weights");
  const limits = machineLimits();
  const results = await resultsStatus();
  return {
    ok: denoProblem() === undefined && data.problem === "" && results.problem === "" &&
      (engine.state === "ok" || (engine.fetchable && !problem) ||
        ((wasm.state !== "damaged" || hardware !== undefined) && !isNamed)),
    versions: { ...Deno.version },
    machine: {
      os: Deno.build.os,
      arch: Deno.build.arch,
      ...processor(),
      cores: cpus().length,
      memory_bytes: totalmem(),
      limits: { cpus: limits.cpus ?? null, memory_bytes: limits.memoryBytes ?? null },
    },
    engine,
    webgpu: { ...webgpu, adapter: adapter && adapterFacts(adapter) },
    wasm,
    auto,
    python: await python,
    pip: await pip,
    data,
    weights: { folder: weights, ...await weightStatus(weights) },
    cache: {
      folder,
      bytes: totalBytes(entries),
      entries,
      ...(problem && { problem }),
      ...(obstacle && { obstacle }),
    },
    results,
  };
}

async function resultsStatus(): Promise<DoctorReport["results"]> {
  const folder = join(repositoryRoot(), DEFAULT_OUT);
  for (const place of resultsFolders(folder)) {
    const obstacle = await writeObstacle(place);
    if (obstacle === undefined) continue;
    const problem = `nothing can be written into ${place} (${systemReason(obstacle)})`;
    return { folder, problem, remedy: `${diskRemedy(obstacle)} with --out DIR` };
  }
  return { folder, problem: "", remedy: "" };
}

/** The first of some commands that tells its version, or why none does. */
async function programStatus(commands: readonly (readonly string[])[]): Promise<ProgramStatus> {
  const search = await findProgram(commands, { timeoutMs: 15_000 });
  if ("command" in search) {
    return { state: "ok", command: search.command.join(" "), version: search.version, remedy: "" };
  }
  const none = { command: "", version: "" };
  if (search.failure === undefined) return { state: "missing", ...none, remedy: PIP_REMEDY };
  const { what, reason, remedy = PIP_REMEDY } = search.failure;
  return { state: "damaged", ...none, problem: failureLine({ what, reason }), remedy };
}

/** @param obstacle What keeps sets from being fetched into the cache. */
async function dataStatus(obstacle: CacheError | undefined): Promise<DoctorReport["data"]> {
  try {
    const { datasets, auto } = await datasetStatus();
    const valid = new Set(
      datasets.filter(({ state }) => state === "valid").map(({ name }) => name),
    );
    return {
      auto,
      problem: "",
      datasets: datasets.map((set) => ({
        ...set,
        state: set.state === "valid" ? "ok" : set.state === "absent" ? "missing" : "damaged",
        remedy: set.state === "absent" && valid.has(set.name) ? "" : dataRemedy(set, obstacle),
      })),
    };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { auto: "", problem, datasets: [] };
  }
}

/** @param obstacle What keeps a set from being fetched into the cache. */
function dataRemedy(
  { name, state, place, unreadable }: DatasetState,
  obstacle: CacheError | undefined,
): string {
  const { mnist, fashion, fashionFolder } = defaultSources();
  if (state === "valid" || unreadable) return "";
  if (state === "damaged" && place === mnist.package?.title) return mnist.package.reload;
  if (place === fashionFolder) {
    return Deno.env.get("FASHION_MNIST_DIR")
      ? "unset FASHION_MNIST_DIR, or put the set's four IDX files there"
      : "apt install --reinstall dataset-fashion-mnist (Debian, Ubuntu)";
  }
  if (obstacle !== undefined && place !== mnist.package?.title) return obstacle.remedy!;
  return `deno task part1 --data ${name === mnist.name ? "mnist" : "fashion"} ` +
    `(fetches ${name === fashion.name ? fashion.title : mnist.title})`;
}

/** The published weights, and the part that fetches each. */
const WANTED_WEIGHTS: readonly (readonly [PinnedWeights, part: string])[] = [
  [FASTER_RCNN_WEIGHTS, "part2"],
  [VGG16_WEIGHTS, "part4"],
  [ALEXNET_WEIGHTS, "part4"],
];

/** Goes by sizes: the parts check the SHA-256 whenever they use a file. */
async function weightStatus(
  folder: string,
): Promise<Pick<DoctorReport["weights"], "files" | "published">> {
  const closed = await folderProblem(folder);
  const obstacle = await cacheObstacle("weights", folder);
  // A lock is no weights.
  const files = (await folderEntries(folder)).filter(({ name }) => !name.startsWith("."));
  const published = WANTED_WEIGHTS.map(([source, part]): WeightStatus => {
    const name = source.file;
    const remedy = obstacle?.remedy ?? `deno task ${part} (fetches it)`;
    if (closed !== undefined) {
      return { state: "damaged", name, bytes: 0, problem: closed, remedy: "" };
    }
    const found = files.find((entry) => entry.name === name);
    if (found === undefined) return { state: "missing", name, bytes: 0, problem: "", remedy };
    const { bytes } = found;
    if (bytes === source.bytes) return { state: "ok", name, bytes, problem: "", remedy: "" };
    const problem = `${bytes} bytes in ${cachedWeightsPath(source)}, expected ${source.bytes}`;
    return { state: "damaged", name, bytes, problem, remedy };
  });
  return { files, published };
}
