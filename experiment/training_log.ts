/**
 * What a training run prints: the study's log lines, and one live line on a terminal.
 *
 * @module
 */

import { formatDuration, type Reporter } from "../io/reporter.ts";
import { type BatchProgress, type EpochResult, READ_INTERVAL } from "../training/trainer.ts";

/** Shows a batch: a log line for every hundredth, from the first, and the live line. */
export function showBatch(reporter: Reporter, progress: BatchProgress, epochs: number): void {
  const { epoch, batch, batches, seen, total, loss, seconds } = progress;
  if (batch % READ_INTERVAL === 0) {
    const percent = (100 * batch / batches).toFixed(0);
    reporter.line(
      `Train Epoch: ${epoch} [${seen}/${total} (${percent}%)]  Loss: ${loss.toFixed(6)}`,
    );
  }
  if (!reporter.terminal) return;
  const done = Math.min(total, Math.round(total * (batch + 1) / batches));
  const rate = done / seconds;
  const left = ((epochs - epoch) * total + total - done) / rate;
  reporter.live(
    `Epoch ${epoch}/${epochs}  batch ${batch + 1}/${batches}  loss ${loss.toFixed(4)}  ` +
      `${rate.toFixed(0)} images/s  ${formatDuration(left)} left`,
  );
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
