/**
 * Whether our runs and PyTorch's of the same data and settings are equally accurate.
 *
 * @module
 */

import { type MeanAndSd, meanAndSd } from "../../metrics/descriptive_statistics.ts";
import { isPeerOf, type PeerRun, timeOf } from "../record/peer_runs.ts";
import type { Manifest } from "../record/run_folder.ts";
import type { Interval, PeerComparison } from "./comparison.ts";
import { devicesAmong, isSameProcessor } from "./describe_machine.ts";
import { SIGNIFICANT } from "./format_numbers.ts";
import type { SeedAggregate } from "./seed_aggregates.ts";
import { imageStep, seedSpread } from "./seed_spread.ts";
import { differenceInterval, equivalenceTest, meanDifference, welchTest } from "./statistics.ts";

/** Accuracies less than this many percentage points apart count as equal, by part. */
const MARGINS: Readonly<Record<number, number>> = { 1: 0.2, 4: 1 };

/** Two one-sided tests at 5 % say yes where this interval of the difference is within the margin. */
const EQUIVALENCE_CONFIDENCE = 0.9;

/**
 * Sets PyTorch's runs beside ours, setting by setting.
 *
 * @param settings Of all models.
 * @param peers Of each seed with the same settings one: a test takes each for a draw of its own.
 * @returns `comparisons` in the order of `settings`; `alone` are the runs that have no counterpart.
 */
export function comparePeers(
  settings: readonly SeedAggregate[],
  peers: readonly PeerRun[],
): { comparisons: PeerComparison[]; alone: PeerRun[] } {
  const comparisons: PeerComparison[] = [];
  const paired = new Set<PeerRun>();
  for (const setting of settings) {
    const fitting = peers.filter((peer) => isPeerOf(peer, setting.newest));
    if (fitting.length === 0) continue;
    for (const peer of fitting) paired.add(peer);
    // A file of weights may have several names, under each of which a seed may have been run.
    const theirs = [...Map.groupBy(fitting, ({ seed }) => seed).values()].map(newestOf);
    comparisons.push(comparePeer(setting, theirs));
  }
  return { comparisons, alone: peers.filter((peer) => !paired.has(peer)) };
}

function newestOf(peers: readonly PeerRun[]): PeerRun {
  return peers.reduce((a, b) => timeOf(b) >= timeOf(a) ? b : a);
}

function comparePeer(setting: SeedAggregate, peers: readonly PeerRun[]): PeerComparison {
  const { newest, manifest, accuracy, f1, trainingTime } = setting;
  const over = (column: "accuracy" | "f1" | "training_time_s", runs = peers) =>
    meanAndSd(runs.map((peer) => peer[column]).filter((value) => value !== undefined));
  const newestPeer = newestOf(peers);
  const timed = peers.filter((peer) => timedBy(peer) === timedBy(newestPeer));
  const theirs = {
    accuracy: over("accuracy"),
    f1: over("f1"),
    trainingTime: over("training_time_s", timed),
  };
  const margin = MARGINS[newest.part] ?? null;
  return {
    model: newest.model,
    row: newest,
    ours: { accuracy, f1, trainingTime },
    theirs,
    cachedFeatures: newestPeer.cached_features === true,
    device: deviceBeside(manifest, newestPeer),
    margin,
    ...judgeEquivalence(accuracy, theirs.accuracy, {
      margin,
      step: imageStep(newest.test_images),
    }),
  };
}

/** Equal for runs of PyTorch's whose times can be averaged. */
function timedBy({ device_name, machine, threads, cached_features }: PeerRun): string {
  const { processor, processor_model, cores } = machine ?? {};
  const parts = [device_name, processor, processor_model, cores, threads, cached_features === true];
  return JSON.stringify(parts.map((part) => part ?? null));
}

/** What a run of PyTorch's was timed on; `null` if that is known to be what ours was timed on. */
function deviceBeside(ours: Manifest | null, { device_name, machine }: PeerRun): string | null {
  if (device_name) return device_name;
  const theirs = { machine: machine ?? {} };
  if (ours?.machine.device === "CPU" && isSameProcessor(ours.machine, theirs.machine)) return null;
  return devicesAmong([ours, theirs])(theirs) || "a machine that is not named";
}

type Judgement = Pick<PeerComparison, "verdict" | "interval" | "p">;

/**
 * *Equivalent* if the difference is shown to be within the margin, *different* if it is shown not to be
 * 0 and not shown to be within the margin, *undecided* otherwise.
 *
 * @param options.step By how much one image moves either accuracy.
 */
function judgeEquivalence(
  ours: MeanAndSd,
  theirs: MeanAndSd,
  { margin, step }: { margin: number | null; step: number | null },
): Judgement {
  const [a, b] = [seedSpread(ours, step), seedSpread(theirs, step)];
  const means = a && b && meanDifference(a, b);
  if (means === null || margin === null) return { verdict: "not tested", interval: null, p: NaN };
  const p = equivalenceTest(means, margin);
  const interval: Interval = differenceInterval(means, EQUIVALENCE_CONFIDENCE);
  if (p < SIGNIFICANT) return { verdict: "equivalent", interval, p };
  return { verdict: welchTest(means) < SIGNIFICANT ? "different" : "undecided", interval, p };
}
