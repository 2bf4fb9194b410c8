/**
 * Ends transfers that bring nothing, or next to nothing.
 *
 * @module
 */

import { formatBytes, formatDuration } from "./reporter.ts";

/** The least that a transfer must bring. */
export interface MinimumRate {
  bytesPerSecond: number;
  /** Milliseconds over which it is counted. */
  windowMs: number;
}

/** A slow mobile connection brings ten times as much. */
export const MINIMUM_RATE: MinimumRate = { bytesPerSecond: 2_000, windowMs: 60_000 };

/** Counts what a transfer brings, and says when it is too little. */
export class TransferWatch implements Disposable {
  readonly #onSlow: (reason: string) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #received = 0;

  constructor(onSlow: (reason: string) => void, minimum: MinimumRate = MINIMUM_RATE) {
    const { bytesPerSecond, windowMs } = minimum;
    this.#onSlow = onSlow;
    this.#timer = setInterval(() => {
      const received = this.#received;
      this.#received = 0;
      if (received >= bytesPerSecond * windowMs / 1000) return;
      this.#onSlow(
        `the transfer is too slow: ${formatBytes(received)} in ` +
          `${formatDuration(windowMs / 1000)}, where ${
            formatBytes(bytesPerSecond)
          }/s are the least`,
      );
    }, windowMs);
  }

  /** Notes that so many bytes have come. */
  add(bytes: number): void {
    this.#received += bytes;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
