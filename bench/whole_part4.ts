/**
 * The cases `part4-alexnet` and `part4-vgg16`: a whole run of part 4, from launch to CSV, beside the
 * study's procedure in PyTorch.
 *
 * Ours is run on all images, its features computed first, in a cache of its own. The study's procedure,
 * which takes hours on a few cores, is run on two small sets: what the images by which they differ took
 * is its pace, without its start, and what the smaller set took says whether that pace is the same there.
 *
 * @module
 */

import { join } from "node:path";
import { cacheDir } from "../io/cache.ts";
import { exists } from "../io/path_kind.ts";
import { formatName, type Precision, type Timing } from "../report/record/bench_results.ts";
import { ALEXNET, DATA, type StudyModel, VGG16 } from "../study.ts";
import type { Program } from "./child.ts";
import type { BenchContext } from "./context.ts";
import { joinNotes, type Side, timeInTurn } from "./pairs.ts";
import { freshPath, partProgram, type Places, studySide, untilEnd } from "./program_times.ts";
import { ourLabel } from "./steady_cases.ts";

export const PART4_CASES = ["part4-alexnet", "part4-vgg16"] as const;

/** How much is run of a model. */
export interface Part4Plan {
  model: StudyModel;
  /** As `--models` takes it. */
  word: "alexnet" | "vgg16";
  /** Ours; the study's is in float32. */
  precision: Precision;
  epochs: number;
  /** Training images of ours. */
  images: number;
  /** Training images of the study's procedure, the smaller set first. */
  peerImages: readonly [small: number, large: number];
}

const EPOCHS = VGG16.training.epochs;

/** In full: a few minutes of the study's procedure each. */
export const PART4_PLANS: Readonly<Record<typeof PART4_CASES[number], Part4Plan>> = {
  "part4-alexnet": {
    ...{ model: ALEXNET, word: "alexnet", precision: "float32", epochs: EPOCHS },
    ...{ images: DATA.trainImages, peerImages: [960, 1920] },
  },
  "part4-vgg16": {
    ...{ model: VGG16, word: "vgg16", precision: "bfloat16", epochs: EPOCHS },
    ...{ images: DATA.trainImages, peerImages: [160, 320] },
  },
};

/** Times one case and records it. */
export async function measurePart4(
  context: BenchContext,
  name: typeof PART4_CASES[number],
  places: Places,
  plan: Part4Plan = PART4_PLANS[name],
): Promise<void> {
  const { model, precision, epochs, images } = plan;
  const notes: string[] = [];
  const ours: Side = {
    ...{ label: ourLabel(context.backend, precision), precision, on: context.ours },
    run: () =>
      inFreshCache(async (cache) => {
        const { seconds } = await untilEnd(ourRun(context, plan, { ...places, cache }));
        return { units: images, seconds };
      }),
  };
  const theirs = studySide(
    "the study's procedure, PyTorch, 2 workers",
    { ...context, ...places },
    async () => {
      const timeOn = async (count: number) => {
        context.reporter.live(`${model.title}: the study's procedure on ${count} images`);
        return (await untilEnd(peerRun(context, plan, { ...places, count }))).seconds;
      };
      const [small, large] = plan.peerImages;
      const seconds = [await timeOn(small), await timeOn(large)] as const;
      notes.push(describePace(plan.peerImages, seconds));
      return paceOf(plan.peerImages, seconds);
    },
  );
  const timing = await timeInTurn({
    case: name,
    title: `Part 4 with ${model.title} from launch to CSV, ${epochs} epochs, ` +
      formatName(precision),
    unit: "training image",
    ours,
    theirs,
    warmUp: false,
  }, { ...context, pairs: 1 });
  const note = joinNotes(timing.note, `${images} images`, ...notes);
  await context.record({ ...timing, note });
}

/** What the images took that the larger of two sets has more than the smaller. */
export function paceOf(
  [small, large]: readonly [number, number],
  [first, second]: readonly [number, number],
): Timing {
  return { units: large - small, seconds: second - first };
}

/** Both paces, so that a reader sees whether time is in proportion to images. */
export function describePace(
  [small, large]: readonly [number, number],
  [first, second]: readonly [number, number],
): string {
  const { units, seconds } = paceOf([small, large], [first, second]);
  return `the study's procedure on ${small} and ${large} training images and a sixth as many to ` +
    `test on: ${first.toFixed(0)} and ${second.toFixed(0)} s, ${(first / small).toFixed(3)} s an ` +
    `image of the first, ${
      (seconds / units).toFixed(3)
    } s of each further one, which is what is compared`;
}

/** Runs something with a cache in which there is nothing but libtensorflow. */
async function inFreshCache(action: (cache: string) => Promise<Timing>): Promise<Timing> {
  const shared = cacheDir();
  await Deno.mkdir(shared, { recursive: true });
  const cache = await Deno.makeTempDir({ dir: shared, prefix: "bench-" });
  try {
    const libraries = join(shared, "libtensorflow");
    if (await exists(libraries)) {
      await Deno.symlink(libraries, join(cache, "libtensorflow"), { type: "dir" });
    }
    return await action(cache);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

function ourRun(
  context: BenchContext,
  { word, precision, epochs, images }: Part4Plan,
  { folder, cache }: Places & { cache: string },
): Program {
  const format = ["--precision", formatName(precision)];
  const training = ["--models", word, "--weights", "random", ...format];
  const size = ["--epochs", `${epochs}`, ...(images < DATA.trainImages ? limits(images) : [])];
  const program = partProgram(context, 4, [...training, ...size], freshPath(folder));
  return { ...program, env: { MNIST_STUDY_CACHE: cache } };
}

function peerRun(
  { python, threads }: BenchContext,
  { word, epochs }: Part4Plan,
  { folder, idx, count }: Places & { count: number },
): Program {
  const training = ["--model", word, "--weights", "random", "--epochs", `${epochs}`];
  const out = ["--data", idx, "--out", `${freshPath(folder)}.json`];
  const args = [...training, ...limits(count), "--threads", `${threads}`, ...out];
  const script = "bench/reference/study_part4.py";
  return { name: "the study's procedure", command: python, args: ["-u", script, ...args] };
}

/** Of the test images as large a share as of the training images. */
function limits(images: number): string[] {
  const test = Math.ceil(images * DATA.testImages / DATA.trainImages);
  return ["--limit", `${images}`, "--test-limit", `${test}`];
}
