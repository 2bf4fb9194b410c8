/**
 * What the suite is to reach in parts 4 and 2.
 *
 * @module
 */

import { median } from "../metrics/descriptive_statistics.ts";
import { formatCount } from "../report/analysis/format_numbers.ts";
import { rate } from "../report/analysis/paired_timings.ts";
import type {
  BenchResults,
  CaseName,
  PairedTiming,
  Timing,
} from "../report/record/bench_results.ts";
import { ALEXNET, DATA, FASTER_RCNN_ADAPTED, VGG16 } from "../study.ts";
import {
  type Found,
  leastSpeedUp,
  measuredValue,
  missingPeers,
  pairedTimingOf,
  pairsNote,
  percentOf,
  secondsAtLimit,
  speedUp,
  type Target,
} from "./findings.ts";
import { joinNotes } from "./pairs.ts";
import {
  CHANNELS_LAST_LABEL,
  DEFAULT_LABEL,
  FEATURES_ONCE_LABEL,
  SINGLE_CALLS,
} from "./transfer_plans.ts";
import { TRANSFER_BATCH } from "./transfer_work.ts";
import { PART4_PLANS, withPaceChange } from "./whole_part4.ts";

/** The whole of part 4, to which measured rates are extended. */
const PART4 = { ...DATA, epochs: VGG16.training.epochs } as const;

/** Training steps of the whole of part 4. */
const STEPS = Math.ceil(PART4.trainImages / TRANSFER_BATCH) * PART4.epochs;

/** The rows of parts 4 and 2. */
export const TRANSFER_TARGETS: readonly Target[] = [
  ...featureTargets("vgg16", VGG16.title),
  {
    cases: ["vgg16-bf16"],
    what: "the same, ours in bf16 / PyTorch default",
    target: "≥ 3",
    find: (results) => speedUp(results, "vgg16-bf16", DEFAULT_LABEL),
    met: (value) => value >= 3,
  },
  ...featureTargets("alexnet", ALEXNET.title),
  classifierTarget("alexnet-classifier", ALEXNET.title),
  classifierTarget("vgg16-classifier", VGG16.title),
  wholeTarget(
    { whole: "part4-alexnet", features: "alexnet", step: "alexnet-classifier" },
    ALEXNET.title,
    8,
  ),
  measuredTarget({ whole: "part4-alexnet", step: "alexnet-classifier" }, ALEXNET.title, 8),
  wholeTarget(
    { whole: "part4-vgg16", features: "vgg16-bf16", step: "vgg16-classifier" },
    `${VGG16.title}, features in bf16 without skipping black areas`,
    15,
  ),
  measuredTarget({ whole: "part4-vgg16", step: "vgg16-classifier" }, VGG16.title, 15),
  {
    cases: ["detector"],
    what: `${FASTER_RCNN_ADAPTED.title}, one image of 224×224, fp32: ours / torchvision`,
    target: "≥ 1.5",
    find: (results) => speedUp(results, "detector"),
    met: (value) => value >= 1.5,
  },
  {
    cases: ["detector-bf16"],
    what: "the same, ours with a bf16 backbone / torchvision in fp32",
    target: "≥ 2.5",
    find: (results) => speedUp(results, "detector-bf16"),
    met: (value) => value >= 2.5,
  },
  {
    cases: ["detector-batch"],
    what: `${FASTER_RCNN_ADAPTED.title}, the study's batch of ${TRANSFER_BATCH} images, fp32: ` +
      "ours / torchvision",
    target: "≥ 2.5",
    find: detectorBatchSpeedUp,
    met: (value) => value >= 2.5,
  },
  {
    cases: ["mapping"],
    what: "mapping and metrics over 10,000 images",
    target: "< 0.5 s",
    find: (results) => measuredValue(results, "mapping", "s"),
    met: (value) => value < 0.5,
  },
];

/** Beside PyTorch's one call of all images, with what ours gains least on: smaller calls are faster. */
function detectorBatchSpeedUp(results: BenchResults): Found | undefined {
  const found = speedUp(results, "detector-batch");
  if (found === undefined) return undefined;
  const least = leastSpeedUp(results, "detector-batch");
  let besides: string | undefined;
  if (least === undefined) {
    besides = `no timings of ${missingPeers(results, "detector-batch").join("; ")}`;
  } else if (least.value < found.value) {
    besides = `${least.text} beside ${least.note}`;
  }
  const singleCalls = singleCallsNote(results, least?.value ?? found.value);
  return { ...found, note: joinNotes(found.note, besides, singleCalls) };
}

/** Of calls of one image, by that case, where a batch was not timed in such and ours would gain less. */
function singleCallsNote(results: BenchResults, least: number): string | undefined {
  const batch = pairedTimingOf(results, "detector-batch");
  const inSingles = pairedTimingOf(results, "detector-batch", SINGLE_CALLS.label);
  const single = pairedTimingOf(results, "detector");
  if (!batch || !single?.theirs.timings.length || inSingles?.theirs.timings.length) {
    return undefined;
  }
  const seconds = TRANSFER_BATCH * unitSeconds(single.theirs.timings);
  const times = seconds / unitSeconds(batch.ours.timings);
  return times >= least
    ? undefined
    : `${TRANSFER_BATCH} calls of one image, not timed here, would take PyTorch ` +
      `${seconds.toFixed(1)} s by the row of one image, and the ratio would be ${times.toFixed(2)}`;
}

function featureTargets(name: CaseName, model: string): Target[] {
  return [
    {
      cases: [name],
      what: `${model} features, batch ${TRANSFER_BATCH}, fp32: ours / PyTorch default`,
      target: "≥ 1.4",
      find: (results) => speedUp(results, name, DEFAULT_LABEL),
      met: (value) => value >= 1.4,
    },
    {
      cases: [name],
      what: "the same: ours / PyTorch channels_last",
      target: "≥ 1.0",
      find: (results) => speedUp(results, name, CHANNELS_LAST_LABEL),
      met: (value) => value >= 1,
    },
  ];
}

function classifierTarget(name: CaseName, model: string): Target {
  return {
    cases: [name],
    what: `${model} classifier step, batch ${TRANSFER_BATCH}, fp32: ours / PyTorch default`,
    target: "≥ 2.5",
    find: (results) => speedUp(results, name, DEFAULT_LABEL),
    met: (value) => value >= 2.5,
  };
}

interface WholeCases {
  /** The case in which all of it is run. */
  whole: CaseName;
  features: CaseName;
  step: CaseName;
}

function wholeTarget(names: WholeCases, model: string, factor: number): Target {
  return {
    cases: [names.features, names.step],
    what: `part 4 as a whole with ${model}, estimated: ours / the study's procedure in PyTorch`,
    target: `≥ ${factor}`,
    find: (results) => wholeSpeedUp(results, names),
    met: (value) => value >= factor,
  };
}

/** Part 4 at full size as it was run, all of it or some. */
function measuredTarget(
  { whole, step }: { whole: keyof typeof PART4_PLANS; step: CaseName },
  model: string,
  factor: number,
): Target {
  return {
    cases: [whole],
    what: `part 4 as a whole with ${model}, ${
      PART4_PLANS[whole].images === "all" ? "measured" : "extrapolated from runs on few images"
    }: ours / the study's procedure in PyTorch`,
    target: `≥ ${factor}`,
    find: (results) => {
      const found = speedUp(results, whole);
      return found && { ...found, note: withPaceChange(found.note ?? "") };
    },
    met: (value) => value >= factor,
    heldBack: (results) => {
      const { ours } = pairedTimingOf(results, whole) ?? {};
      const training = pairedTimingOf(results, step, DEFAULT_LABEL);
      const found = speedUp(results, step, DEFAULT_LABEL);
      if (!ours?.timings.length || training === undefined || found === undefined) return undefined;
      const steps = STEPS * unitSeconds(training.ours.timings);
      const all = PART4.trainImages * unitSeconds(ours.timings);
      const times = found.value.toFixed(2);
      return `${
        formatCount(STEPS)
      } steps of the classifier, each ${times} times as fast as PyTorch's, are about ` +
        `${percentOf(steps, all)} of our time`;
    },
  };
}

/**
 * Part 4 at full size, computed from measured rates. Ours: each training image's features once, the
 * epochs' steps, and the test images' features. The study's: each training image's features and the
 * steps in every epoch, and the test images' features. The classifier's forward pass over the test
 * images is left out of both, and so are the study's images, decoded again in every epoch, and what we
 * save where images are black.
 */
export function wholeSpeedUp(
  results: BenchResults,
  { whole, features, step }: WholeCases,
): Found | undefined {
  const extraction = pairedTimingOf(results, features, DEFAULT_LABEL);
  const training = pairedTimingOf(results, step, DEFAULT_LABEL);
  if (!extraction?.theirs.timings.length || !training?.theirs.timings.length) return undefined;
  const seconds = (passes: number, secondsOf: (timing: PairedTiming) => number): number => {
    const images = passes * PART4.trainImages + PART4.testImages;
    return images / TRANSFER_BATCH * secondsOf(extraction) + STEPS * secondsOf(training);
  };
  const ours = seconds(1, ({ ours }) => unitSeconds(ours.timings));
  const theirs = seconds(PART4.epochs, ({ theirs }) => unitSeconds(theirs.timings));
  const once = seconds(1, ({ theirs }) => unitSeconds(theirs.timings));
  const least = seconds(1, (timing) => secondsAtLimit(results, timing) ?? NaN);
  const count = Math.min(extraction.ours.timings.length, training.ours.timings.length);
  const hours = (value: number) => `${(value / 3600).toFixed(2)} h`;
  const note = `estimated from the rates in the table below for ${PART4.trainImages} images and ` +
    `${PART4.epochs} epochs: ${hours(ours)} / ${hours(theirs)}`;
  const isRun = results.comparisons.some(({ case: name, theirs }) =>
    name === whole && theirs.label === FEATURES_ONCE_LABEL && theirs.timings.length > 0
  );
  const besideOnce = `would be ${
    (once / ours).toFixed(2)
  } if PyTorch also computed features only once`;
  return {
    value: theirs / ours,
    text: (theirs / ours).toFixed(2),
    atLimit: Number.isNaN(least) ? undefined : theirs / least,
    note: joinNotes(note, isRun ? undefined : besideOnce, pairsNote(count)),
  };
}

function unitSeconds(timings: readonly Timing[]): number {
  return 1 / median(timings.map(rate));
}
