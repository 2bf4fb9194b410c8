/**
 * `bench.json`: what a run of the bench found, in `results/bench` or, of a graphics adapter, in a folder
 * of its own there.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import { isRecord } from "../../io/is_record.ts";
import { readRegularText } from "../../io/regular_file.ts";

/** Number format of the arithmetic, as torch names it. */
export type Precision = "float32" | "bfloat16";

/** What flags and titles call it. */
export function formatName(precision: Precision): "fp32" | "bf16" {
  return precision === "float32" ? "fp32" : "bf16";
}

/** What can be measured; see `bench.ts` for what each one is. */
export const CASES = [
  "step",
  "step-bf16",
  "inference",
  "limit",
  "profile",
  "launch",
  "memory",
  "growth",
  "scaling",
  "mapping",
  "part1",
  "recipes",
  "alexnet",
  "alexnet-classifier",
  "vgg16",
  "vgg16-bf16",
  "vgg16-classifier",
  "part4-alexnet",
  "part4-vgg16",
  "memory-alexnet",
  "memory-vgg16",
  "detector",
  "detector-bf16",
  "detector-batch",
  "memory-detector",
  "step-wasm",
] as const;

/** Those that are measured unless others are asked for: part 1, without whole runs of it. */
export const DEFAULT_CASES = CASES.slice(0, CASES.indexOf("part1"));

export type CaseName = typeof CASES[number];

/** Those that are measured on a graphics adapter unless others are asked for. */
export const ADAPTER_CASES = [
  "step",
  "inference",
  "part1",
  "alexnet",
  "vgg16",
  "detector",
] as const satisfies CaseName[];

/** What one of the sides computed with. */
export interface ComputedOn {
  /** `tensorflow`, `webgpu` or `wasm`; `torch` of the peer. */
  backend: string;
  /** `CPU`, `GPU` where the backend says no more, or the name that the driver has. */
  device: string;
  /** Of a graphics adapter, where the backend knows it. */
  vendor?: string;
  /** Whether it is a graphics adapter that computes on the CPU. */
  software?: boolean;
  /** Why it is no other device. */
  note?: string;
}

/** How long some units of work took. */
export interface Timing {
  /** Units done, at least 1. */
  units: number;
  /** Seconds for all of them. */
  seconds: number;
}

/** Timings of one of the two sides. */
export interface SideResult {
  /** Who it is and with which settings. */
  label: string;
  /** Number format it works in. */
  precision: Precision;
  /** Absent where it did not run, and in results of before there were other devices than CPUs. */
  on?: ComputedOn;
  /** One for each pair, in order. */
  timings: Timing[];
}

/** Ours and a peer, timed in turn. */
export interface PairedTiming {
  case: CaseName;
  title: string;
  /** One unit of it, such as `step`. */
  unit: string;
  /** Floating-point operations of a unit, in 10⁹, where that is meaningful. */
  gflopPerUnit?: number;
  /** Bytes that a unit reads and writes at least, in 10⁹, where memory is what it waits for. */
  gbytePerUnit?: number;
  /** Images of a unit, where it is made of many. */
  imagesPerUnit?: number;
  ours: SideResult;
  /** The peer, with as many timings as ours, or none. */
  theirs: SideResult;
  /** Whether a side failed before all pairs were there. */
  isCut?: true;
  /** Why timings are missing, or what else the reader must know. */
  note?: string;
  /** When the earlier run that it is of was started; without one it is of the last. */
  of?: string;
}

/** What a kernel takes of a unit of work. */
export interface KernelTime {
  what: string;
  /** Calls in a unit, on average. */
  calls: number;
  /** Milliseconds of them together. */
  ms: number;
  /** Floating-point operations of a call, in 10⁹, of a convolution or product. */
  gflop?: number;
}

/** A single quantity of ours, measured without a peer. */
export interface Measurement {
  case: CaseName;
  title: string;
  unit: string;
  on?: ComputedOn;
  /** `null` if it could not be measured. */
  value: number | null;
  /** Why it is missing, or what else the reader must know. */
  note?: string;
  /** What the value was taken from. */
  samples?: readonly Readonly<Record<string, number>>[];
  /** Number format that was worked in, where a case has several. */
  precision?: Precision;
  /** Of a profile, the kernels whose time is known. */
  kernels?: readonly KernelTime[];
  /** When the earlier run that it is of was started; without one it is of the last. */
  of?: string;
}

/** When and how a run of the bench measured. */
export interface BenchRun {
  started_at: string;
  finished_at: string;
  /** The flags as they were in force. */
  settings: {
    cases: readonly CaseName[];
    full: boolean;
    pairs: number;
    seconds: number;
    epochs: number;
    data: string;
  };
  /** Of the minute before the start: what other programs did. */
  load_average: number;
  /** Of everything that took part; PyTorch's are missing where it is. */
  versions: Readonly<Record<string, string>>;
  git: { commit: string; clean: boolean } | null;
}

/** The data that were measured on, as they were loaded. */
export interface MeasuredData {
  /** As `loadDataset()` calls them. */
  name: string;
  /** Absent where nobody has noted it. */
  sha256?: string;
}

/** What the last run of the bench on a machine found, and what earlier ones did of other cases. */
export interface BenchResults extends BenchRun {
  /** Processor, memory, operating system and device; of a graphics adapter its limits as well. */
  machine: Readonly<Record<string, unknown>>;
  /** Absent in results of before it was noted, of which there is but the flag. */
  dataset?: MeasuredData;
  /** What our side computes with; absent in results of before there were other devices than CPUs. */
  ours?: ComputedOn;
  /** What PyTorch computes with, if there is one. */
  peer?: ComputedOn;
  /** That ours and PyTorch were given, each; ours takes none on a graphics adapter. */
  threads: number;
  /** Earlier runs that findings are of, oldest first. */
  earlier?: readonly BenchRun[];
  comparisons: PairedTiming[];
  measures: Measurement[];
}

/** Whether our side computed on the CPU, as all did once. */
export function isOnCpu({ ours }: Pick<BenchResults, "ours">): boolean {
  return ours === undefined || ours.device === "CPU";
}

/** A run of the bench leaves far less than a megabyte. */
const MOST_BYTES = 16e6;

/**
 * What a `bench.json` says; `null` if there is no such file.
 *
 * @throws {StudyError} If it is no result of the bench.
 */
export async function readBenchResults(path: string): Promise<BenchResults | null> {
  let results: Partial<BenchResults> | null = null;
  try {
    results = JSON.parse(await readRegularText(path, { maxBytes: MOST_BYTES }));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (isBenchResults(results)) return results;
  throw new StudyError(`${path} is not a result of the bench: write it again or remove it`);
}

function isBenchResults(value: unknown): value is BenchResults {
  if (!isRecord(value) || !isBenchRun(value) || !isRecord(value.machine)) return false;
  const { dataset, ours, peer, earlier = [], comparisons, measures } = value;
  return (dataset === undefined || isMeasuredData(dataset)) &&
    [ours, peer].every((on) => on === undefined || isRecord(on)) &&
    Array.isArray(earlier) && earlier.every(isBenchRun) &&
    Array.isArray(comparisons) && comparisons.every(isPairedTiming) &&
    Array.isArray(measures) && measures.every(isMeasurement);
}

function isMeasuredData(value: unknown): boolean {
  return isRecord(value) && [value.name, value.sha256].every((text) => typeof text === "string");
}

function isBenchRun(value: unknown): boolean {
  if (!isRecord(value) || !isRecord(value.settings) || !isRecord(value.versions)) return false;
  const { settings, git } = value;
  return [value.started_at, value.finished_at].every((time) => typeof time === "string") &&
    Array.isArray(settings.cases) &&
    [settings.pairs, settings.seconds, value.load_average].every(Number.isFinite) &&
    (git === null || (isRecord(git) && typeof git.commit === "string"));
}

function isFinding(value: unknown): value is Record<string, unknown> {
  return isRecord(value) &&
    [value.case, value.title, value.unit].every((text) => typeof text === "string") &&
    (value.note === undefined || typeof value.note === "string");
}

function isPairedTiming(value: unknown): boolean {
  const isSide = (side: unknown) =>
    isRecord(side) && typeof side.label === "string" && Array.isArray(side.timings) &&
    side.timings.every((timing) =>
      isRecord(timing) && [timing.units, timing.seconds].every(Number.isFinite)
    );
  return isFinding(value) && isSide(value.ours) && isSide(value.theirs);
}

function isMeasurement(value: unknown): boolean {
  return isFinding(value) && (value.value === null || Number.isFinite(value.value)) &&
    (value.kernels === undefined ||
      (Array.isArray(value.kernels) && value.kernels.every(isKernel))) &&
    (value.samples === undefined ||
      (Array.isArray(value.samples) && value.samples.every(isSample)));
}

function isSample(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every(Number.isFinite);
}

function isKernel(value: unknown): boolean {
  return isRecord(value) && typeof value.what === "string" &&
    [value.calls, value.ms].every(Number.isFinite);
}
