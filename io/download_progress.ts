/**
 * How a download's progress is shown.
 *
 * @module
 */

import { type LiveField, type LiveLine, showLive } from "./live_line.ts";
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

/** What {@linkcode downloadLine} needs to know of a transfer. */
export interface Transfer {
  /** What the user sees the file called. */
  label: string;
  /** Size of the whole file in bytes, if known. */
  total: number | undefined;
  /**
   * Bytes that were there already.
   *
   * @default {0}
   */
  start?: number;
  /** When it began, as `performance.now()` has it. */
  started: number;
}

/** The live line of a transfer of which so many bytes are there. */
export function downloadLine(
  bytes: number,
  { label, total, start = 0, started }: Transfer,
): LiveLine {
  const seconds = (performance.now() - started) / 1000;
  const rate = (bytes - start) / Math.max(seconds, 1e-3);
  const pace: LiveField = [`${formatBytes(rate)}/s`, ""];
  const separator = ", ";
  if (total === undefined) return { fields: [`${label}: ${formatBytes(bytes)}`, pace], separator };
  const share = bytes / Math.max(total, 1);
  const percent = `${Math.floor(100 * Math.min(1, share))} %`;
  const left = formatDuration(Math.max(0, total - bytes) / Math.max(rate, 1));
  return {
    fields: [
      [`${label}: ${percent} of ${formatBytes(total)}`, percent],
      pace,
      [`${left} left`, left],
    ],
    separator,
    share,
  };
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
    showLive(
      this.#options.reporter,
      downloadLine(bytes, {
        ...this.#options,
        started: this.#startedAt,
      }),
    );
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
