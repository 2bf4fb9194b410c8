/**
 * What a run prints while it works: the study's log lines, and one live line on a terminal.
 *
 * @module
 */

import { showLive } from "../io/live_line.ts";
import { formatDuration, type Reporter } from "../io/reporter.ts";
import { type BatchProgress, type EpochResult, READ_INTERVAL } from "../training/trainer.ts";

/**
 * Shows a training batch: a log line for every hundredth, from the first, unless there are lines of
 * epochs only, and the live line, whose pace is in `unit`.
 */
export function showBatch(
  reporter: Reporter,
  progress: BatchProgress,
  { epochs, epochsOnly = false, unit = "images" }: {
    epochs: number;
    epochsOnly?: boolean;
    unit?: string;
  },
): void {
  const { epoch, batch, batches, seen, total, loss, seconds } = progress;
  if (!epochsOnly && batch % READ_INTERVAL === 0) {
    const percent = (100 * batch / batches).toFixed(0);
    reporter.line(
      `Train Epoch: ${epoch} [${seen}/${total} (${percent}%)]  Loss: ${loss.toFixed(6)}`,
    );
  }
  if (!reporter.terminal) return;
  const done = Math.min(total, Math.round(total * (batch + 1) / batches));
  const rate = done / seconds;
  const left = ((epochs - epoch) * total + total - done) / rate;
  showLive(reporter, {
    fields: [
      [`Epoch ${epoch}/${epochs}`, `${epoch}/${epochs}`],
      [`batch ${batch + 1}/${batches}`, ""],
      `loss ${loss.toFixed(4)}`,
      [`${rate.toFixed(0)} ${unit}/s`, ""],
      [`${formatDuration(left)} left`, formatDuration(left)],
    ],
    share: (epoch - 1 + done / total) / epochs,
  });
}

/** Shows an epoch's summary. */
export function showEpoch(reporter: Reporter, result: EpochResult): void {
  const { epoch, loss, correct, seen, seconds } = result;
  const percent = (100 * correct / seen).toFixed(2);
  reporter.line(
    `Epoch ${epoch}: average loss ${loss.toFixed(4)}, accuracy ${correct}/${seen} (${percent}%), ` +
      `time ${seconds.toFixed(2)} s`,
  );
}

/** Shows on the live line how far an evaluation has come; made when it begins. */
export class EvaluationProgress {
  readonly #reporter: Reporter;
  readonly #startedAt = performance.now();

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** Says that so many of all images are done. */
  show(done: number, total: number): void {
    const rate = done / ((performance.now() - this.#startedAt) / 1000);
    const left = formatDuration((total - done) / rate);
    showLive(this.#reporter, {
      fields: [
        ["Evaluating", ""],
        `${done}/${total} images`,
        [`${rate.toFixed(0)} images/s`, ""],
        [`${left} left`, left],
      ],
      share: done / total,
    });
  }
}

/** Images between two log lines. */
const LOG_INTERVAL = 100;

/** Images or seconds after which the time of the rest is predicted. */
const ESTIMATE_AFTER = 8;
const ESTIMATE_SECONDS = 5;

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
      const fields = [`${this.#what}  ${done}/${this.#total} images`];
      return showLive(this.#reporter, { fields: [...fields, ""], share: done / this.#total });
    }
    const seconds = (now - this.#start.at) / 1000;
    const rate = fresh / seconds;
    const left = formatDuration((this.#total - done) / rate);
    const pace = `${rate.toPrecision(3)} images/s`;
    const isEnough = fresh >= ESTIMATE_AFTER || seconds >= ESTIMATE_SECONDS;
    if (!this.#estimated && isEnough && done < this.#total) {
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
    showLive(this.#reporter, {
      fields: [
        [this.#what, ""],
        [`${done}/${this.#total} images`, `${done}/${this.#total}`],
        [pace, ""],
        [`${left} left`, left],
      ],
      share: done / this.#total,
    });
  }
}
