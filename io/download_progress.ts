/**
 * How a download's progress is shown.
 *
 * @module
 */

import { formatBytes, formatDuration, type Reporter } from "./reporter.ts";

/** Options of {@linkcode Progress}. */
export interface ProgressOptions {
  /** What the user sees the file called. */
  label: string;
  host: string;
  /** Bytes that were there already. */
  start: number;
  /** Size of the whole file in bytes, if known. */
  total: number | undefined;
  /** Where it is shown. */
  reporter: Reporter;
}

/** The live line of one transfer, or a plain line at its start and its end when piped. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #startedAt = performance.now();

  constructor(options: ProgressOptions) {
    this.#options = options;
    const { label, host, start, total, reporter } = options;
    if (reporter.terminal) return;
    const what = total === undefined ? "" : ` ${formatBytes(total)}`;
    const resumed = start > 0 ? `, continued at ${formatBytes(start)}` : "";
    reporter.line(`${label}: downloading${what} from ${host}${resumed}`);
  }

  /** Shows that `bytes` bytes of the file are there. */
  show(bytes: number): void {
    const { label, start, total, reporter } = this.#options;
    const rate = (bytes - start) / Math.max(this.#seconds(), 1e-3);
    const share = total === undefined
      ? formatBytes(bytes)
      : `${Math.floor(100 * bytes / Math.max(total, 1))} % of ${formatBytes(total)}`;
    const left = total === undefined
      ? ""
      : `, ${formatDuration((total - bytes) / Math.max(rate, 1))} left`;
    reporter.live(`${label}: ${share}, ${formatBytes(rate)}/s${left}`);
  }

  /** Shows that the transfer is over. */
  done(bytes: number): void {
    const { label, host, reporter } = this.#options;
    reporter.live("");
    reporter.line(
      `${label}: ${formatBytes(bytes)} from ${host} in ${formatDuration(this.#seconds())}`,
    );
  }

  #seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }
}
