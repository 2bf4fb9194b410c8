/**
 * What `--dry-run` finds out of the engine: which would compute, how fast, or what would be fetched.
 *
 * @module
 */

import type { DatasetNeeds } from "../data/dataset_needs.ts";
import { candidates } from "../engine/choice/choose.ts";
import { findHardware } from "../engine/choice/hardware.ts";
import { READ_ONLY_FINDINGS } from "../engine/choice/record.ts";
import { type BackendName, isLibraryNamed, startEngine } from "../engine/engine.ts";
import { PIP_COMMANDS } from "../engine/library/fetch_wheel.ts";
import { findLibrary, libraryObstacle } from "../engine/library/find_library.ts";
import { currentPlatform, type PackageKind, RELEASES } from "../engine/library/releases.ts";
import {
  fetchableKinds,
  fetchConditions,
  fetchedWheel,
  fetchObstacle,
} from "../engine/library_status.ts";
import { StudyError } from "../io/errors.ts";
import { findProgram } from "../io/find_program.ts";
import { silentReporter } from "../io/reporter.ts";
import { DATA } from "../study.ts";
import { PRECISIONS } from "./flags.ts";
import type { MachineRates } from "./forecast.ts";
import { measureRates } from "./measure_rates.ts";
import type { PartPlan } from "./plan.ts";

/** Something that would be fetched. */
export interface Fetch {
  what: string;
  from: string;
  /** 0 where it is not known. */
  bytes: number;
  /** What is taken where it is not available. */
  otherwise?: string;
}

/** The engine of a part, or what it would be once fetched. */
export interface EngineOutlook {
  backend: BackendName;
  /** Why it would be taken; empty where libtensorflow would be fetched. */
  reason: string;
  name: string;
  device: string;
  threads: number | null;
  downloads: Fetch[];
  rates?: MachineRates;
}

/**
 * The engine that a part would start, measured; or that libtensorflow would be fetched for it. Where
 * that cannot be, `auto` is what comes after it.
 */
export async function lookAtEngine(
  flags: PartPlan["flags"],
  precision: PartPlan["precision"],
  data: DatasetNeeds,
): Promise<EngineOutlook> {
  const { tensorboard } = flags;
  const { backend, others, fetched, why } = await backendWithoutFetching(flags, precision);
  if (backend === undefined) {
    const unknown = { name: "", device: "", threads: null, reason: "" };
    return { backend: "tensorflow", ...unknown, downloads: libraryDownload(fetched, others) };
  }
  using engine = await startEngine({
    ...flags,
    backend,
    precision: PRECISIONS[precision],
    reporter: silentReporter,
    remember: false,
  });
  if (tensorboard) (await import("./tensorboard.ts")).requireSummaries(engine);
  // About as long as a part takes before its first run.
  const startSeconds = performance.now() / 1000;
  const measured = await measureRates(engine);
  const { description, device, threads, reason } = engine;
  const [what] = description.split(" on ");
  const place = engine.backend === "tensorflow"
    ? `, ${engine.library.source}: ${engine.library.path}`
    : "";
  return {
    backend: engine.backend,
    reason: why ?? reason,
    name: `${what}${place}`,
    device: `${device}, ${engine.precision}`,
    threads,
    downloads: [],
    rates: { startSeconds, ...setSizes(data), ...measured },
  };
}

/** What can be started as things are. */
interface Startable {
  /** `undefined` if libtensorflow would be fetched. */
  backend: BackendName | "auto" | undefined;
  /** Backends that are tried where it cannot be. */
  others: BackendName[];
  /** What libtensorflow would be fetched as, in the order in which it is tried. */
  fetched: PackageKind[];
  /** Why it is not what was asked for. */
  why?: string;
}

/** @throws {StudyError} If nothing but libtensorflow will do, which cannot be fetched or kept. */
async function backendWithoutFetching(
  { backend, device, libtensorflow }: PartPlan["flags"],
  precision: PartPlan["precision"],
): Promise<Startable> {
  const names = backend !== "auto" ? [backend] : candidates({
    options: { device, precision: PRECISIONS[precision] },
    isLibraryNamed: isLibraryNamed(libtensorflow),
  });
  const others = names.filter((name) => name !== "tensorflow");
  if (!names.includes("tensorflow") || await isLibraryHere(libtensorflow)) {
    return { backend, others, fetched: [] };
  }
  const hasPip = async () => "command" in await findProgram(PIP_COMMANDS);
  const conditions = await fetchConditions(hasPip);
  const obstacle = await libraryObstacle(fetchedWheel(conditions));
  if (others.length === 0 && obstacle !== undefined) throw obstacle;
  const fetched = obstacle === undefined ? fetchableKinds(conditions) : [];
  if (fetched.length > 0) return { backend: undefined, others, fetched };
  if (others.length === 0) {
    const remedy = fetchObstacle(conditions);
    throw new StudyError("libtensorflow was not found, and cannot be fetched", { remedy });
  }
  const hasHardware = others.includes("webgpu") &&
    await findHardware({ store: READ_ONLY_FINDINGS }) !== undefined;
  const why = obstacle === undefined
    ? "as tensorflow neither starts nor can be fetched"
    : `as ${obstacle.what}; deno task doctor says what to do`;
  return { backend: hasHardware ? "webgpu" : others.at(-1), others, fetched, why };
}

/** Whether libtensorflow need not be fetched; an error of one that was named is the user's to know. */
async function isLibraryHere(libtensorflow: string | undefined): Promise<boolean> {
  try {
    await findLibrary({
      reporter: silentReporter,
      fetch: false,
      ...(libtensorflow !== undefined && { libtensorflow }),
    });
    return true;
  } catch (error) {
    if (!(error instanceof StudyError) || isLibraryNamed(libtensorflow)) throw error;
    return false;
  }
}

const TITLES: Readonly<Record<BackendName, string>> = {
  tensorflow: "TensorFlow",
  webgpu: "WebGPU",
  wasm: "WebAssembly",
};

/**
 * @param fetched What it can be fetched as.
 * @param others Backends that are tried where it cannot be fetched.
 */
function libraryDownload(
  fetched: readonly PackageKind[],
  others: readonly BackendName[],
): Fetch[] {
  const { wheel, archive } = RELEASES[currentPlatform()] ?? {};
  const isTried = (kind: PackageKind) => fetched.includes(kind);
  const [first, ...more] = [
    ...(wheel && isTried("wheel")
      ? [{ from: `${wheel.name} ${wheel.version} with pip`, bytes: wheel.size }]
      : []),
    ...(archive && isTried("archive")
      ? [{ from: `${new URL(archive.url).host} (${archive.version})`, bytes: archive.size ?? 0 }]
      : []),
  ];
  if (first === undefined) return [];
  const ways = [
    ...more.map(({ from }) => from),
    ...(others.length > 0
      ? [`the parts run on ${others.map((name) => TITLES[name]).join(" or ")}`]
      : []),
  ];
  const otherwise = ways.length > 0 && { otherwise: ways.join("; else ") };
  return [{ what: "libtensorflow", ...first, ...otherwise }];
}

/** Images of the set, or of MNIST where it is not here. */
export function setSizes(data: DatasetNeeds): Pick<MachineRates, "trainImages" | "testImages"> {
  if (data.state === "missing") return DATA;
  const { train, test } = data.dataset;
  return { trainImages: train.count, testImages: test.count };
}
