/**
 * The cases `part4-alexnet` and `part4-vgg16`: a whole run of part 4, from launch to CSV, beside the
 * study's procedure in PyTorch.
 *
 * Ours begins with no features in its cache. AlexNet's is run on all images; VGG16's, which would take
 * more than an hour, on two sets, and the larger one's time is extended to all images by what those
 * took by which the two differ: enough of them that a run's start and end, which vary by seconds, are
 * little beside it. The study's procedure, which takes hours on a few cores with either, is
 * run on two small sets: what the images by which they differ took is its pace, without its start. What
 * the smaller set took says whether a pace is the same there. As the study computes the frozen features
 * again in every epoch and ours does so once, a second peer is PyTorch doing so once.
 *
 * @module
 */

import { formatDuration } from "../io/reporter.ts";
import {
  formatName,
  type PairedTiming,
  type Precision,
  type Timing,
} from "../report/record/bench_results.ts";
import { ALEXNET, type StudyModel, VGG16 } from "../study.ts";
import type { Program } from "./child.ts";
import type { BenchContext } from "./context.ts";
import { inFreshCache, withCache } from "./fresh_cache.ts";
import { checkEnoughImages, type ImageCounts, sizeNote } from "./image_counts.ts";
import { joinNotes, type Side, timeInTurn } from "./pairs.ts";
import {
  freshPath,
  partProgram,
  type Places,
  studyMachine,
  studySide,
  untilEnd,
} from "./program_times.ts";
import { ourLabel } from "./steady_cases.ts";
import { FEATURES_ONCE_LABEL } from "./transfer_plans.ts";

export const PART4_CASES = ["part4-alexnet", "part4-vgg16"] as const;

/** How much is run of a model. */
export interface Part4Plan {
  model: StudyModel;
  /** As `--models` takes it. */
  word: "alexnet" | "vgg16";
  /** Ours, where that is to be had; the study's is in float32. */
  precision: Precision;
  epochs: number;
  /** Training images of ours: all, or two sets, the smaller one first. */
  images: "all" | readonly [small: number, large: number];
  /** Training images of the study's procedure, the smaller set first. */
  peerImages: readonly [small: number, large: number];
}

const EPOCHS = VGG16.training.epochs;

/** What ours is set beside: as the study does it, and with the work that is not needed left out. */
const PEERS: readonly { whose: string; label: string; flags: readonly string[] }[] = [
  {
    whose: "the study's procedure",
    label: "the study's procedure, PyTorch, 2 workers",
    flags: [],
  },
  {
    whose: "PyTorch with features computed once",
    label: FEATURES_ONCE_LABEL,
    flags: ["--cache-features"],
  },
];

/** In full: some minutes of the study's procedure on each of its sets. */
export const PART4_PLANS: Readonly<Record<typeof PART4_CASES[number], Part4Plan>> = {
  "part4-alexnet": {
    ...{ model: ALEXNET, word: "alexnet", precision: "float32", epochs: EPOCHS },
    ...{ images: "all", peerImages: [960, 1920] },
  },
  "part4-vgg16": {
    ...{ model: VGG16, word: "vgg16", precision: "bfloat16", epochs: EPOCHS },
    ...{ images: [1536, 3072], peerImages: [128, 384] },
  },
};

/**
 * The format that a whole run is made in: the one wanted, or float32 on what does not have it. A run in
 * float32 is what users have there, and its title says so.
 */
export function precisionOf(
  { precisions }: Pick<BenchContext, "precisions">,
  wanted: Precision,
): Precision {
  return precisions.includes(wanted) ? wanted : "float32";
}

/**
 * Times one case and records it.
 *
 * @param run Runs a program to its end and times it; tests put their own in place.
 */
export async function measurePart4(
  context: BenchContext,
  name: typeof PART4_CASES[number],
  places: Places,
  run: (program: Program) => Promise<Timing> = untilEnd,
): Promise<void> {
  const planned = PART4_PLANS[name];
  const plan = { ...planned, precision: precisionOf(context, planned.precision) };
  const { model, precision, epochs, images, peerImages } = plan;
  const all = context.images;
  if (context.pairs > 1) {
    context.reporter.line(`${name} is one run of each side, whatever --pairs says`);
  }
  const remarks = precision === planned.precision
    ? []
    : [`ours in ${formatName(precision)}, as it has no ${formatName(planned.precision)} here`];
  /** A case takes long: each program's time is said when it is known. */
  const secondsOf = async (whose: string, count: number, program: Program) => {
    const { reporter } = context;
    const what = `${model.title}, ${whose} on ${count} images`;
    reporter.live(what);
    const { seconds } = await run(program);
    reporter.line(`${what}: ${formatDuration(seconds)}`);
    return seconds;
  };
  const oursOn = (count: number) =>
    inFreshCache(async (cache) => {
      return await secondsOf("ours", count, ourRun(context, plan, { ...places, cache, count }));
    });
  const timeOurs = async (): Promise<Timing> => {
    const most = Math.max(peerImages[1], images === "all" ? 0 : images[1]);
    checkEnoughImages(all, { train: most });
    if (images === "all") return { units: all.train, seconds: await oursOn(all.train) };
    const [small, large] = images;
    const seconds = [await oursOn(small), await oursOn(large)] as const;
    remarks.push(
      `ours ${describePace(images, seconds, all)}, a rate by which it is extrapolated to all`,
    );
    return extended(images, seconds, all.train);
  };
  let timed: Timing | undefined;
  const ours: Side = {
    ...{ label: ourLabel(context.ours.backend, precision), precision, on: context.ours },
    // It takes long, and is one run whichever peer stands beside it.
    run: async () => timed ??= await timeOurs(),
  };
  for (const { whose, label, flags } of PEERS) {
    let pace: string | undefined;
    const theirs = studySide(label, { ...context, ...places }, async () => {
      const timeOn = (count: number) =>
        secondsOf(whose, count, peerRun(context, plan, { ...places, count, flags }));
      const [small, large] = peerImages;
      const seconds = [await timeOn(small), await timeOn(large)] as const;
      pace = `${whose} ${describePace(peerImages, seconds, all)}, which is the rate compared`;
      return paceOf(peerImages, seconds);
    });
    const record = (timing: PairedTiming, isLast: boolean) =>
      context.record({
        ...timing,
        note: joinNotes(timing.note, sizeNote(all) ?? `${all.train} images`, ...remarks, pace),
      }, { isLast });
    const timing = await timeInTurn({
      case: name,
      title: `Part 4 with ${model.title} from launch to CSV, ${epochs} epochs, ` +
        formatName(precision),
      unit: "training image",
      ours,
      theirs,
      warmUp: false,
    }, { ...context, pairs: 1, keep: (soFar) => record(soFar, false) });
    await record(timing, label === PEERS.at(-1)!.label);
  }
}

/** What the images took that the larger of two sets has more than the smaller. */
export function paceOf(
  [small, large]: readonly [number, number],
  [first, second]: readonly [number, number],
): Timing {
  return { units: large - small, seconds: second - first };
}

/** What so many images take if those that the larger set does not have take as long as those it adds. */
export function extended(
  images: readonly [small: number, large: number],
  seconds: readonly [number, number],
  count: number,
): Timing {
  const added = paceOf(images, seconds);
  const rest = (count - images[1]) * added.seconds / added.units;
  return { units: count, seconds: seconds[1] + rest };
}

/** Both paces, so that a reader sees whether time is in proportion to images. */
export function describePace(
  [small, large]: readonly [number, number],
  [first, second]: readonly [number, number],
  all: ImageCounts,
): string {
  const { units, seconds } = paceOf([small, large], [first, second]);
  const [test, moreTest] = [small, large].map((count) => testImagesOf(count, all));
  return `on ${small} and ${large} training images (with ${test} and ${moreTest} test images) took ` +
    `${first.toFixed(0)} and ${second.toFixed(0)} s: ${
      (first / small).toFixed(3)
    } s per image of the ` +
    `smaller set, ${(seconds / units).toFixed(3)} s per image added`;
}

/** Both paces in a note, as {@linkcode describePace} has them. */
const PACES = /([\d.]+) s per image of the smaller set, ([\d.]+) s per image added/g;

/** A note with how far the pace of the images added is from the smaller set's, whose time has the start. */
export function withPaceChange(note: string): string {
  return note.replaceAll(PACES, (paces, small, added) => {
    const percent = Math.round(100 * (Number(added) / Number(small) - 1));
    if (percent === 0) return `${paces} (no less)`;
    return `${paces} (${Math.abs(percent)} % ${percent < 0 ? "less" : "more"})`;
  });
}

function ourRun(
  context: BenchContext,
  { word, precision, epochs }: Part4Plan,
  { folder, cache, count }: Places & { cache: string; count: number },
): Program {
  const { images: all } = context;
  const format = ["--precision", formatName(precision)];
  const training = ["--models", word, "--weights", "random", ...format];
  const size = ["--epochs", `${epochs}`, ...(count < all.train ? limits(count, all) : [])];
  return withCache(partProgram(context, 4, [...training, ...size], freshPath(folder)), cache);
}

function peerRun(
  context: BenchContext,
  { word, epochs }: Part4Plan,
  { folder, idx, count, flags }: Places & { count: number; flags: readonly string[] },
): Program {
  const { python, images: all } = context;
  const training = ["--model", word, "--weights", "random", "--epochs", `${epochs}`, ...flags];
  const out = ["--data", idx, "--out", `${freshPath(folder)}.json`];
  const args = [...training, ...limits(count, all), ...studyMachine(context), ...out];
  const script = "bench/reference/study_part4.py";
  return { name: "PyTorch's side of part 4", command: python, args: ["-u", script, ...args] };
}

function limits(count: number, all: ImageCounts): string[] {
  return ["--limit", `${count}`, "--test-limit", `${testImagesOf(count, all)}`];
}

/** Of the test images as large a share as so many are of the training images. */
function testImagesOf(count: number, { train, test }: ImageCounts): number {
  return Math.ceil(count * test / train);
}
