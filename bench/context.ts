/**
 * What every case of the bench is given.
 *
 * @module
 */

import type { BackendName } from "../engine/engine.ts";
import { StudyError } from "../io/errors.ts";
import type { Reporter } from "../io/reporter.ts";
import type {
  CaseName,
  Measurement,
  PairedTiming,
  Precision,
} from "../report/record/bench_results.ts";
import { denoScript } from "./child.ts";
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
  /** The Python that PyTorch is looked for in. */
  python: string;
  /** Of ours and of PyTorch, each. */
  threads: number;
  /** Flags that every program of ours is given. */
  engineFlags: readonly string[];
  reporter: Reporter;
  /** Stops between two timings. */
  signal: AbortSignal;
  /** Adds a finding to the results and writes them. */
  record(finding: PairedTiming | Measurement): Promise<void>;
}

export function startOurs(
  { data, engineFlags }: Pick<BenchContext, "data" | "engineFlags">,
  precision: Precision,
  backend: BackendName | "auto" = "auto",
): Promise<Worker> {
  const name = precision === "bfloat16" ? "bf16" : "fp32";
  const args = ["--data", data, "--precision", name, "--backend", backend, ...engineFlags];
  return Worker.start(denoScript("our side of the bench", "bench/our_worker.ts", args));
}

/**
 * Starts the peer.
 *
 * @returns Why there is none, if that is so.
 */
export async function startPeer(
  { python, threads, device }: { python: string; threads: number; device: string },
): Promise<Worker | { missing: string }> {
  const torchDevice = device === "GPU" ? "cuda" : "cpu";
  const script = "bench/reference/peer.py";
  try {
    return await Worker.start({
      name: "PyTorch's side of the bench",
      command: python,
      args: [script, "--threads", String(threads), "--device", torchDevice],
    });
  } catch (error) {
    if (error instanceof StudyError) return { missing: error.message };
    throw error;
  }
}
