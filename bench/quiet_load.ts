/**
 * Waits until other programs leave the machine alone, so that timings mean something.
 *
 * @module
 */

import { setTimeout } from "node:timers/promises";
import type { Reporter } from "../io/reporter.ts";
import { isBusy } from "./page.ts";

/**
 * How long the machine may take to become quiet: the load average forgets slowly. What an adapter
 * computes depends less on it.
 */
export const SETTLING_MS = { cpu: 100_000, adapter: 10_000 } as const;

/** Options of {@linkcode quietLoad}. */
export interface QuietLoadOptions {
  /** Threads that each side is given. */
  threads: number;
  /** Milliseconds that it may take; none if 0. */
  settlingMs: number;
  reporter: Reporter;
  signal: AbortSignal;
  /**
   * The load average of the last minute.
   *
   * @default {Deno.loadavg}
   */
  loadAverage?: () => number;
}

/** The load average, once the machine is quiet or there was time enough for that. */
export async function quietLoad(
  { threads, settlingMs, reporter, signal, loadAverage = () => Deno.loadavg()[0] ?? 0 }:
    QuietLoadOptions,
): Promise<number> {
  const started = performance.now();
  for (let polls = 0;; polls++) {
    signal.throwIfAborted();
    const load = loadAverage();
    if (!isBusy(load, threads) || performance.now() - started >= settlingMs) {
      reporter.live("");
      return load;
    }
    const shown = `load average ${load.toFixed(2)}`;
    if (polls === 0) {
      const most = `up to ${Math.ceil(settlingMs / 1000)} s`;
      reporter.line(`Waiting ${most} for the machine to become quiet (${shown})`);
    }
    reporter.live(`Waiting for the machine to become quiet: ${shown}`);
    await setTimeout(1000);
  }
}
