/** A run of PyTorch's and timings beside it, for the tests of the tables. */

import type { PairedTiming } from "../../report/record/bench_results.ts";
import type { PeerRun } from "../../report/record/peer_runs.ts";

/** Fits `resultRow()` of `result_rows.ts` where its weights are empty. */
export const PEER: PeerRun = {
  model: "SimpleCNN",
  accuracy: 99,
  f1: 0.99,
  training_time_s: 200,
  dataset_sha256: "ab12",
  train_images: 60_000,
  test_images: 10_000,
  epochs: 10,
  batch_size: 128,
  learning_rate: 0.001,
  weight_decay: 0.0001,
  seed: 1,
};

const timings = (...seconds: number[]) => seconds.map((each) => ({ units: 1, seconds: each }));

/** Ours against three settings of a peer, one of them in another number format. */
export const TIMINGS: PairedTiming[] = [
  ...([["default", "float32", 2], ["best", "float32", 1.5], ["bf16", "bfloat16", 1]] as const).map(
    ([label, precision, seconds]) => ({
      case: "step" as const,
      title: "A | step",
      unit: "step",
      ours: { label: "ours", precision: "float32" as const, timings: timings(1, 1, 1) },
      theirs: { label, precision, timings: timings(seconds, seconds, 2 * seconds) },
    }),
  ),
  {
    case: "inference",
    title: "Alone",
    unit: "set",
    ours: { label: "ours", precision: "float32", timings: timings(1) },
    theirs: { label: "default", precision: "float32", timings: timings(4) },
  },
  {
    case: "inference",
    title: "No peer",
    unit: "set",
    ours: { label: "ours", precision: "float32", timings: timings(1) },
    theirs: { label: "default", precision: "float32", timings: [] },
  },
];
