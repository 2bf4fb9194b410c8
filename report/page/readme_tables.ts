/**
 * README's tables: the results, one line per model and data set with PyTorch's own run of the same
 * beside it where there is one, and the speeds out of `bench.json`.
 *
 * @module
 */

import { type MeanAndSd, meanAndSd } from "../../metrics/descriptive_statistics.ts";
import type { ModelComparison } from "../analysis/comparison.ts";
import { formatFixed, formatMeanAndSd, NONE } from "../analysis/format_numbers.ts";
import {
  formatMedianAndRange,
  formatPace,
  medianAndRange,
  ratios,
} from "../analysis/paired_timings.ts";
import type { SeedAggregate } from "../analysis/seed_aggregates.ts";
import type { PairedTiming } from "../record/bench_results.ts";
import { isPeerOf, type PeerRun } from "../record/peer_runs.ts";
import { alignedTable, type Column, escapeMarkdown } from "./markdown.ts";

const RESULT_COLUMNS = [
  { title: "model" },
  { title: "data set (training / test images)" },
  { title: "seeds", align: "right" },
  { title: "accuracy (%)", align: "right" },
  { title: "F1", align: "right" },
  { title: "training (s)", align: "right" },
  { title: "PyTorch: accuracy (%)", align: "right" },
  { title: "F1", align: "right" },
  { title: "training (s)", align: "right" },
] as const satisfies readonly Column[];

/**
 * The table of results, formatted as `deno fmt` does. Of each model and data set the setting with the
 * newest run counts; a number is the mean over its seeds.
 *
 * @param models Models in their order; those without an ok run are left out.
 */
export function renderReadmeTable(
  models: readonly Pick<ModelComparison, "model" | "settings">[],
  peers: readonly PeerRun[],
): string {
  const lines = models.flatMap(({ model, settings }) =>
    newestPerDataset(settings).map((setting) => {
      const theirs = peers.filter((peer) => isPeerOf(peer, setting.newest));
      return [...ourCells(model, setting), ...peerCells(theirs)];
    })
  );
  return alignedTable(RESULT_COLUMNS, lines);
}

/** The settings with the newest run of their data set, by its name. */
function newestPerDataset(settings: readonly SeedAggregate[]): SeedAggregate[] {
  const newest = new Map<string, SeedAggregate>();
  for (const setting of settings) {
    const { dataset } = setting.newest;
    if (!newest.has(dataset)) newest.set(dataset, setting);
  }
  return [...newest].sort(([a], [b]) => a < b ? -1 : 1).map(([, setting]) => setting);
}

function ourCells(model: string, setting: SeedAggregate): string[] {
  const { newest, seeds, accuracy, f1, trainingTime } = setting;
  const { weights, precision } = newest;
  const notes = [
    weights.startsWith("torchvision:") ? "" : weights.replace(/^random.*/, "random weights"),
    precision === "float32" ? "" : precision,
  ].filter((note) => note !== "");
  const images = newest.train_images === null
    ? `${newest.test_images} to test`
    : `${newest.train_images} / ${newest.test_images}`;
  return [
    escapeMarkdown([model, ...notes].join(", ")),
    `${escapeMarkdown(newest.dataset)} (${images})`,
    String(seeds),
    formatMeanAndSd(accuracy, 2),
    formatMean(f1, 4),
    formatMean(trainingTime, 1),
  ];
}

function peerCells(runs: readonly PeerRun[]): string[] {
  const over = (column: "accuracy" | "f1" | "training_time_s") =>
    meanAndSd(runs.map((run) => run[column]));
  return [
    formatMeanAndSd(over("accuracy"), 2),
    formatMean(over("f1"), 4),
    formatMean(over("training_time_s"), 1),
  ];
}

function formatMean({ n, mean }: MeanAndSd, digits: number): string {
  return n === 0 ? NONE : formatFixed(mean, digits);
}

const SPEED_COLUMNS = [
  { title: "what" },
  { title: "ours", align: "right" },
  { title: "PyTorch, its defaults", align: "right" },
  { title: "ours / PyTorch", align: "right" },
  { title: "its best settings", align: "right" },
] as const satisfies readonly Column[];

/**
 * The table of speeds, formatted as `deno fmt` does: a line for all that was timed beside PyTorch. A
 * ratio is the median over pairs, with the lowest and the highest; the last column is the lowest
 * median ratio among PyTorch's settings in the same number format.
 */
export function renderSpeedTable(timings: readonly PairedTiming[]): string {
  const paired = timings.filter((timing) =>
    timing.case !== "limit" && timing.theirs.timings.length > 0
  );
  const rows = [...Map.groupBy(paired, ({ title }) => title)].map(([title, peers]) => {
    const { unit, ours, theirs } = peers[0]!;
    const sameFormat = peers.filter((peer) => peer.theirs.precision === ours.precision);
    const best = Math.min(...sameFormat.map((peer) => medianAndRange(ratios(peer))!.median));
    return [
      escapeMarkdown(title),
      formatPace(ours.timings, unit),
      formatPace(theirs.timings, unit),
      formatMedianAndRange(medianAndRange(ratios(peers[0]!))!),
      sameFormat.length > 1 ? best.toFixed(2) : "",
    ];
  });
  return alignedTable(SPEED_COLUMNS, rows);
}
