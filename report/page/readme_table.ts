/**
 * README's table of results: one line per model and data set, with PyTorch's own run of the same
 * beside it where there is one.
 *
 * @module
 */

import { alignedTable } from "./aligned_table.ts";
import type { ModelComparison } from "../analysis/comparison.ts";
import { type Column, escapeMarkdown } from "./markdown.ts";
import { meanAndDeviation, type SettingResult, type Spread } from "../analysis/settings.ts";

/** A run of the study in PyTorch, as the scripts in `bench/reference/` write it. */
export interface PeerRun {
  model: string;
  /** Percent, 0..100. */
  accuracy: number;
  /** Support-weighted, 0..1. */
  f1: number;
  /** Seconds. */
  training_time_s: number;
  dataset_sha256: string;
  train_images: number;
  test_images: number;
  epochs: number;
  batch_size: number;
  learning_rate: number;
  weight_decay: number;
  seed: number;
  /** `pretrained`, `random` or a file's name; absent where the model is trained from scratch. */
  weights?: string;
}

/** What a run of PyTorch's must share with ours to be put beside it. */
const SHARED = [
  "dataset_sha256",
  "train_images",
  "test_images",
  "epochs",
  "batch_size",
  "learning_rate",
  "weight_decay",
] as const satisfies readonly (keyof PeerRun)[];

const NUMBERS = [
  "accuracy",
  "f1",
  "training_time_s",
  "seed",
] as const satisfies readonly (keyof PeerRun)[];

const COLUMNS = [
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

const NONE = "–";

/** Whether a JSON value is a run of PyTorch's. */
export function isPeerRun(value: unknown): value is PeerRun {
  if (typeof value !== "object" || value === null) return false;
  const run = value as Record<string, unknown>;
  const { dataset_sha256, ...shared } = Object.fromEntries(SHARED.map((name) => [name, run[name]]));
  return typeof run.model === "string" && typeof dataset_sha256 === "string" &&
    [...Object.values(shared), ...NUMBERS.map((name) => run[name])]
      .every((number) => typeof number === "number");
}

/**
 * The table, formatted as `deno fmt` does.
 *
 * Of each model and data set the setting with the newest run counts; a number is the mean over its
 * seeds.
 *
 * @param models Models in their order; those without an ok run are left out.
 */
export function renderReadmeTable(
  models: readonly Pick<ModelComparison, "model" | "settings">[],
  peers: readonly PeerRun[],
): string {
  const lines = models.flatMap(({ model, settings }) =>
    newestPerDataset(settings).map((setting) => {
      const theirs = peers.filter((peer) => isSame(peer, model, setting));
      return [...ourCells(model, setting), ...peerCells(theirs)];
    })
  );
  return alignedTable(COLUMNS, lines);
}

/** The settings with the newest run of their data set, by its name. */
function newestPerDataset(settings: readonly SettingResult[]): SettingResult[] {
  const newest = new Map<string, SettingResult>();
  for (const setting of settings) {
    const { dataset } = setting.newest;
    if (!newest.has(dataset)) newest.set(dataset, setting);
  }
  return [...newest].sort(([a], [b]) => a < b ? -1 : 1).map(([, setting]) => setting);
}

function ourCells(model: string, setting: SettingResult): string[] {
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
    percent(accuracy),
    fixed(f1, 4),
    fixed(trainingTime, 1),
  ];
}

function isSame(peer: PeerRun, model: string, { newest }: SettingResult): boolean {
  return peer.model === model && peer.weights === peerWeights(newest.weights) &&
    SHARED.every((name) => peer[name] === newest[name]);
}

/** What PyTorch's run calls the weights of our `weights` column. */
function peerWeights(weights: string): string | undefined {
  if (weights === "") return undefined;
  if (weights.startsWith("random")) return "random";
  return weights.startsWith("torchvision:") ? "pretrained" : weights.replace(/^file:/, "");
}

function peerCells(runs: readonly PeerRun[]): string[] {
  const accuracy = meanAndDeviation(runs.map((run) => run.accuracy));
  const f1 = meanAndDeviation(runs.map((run) => run.f1));
  const time = meanAndDeviation(runs.map((run) => run.training_time_s));
  return [percent(accuracy), fixed(f1, 4), fixed(time, 1)];
}

function percent(spread: Spread): string {
  const deviation = spread.n > 1 ? ` ± ${spread.sd.toFixed(2)}` : "";
  return fixed(spread, 2) + deviation;
}

function fixed({ n, mean }: Spread, digits: number): string {
  return n === 0 ? NONE : mean.toFixed(digits);
}
