/**
 * What a detector's run prints: a line for every hundred images, and one live line on a terminal.
 *
 * @module
 */

import { formatDuration, type Reporter } from "../io/reporter.ts";

/** Images between two log lines. */
const LOG_INTERVAL = 100;

/** Images after which the time of the rest is foretold. */
const ESTIMATE_AFTER = 8;

/** Shows how far work on images has come; made when it begins. */
export class ImageProgress {
  #reporter: Reporter;
  #what: string;
  #total: number;
  #start: { done: number; at: number } | undefined;
  #last = 0;
  #estimated = false;

  /** @param what What is done to the images, as lines begin: `Inference`. */
  constructor(reporter: Reporter, what: string, total: number) {
    this.#reporter = reporter;
    this.#what = what;
    this.#total = total;
  }

  /** Says that so many images are done; the first call, those that were done before. */
  show(done: number): void {
    const now = performance.now();
    this.#start ??= { done, at: now };
    const fresh = done - this.#start.done;
    if (fresh === 0) {
      this.#last = done;
      return;
    }
    const seconds = (now - this.#start.at) / 1000;
    const rate = fresh / seconds;
    const left = formatDuration((this.#total - done) / rate);
    const pace = `${rate.toPrecision(3)} images/s`;
    if (!this.#estimated && fresh >= ESTIMATE_AFTER && done < this.#total) {
      this.#estimated = true;
      this.#reporter.line(
        `${this.#what}: ${this.#total - done} more images will take about ${left} (${pace} over ` +
          `the first ${fresh})`,
      );
    }
    const hundreds = (images: number) => Math.floor(images / LOG_INTERVAL);
    if (hundreds(done) > hundreds(this.#last) || done === this.#total) {
      const percent = (100 * done / this.#total).toFixed(0);
      this.#reporter.line(`${this.#what} [${done}/${this.#total} (${percent}%)]  ${pace}`);
    }
    this.#last = done;
    this.#reporter.live(`${this.#what}  ${done}/${this.#total} images  ${pace}  ${left} left`);
  }
}
