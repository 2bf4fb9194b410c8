/**
 * `results/reference/pytorch/*.json`: runs of the study's procedure in PyTorch.
 *
 * @module
 */

import { join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { readRegularText, UnusableFileError } from "../../io/regular_file.ts";
import { weightsKind } from "../../io/weights_label.ts";
import { systemReason } from "../../io/system_reason.ts";
import type { ProblemList } from "./problems.ts";
import type { ResultRow } from "./result_row.ts";
import type { Manifest } from "./run_folder.ts";

/** A run of the study in PyTorch, as the scripts in `bench/reference/` write it. */
export interface PeerRun {
  model: string;
  /** Percent, 0..100. */
  accuracy: number;
  /** Support-weighted, 0..1. */
  f1: number;
  dataset_sha256: string;
  test_images: number;
  seed: number;
  /** This and the settings of training are absent where nothing is trained. */
  training_time_s?: number;
  train_images?: number;
  epochs?: number;
  batch_size?: number;
  learning_rate?: number;
  weight_decay?: number;
  /** `pretrained`, `random` or a file's name; absent where the model is trained from scratch. */
  weights?: string;
  /** SHA-256 of that file; older results don't say it. */
  weights_sha256?: string;
  /** Whether frozen features were computed once. */
  cached_features?: boolean;
  /** The graphics card that computed; absent or `null` of the processor. */
  device_name?: string | null;
  /** Processor, its model and cores, by their names in a manifest; older files don't say them. */
  machine?: Manifest["machine"];
  /** Whether a GPU rounded what convolutions multiply to TF32; older files don't say it. */
  tf32?: boolean;
  /** Threads that PyTorch computed with. */
  threads?: number;
  /** The run of ours whose weights it took; absent or `null` if of none. */
  run?: string | null;
  /** Its answers of the first `test_images`, 0 to 9 or −1 for none, where it says them. */
  predictions?: number[];
  /** When its file was written, ISO 8601; older files don't say it. */
  finished_at?: string;
}

/** A run of PyTorch's that was read. */
export interface FoundPeerRun extends PeerRun {
  /** What its file is called in the report. */
  file: string;
}

const NUMBERS = ["accuracy", "f1", "test_images", "seed"] as const;

/** Settings of training that PyTorch's run must share with ours to stand beside it. */
const TRAINING = [
  "train_images",
  "epochs",
  "batch_size",
  "learning_rate",
  "weight_decay",
] as const satisfies readonly (keyof PeerRun)[];

/** Whether a JSON value is a run of PyTorch's. */
export function isPeerRun(value: unknown): value is PeerRun {
  if (typeof value !== "object" || value === null) return false;
  const run = value as Record<string, unknown>;
  const trained = "epochs" in run ? [...TRAINING, "training_time_s"] : [];
  const { device_name: device = null, run: weightsOf = null, predictions = [] } = run;
  const { finished_at: finishedAt = "", machine = {}, threads = 1, weights_sha256 = "" } = run;
  return typeof run.model === "string" && typeof run.dataset_sha256 === "string" &&
    [device, weightsOf].every((name) => name === null || typeof name === "string") &&
    Array.isArray(predictions) && predictions.every(Number.isInteger) &&
    [finishedAt, weights_sha256].every((text) => typeof text === "string") &&
    typeof machine === "object" && machine !== null &&
    typeof threads === "number" &&
    [...NUMBERS, ...trained].every((name) => typeof run[name] === "number");
}

/**
 * Whether a run of PyTorch's has the model, data, settings, weights and precision of a row; PyTorch's
 * are in float32.
 */
export function isPeerOf(peer: PeerRun, row: ResultRow): boolean {
  return peer.model === row.model && row.precision === "float32" && peer.tf32 !== true &&
    row.otherRecipe === undefined &&
    peer.dataset_sha256 === row.dataset_sha256 &&
    peer.test_images === row.test_images && startedFromWeightsOf(peer, row) &&
    (peer.epochs === undefined || TRAINING.every((name) => peer[name] === row[name]));
}

/** Each run once that was read from several folders: a copy has all that the first has. */
export function withoutCopies(peers: readonly FoundPeerRun[]): FoundPeerRun[] {
  const first = new Map<string, FoundPeerRun>();
  for (const peer of peers) {
    const { file: _, ...run } = peer;
    const key = JSON.stringify(run);
    if (!first.has(key)) first.set(key, peer);
  }
  return [...first.values()];
}

/**
 * Of each seed with the same model, data, weights and settings the newest run, as of ours; the others
 * are noted. A run that doesn't say when it was made counts as oldest; of equals the last one is taken.
 *
 * @param peers In the order in which they were read.
 */
export function newestPeers(
  peers: readonly FoundPeerRun[],
  problems: ProblemList,
): FoundPeerRun[] {
  const newest = new Map<string, FoundPeerRun>();
  for (const peer of peers) {
    const other = newest.get(seedKey(peer));
    if (other === undefined || timeOf(peer) >= timeOf(other)) newest.set(seedKey(peer), peer);
  }
  return peers.filter((peer) => {
    const counted = newest.get(seedKey(peer))!;
    if (counted === peer) return true;
    const text = `an older run of a seed that is in ${counted.file} too, not counted`;
    problems.add(text, { file: peer.file });
    return false;
  });
}

/** Equal for two runs of PyTorch's that differ in nothing but when and on what they were made. */
function seedKey(peer: PeerRun): string {
  const { model, dataset_sha256, test_images, weights, weights_sha256, seed, tf32 = false } = peer;
  return JSON.stringify([
    ...[model, dataset_sha256, test_images, weights_sha256 ?? weights, seed, tf32],
    ...TRAINING.map((name) => peer[name]),
  ]);
}

/** When a run was made, in ms since 1970; before all others where its file doesn't say it. */
export function timeOf({ finished_at }: PeerRun): number {
  const time = Date.parse(finished_at ?? "");
  return Number.isNaN(time) ? -Infinity : time;
}

/** A run of PyTorch's has some kilobytes. */
const MOST_BYTES = 4e6;

/**
 * The runs in a folder's JSON files, in the order of their names; none if there is no folder. What is
 * no such run is noted and left out.
 *
 * @param title What the folder is called in the problems.
 */
export async function readPeerRuns(
  folder: string,
  { problems, title = folder }: { problems: ProblemList; title?: string },
): Promise<FoundPeerRun[]> {
  const runs: FoundPeerRun[] = [];
  let names: string[] = [];
  try {
    names = await jsonFiles(folder);
  } catch (error) {
    problems.skip(`not readable: ${systemReason(error)}, folder skipped`, { file: title });
  }
  for (const name of names) {
    const file = join(title, name);
    try {
      runs.push({ ...await readPeerRun(join(folder, name)), file });
    } catch (error) {
      if (!(error instanceof StudyError)) throw error;
      const reason = error instanceof UnusableFileError ? error.reason : NO_PEER_RUN;
      problems.skip(`${reason}, file skipped`, { file });
    }
  }
  return runs;
}

const NO_PEER_RUN = "not a result of bench/reference/";

/**
 * Reads one run of PyTorch's.
 *
 * @throws {StudyError} If the file is not such a run.
 */
async function readPeerRun(path: string): Promise<PeerRun> {
  let run: unknown;
  try {
    run = JSON.parse(await readRegularText(path, { maxBytes: MOST_BYTES }));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof Deno.errors.NotFound)) throw error;
  }
  if (isPeerRun(run)) return run;
  throw new StudyError(`${path} is ${NO_PEER_RUN}: write it again or remove it`);
}

/** Whether a run of PyTorch's started from a row's weights: by what is in the file, if both say it. */
function startedFromWeightsOf(peer: PeerRun, { weights, weights_sha256 }: ResultRow): boolean {
  return peer.weights_sha256 === undefined || weights_sha256 === ""
    ? peerWeights(weights).includes(peer.weights)
    : peer.weights_sha256 === weights_sha256;
}

/** What PyTorch's run may call the weights of our `weights` column. */
function peerWeights(label: string): (string | undefined)[] {
  if (label === "") return [undefined];
  const source = label.slice(label.indexOf(":") + 1);
  switch (weightsKind(label)) {
    case "torchvision":
      return ["pretrained", source];
    case "random":
      return ["random"];
    case "convolutions":
      return [`${source.replaceAll("/", "-")}.safetensors`, source];
    default:
      return [source, source.replace(/ \(torchvision convolutions\)$/, "")];
  }
}

async function jsonFiles(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.map(({ name }) => name).filter((name) => name.endsWith(".json")).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
