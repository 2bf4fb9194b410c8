/**
 * What every case of the bench is given.
 *
 * @module
 */

import { StudyError } from "../io/errors.ts";
import type { Reporter } from "../io/reporter.ts";
import {
  type CaseName,
  type ComputedOn,
  formatName,
  type Measurement,
  type PairedTiming,
  type Precision,
} from "../report/record/bench_results.ts";
import { denoScript } from "./child.ts";
import type { ImageCounts } from "./image_counts.ts";
import { Worker } from "./worker.ts";

/** Settings and what cases share. */
export interface BenchContext {
  cases: readonly CaseName[];
  /** Whether to measure in full length what is shortened otherwise. */
  full: boolean;
  pairs: number;
  /** Seconds of work in one timing, at least. */
  seconds: number;
  /** Epochs of a whole run of part 1. */
  epochs: number;
  /** The data set, as `--data` takes it. */
  data: string;
  /** How many images that has. */
  images: ImageCounts;
  /** The Python that PyTorch is looked for in. */
  python: string;
  /** That ours and PyTorch are given, each; ours takes none on a graphics adapter. */
  threads: number;
  /** The backend of ours, as `--backend` takes it, where a case has none of its own. */
  backend: string;
  /** What that computes with. */
  ours: ComputedOn;
  /** The formats that ours multiplies in there. */
  precisions: readonly Precision[];
  /** What PyTorch computes with: in its own words, and in the results'. */
  peer: { torchDevice: string; on?: ComputedOn };
  /** Flags beside the backend's that every program of ours is given. */
  engineFlags: readonly string[];
  reporter: Reporter;
  /** Stops between two timings. */
  signal: AbortSignal;
  /** Adds a finding to the results and writes them; see `RecordOptions` in `earlier_runs.ts`. */
  record(finding: PairedTiming | Measurement, options?: { isLast: boolean }): Promise<void>;
}

/** Options of {@linkcode startOurs}. */
export interface OurSideOptions {
  /** The backend, as `--backend` takes it, instead of the context's. */
  backend?: string;
  /** Environment variables that it gets besides ours. */
  env?: Readonly<Record<string, string>>;
  /** Flags of Deno's own, such as `--v8-flags=--expose-gc`. */
  runtimeFlags?: readonly string[];
}

/** What every program of ours is started with. */
export type OurSettings = Pick<BenchContext, "data" | "backend" | "threads" | "engineFlags">;

/** Starts our side in one number format. */
export function startOurs(
  { data, backend: usual, threads, engineFlags }: OurSettings,
  precision: Precision,
  { backend, env = {}, runtimeFlags = [] }: OurSideOptions = {},
): Promise<Worker> {
  const format = ["--precision", formatName(precision)];
  const where = ["--data", data, "--backend", backend ?? usual, "--threads", `${threads}`];
  const args = [...where, ...format, ...engineFlags];
  const script = "bench/our_worker.ts";
  const program = denoScript("our side of the bench", script, args, runtimeFlags);
  return Worker.start({ ...program, env });
}

/** Vendors whose adapters PyTorch computes on, by its name of the kind of device. */
const TORCH_DEVICES: Readonly<Record<string, string>> = {
  NVIDIA: "cuda",
  AMD: "cuda", // ROCm's builds call it so too.
  Apple: "mps",
};

/** The kind of device on which PyTorch is the peer of ours, in its words. */
export function torchDeviceFor({ device, vendor = "", software }: ComputedOn): string {
  if (software) return "cpu";
  return device === "GPU" ? "cuda" : TORCH_DEVICES[vendor] ?? "cpu";
}

/** What starts the peer. */
export interface PeerOptions {
  python: string;
  threads: number;
  /** What our side computes with: PyTorch takes the same device where it can, else the CPU. */
  ours: ComputedOn;
}

/**
 * Starts the peer.
 *
 * @returns Why there is none, if that is so.
 */
export async function startPeer(
  { python, threads, ours }: PeerOptions,
): Promise<Worker | { missing: string }> {
  const script = "bench/reference/peer.py";
  try {
    return await Worker.start({
      name: "PyTorch's side of the bench",
      command: python,
      args: [
        script,
        "--threads",
        String(threads),
        "--device",
        torchDeviceFor(ours),
        "--adapter",
        ours.device,
      ],
    });
  } catch (error) {
    if (error instanceof StudyError) return { missing: error.message };
    throw error;
  }
}
