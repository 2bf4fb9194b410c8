/**
 * The study's three claims, and what our runs say to each.
 *
 * @module
 */

import { ALEXNET, CLAIMS, DATA, FASTER_RCNN_ADAPTED, SIMPLE_CNN, VGG16 } from "../../study.ts";
import type { Claim, ModelComparison, PairTest } from "./comparison.ts";
import { isTimedAlike, TIMED_ON } from "./describe_machine.ts";
import {
  EMBEDDED_DIGITS,
  kindsOfDifference,
  NEW_CLASSIFIER,
  OTHER_PRECISION,
} from "./differences_from_study.ts";
import {
  formatFixed,
  formatMeanAndSd,
  formatP,
  SIGNIFICANT,
  tellingDigits,
} from "./format_numbers.ts";
import { type AgainstGuessing, againstGuessing, foundNothing, highestGuess } from "./guessing.ts";
import { meanAccuracyOfAll, type ShownModel, testSetKey } from "./rankings.ts";
import { nameTest, NOT_OF_MEANS, type RivalTest, testRivals } from "./rivals.ts";

/** Differences in accuracy below this many percentage points are called close. */
const CLOSE = 0.5;
/** A training time this many times as long is called far more. */
const FAR_MORE = 2;

/**
 * Differences from the study that leave a claim testable: less data, but of the same kind, a new
 * classifier on pretrained convolutions, as the claims are about what these are worth, and another
 * precision.
 */
const HARMLESS: ReadonlySet<string> = new Set([
  "other data",
  "subset",
  NEW_CLASSIFIER,
  OTHER_PRECISION,
]);
const DIGITS: ReadonlySet<string> = new Set([DATA.name, EMBEDDED_DIGITS]);

const SIMPLE = SIMPLE_CNN.name;
const FINE_TUNED = [VGG16.name, ALEXNET.name] as const;
const DETECTOR = FASTER_RCNN_ADAPTED.name;

/** What is found of a claim. */
type Outcome = Omit<Claim, "claim">;
/** The same before the caveats of the models that it is found on; without tests unless it says so. */
type Judgement = Omit<Outcome, "caveats" | "tests"> & Partial<Pick<Outcome, "tests">>;

/**
 * Tests the study's claims, as its results imply them, on the settings shown.
 *
 * A run counts if it was made in the study's setting, but for the data, which may be fewer digits, as
 * many for each model, and but for the classifier of a network with pretrained convolutions, which may
 * be new, and for the precision. Accuracies are means over the seeds. A difference is one if Welch's test over the seeds, or
 * McNemar's between the runs shown where a side has one seed, and these point the way of the means, has
 * p < 0.05 after Holm's correction for the number of rivals.
 */
export function testClaims(
  models: readonly ModelComparison[],
  pairs: readonly PairTest[],
): Claim[] {
  return [
    { claim: CLAIMS.mostAccurate, ...mostAccurate(models, pairs) },
    {
      claim: CLAIMS.closeButSlow,
      ...withModels(models, [SIMPLE, ...FINE_TUNED], closeButSlow),
    },
    {
      claim: CLAIMS.noClassifier,
      ...withModels(models, [DETECTOR], ([detector]) => isGuessing(detector!)),
    },
  ];
}

/** Judges with all the models that it takes, or says why they are not there. */
function withModels(
  models: readonly ModelComparison[],
  names: readonly string[],
  decide: (found: readonly ShownModel[]) => Judgement,
): Outcome {
  const { usable, reasons } = findUsable(models, names);
  return reasons.length > 0 ? notTested(reasons) : withSetting(decide(usable), usable);
}

function notTested(reasons: readonly string[]): Outcome {
  return { verdict: "not tested", because: `${reasons.join("; ")}.`, caveats: [], tests: 0 };
}

/**
 * The models that a claim can be tested on, the first of them deciding the test images, and the first
 * that was trained the number of images to train on.
 */
function findUsable(
  models: readonly ModelComparison[],
  names: readonly string[],
): { usable: ShownModel[]; reasons: string[] } {
  const usable: ShownModel[] = [];
  const reasons: string[] = [];
  for (const name of names) {
    const found = models.find(({ model }) => model === name);
    const unusable = whyUnusable(found);
    const why = unusable === undefined
      ? whyUnlike(found as ShownModel, usable)
      : `${name} ${unusable}`;
    if (why === undefined) usable.push(found as ShownModel);
    else reasons.push(why);
  }
  return { usable, reasons };
}

/** Why a model can't be compared with those that are usable. */
function whyUnlike({ model, row }: ShownModel, usable: readonly ShownModel[]): string | undefined {
  const [first] = usable;
  if (first !== undefined && testSetKey(row) !== testSetKey(first.row)) {
    return `${first.model} and ${model} were tested on different images`;
  }
  const trained = usable.find((one) => one.row.train_images !== null);
  if (trained === undefined || row.train_images === null) return;
  if (row.train_images !== trained.row.train_images) {
    return `${trained.model} and ${model} were trained on different numbers of images`;
  }
}

/** Adds what the reader must know of the runs that decide where they have not the study's setting. */
function withSetting(
  { verdict, because, tests = 0 }: Judgement,
  usable: readonly ShownModel[],
): Outcome {
  const different = [...new Set(usable.flatMap(({ differences }) => differences))];
  const setting = different.length > 0
    ? ` Not in the study's setting: ${different.join("; ")}.`
    : "";
  const caveats = Map.groupBy(
    usable.flatMap(({ model, caveats }) => caveats.map((caveat) => ({ model, caveat }))),
    ({ caveat }) => caveat,
  );
  return {
    verdict,
    because: because + setting,
    caveats: [...caveats].map(([caveat, ofModels]) =>
      `${ofModels.map(({ model }) => model).join(" and ")}: ${caveat}`
    ),
    tests,
  };
}

function whyUnusable(model: ModelComparison | undefined): string | undefined {
  const row = model?.row;
  if (!model?.published || !row) return "has not been run";
  if (row.status !== "ok") return "has no successful run";
  if (!Number.isFinite(row.accuracy ?? NaN)) return "has no accuracy on record";
  if (!DIGITS.has(row.dataset)) return `was run on ${row.dataset || "unknown data"}, not on MNIST`;
  const kinds = kindsOfDifference(row).filter((kind) => !HARMLESS.has(kind));
  if (kinds.length > 0) return `was run with ${kinds.join(" and ")}`;
}

/** One better rival contradicts the claim; to support it takes all of them. */
function mostAccurate(
  models: readonly ModelComparison[],
  pairs: readonly PairTest[],
): Outcome {
  const { usable, reasons } = findUsable(models, [SIMPLE, DETECTOR, ...FINE_TUNED]);
  const [simple, ...others] = usable;
  if (simple?.model !== SIMPLE || others.length === 0) return notTested(reasons);
  const rivals = testRivals(simple, others, pairs);
  const isSure = ({ p }: RivalTest) => p < SIGNIFICANT;
  const closest = rivals.reduce((a, b) => b.behind < a.behind ? b : a);
  const beating = rivals.filter((rival) => rival.behind < 0 && isSure(rival));
  const open = rivals.filter((rival) => !(rival.behind > 0 && isSure(rival)));
  const support = reasons.length > 0 ? "supported in part" : "supported";
  const verdict = beating.length > 0 ? "contradicted" : open.length === 0 ? support : "undecided";
  const deciding = beating.length > 0 ? beating : open;
  const because = `${SIMPLE} is correct on ${describeAccuracy(simple)}, the best other, ` +
    `${closest.rival.model}, on ${describeAccuracy(closest.rival)}; ${describeTest(closest)}.` +
    (deciding.length === 0 || deciding.includes(closest) ? "" : describeDeciding(deciding[0]!)) +
    (reasons.length > 0 ? ` Left out: ${reasons.join("; ")}.` : "");
  const tests = rivals.filter(({ test }) => test !== "").length;
  return withSetting({ verdict, because, tests }, usable);
}

function describeTest(rival: RivalTest): string {
  const { test, p } = rival;
  if (test === "") return "without predictions there is no test";
  const named = nameTest(rival);
  return Number.isNaN(p)
    ? `${named}, ${NOT_OF_MEANS}`
    : `${named}${named === test ? "" : ","} with Holm's correction: ${formatP(p)}`;
}

/** A rival on whom the verdict rests, although another is more accurate. */
function describeDeciding(rival: RivalTest): string {
  const role = rival.behind < 0 ? "is ahead by more than chance" : "is not shown to be behind";
  return ` ${rival.rival.model}, on ${describeAccuracy(rival.rival)}, ${role}: ${
    describeTest(rival)
  }.`;
}

/** `99.18 ± 0.07 % (5 seeds)`, images without a detection counted as wrong. */
function describeAccuracy(model: ShownModel): string {
  const ofAll = model.settings[0]?.accuracyOfAll;
  return ofAll !== undefined && ofAll.n > 1
    ? `${formatMeanAndSd(ofAll, 2)} % (${ofAll.n} seeds)`
    : `${formatFixed(meanAccuracyOfAll(model), 2)} %`;
}

function closeButSlow([simple, ...tuned]: readonly ShownModel[]): Judgement {
  const facts = tuned.map((network) => {
    const { model } = network;
    const behind = meanAccuracyOfAll(simple!) - meanAccuracyOfAll(network);
    const [ours, theirs] = [network, simple!].map(({ settings }) =>
      settings[0]?.trainingTime.mean ?? NaN
    );
    const isTimed = isTimedAlike(network, simple!);
    return { model, behind, times: isTimed ? ours! / theirs! : NaN };
  });
  const untimed = facts.find(({ times }) => !(times > 0 && Number.isFinite(times)));
  if (untimed !== undefined) {
    const because = `${untimed.model} and ${simple!.model} were not timed on ${TIMED_ON}.`;
    return { verdict: "not tested", because };
  }
  const isClose = (behind: number) => behind <= CLOSE;
  const isFarMore = (times: number) => times >= FAR_MORE;
  const holds = facts.every(({ behind, times }) => isClose(behind) && isFarMore(times));
  const numbers = facts.map(({ model, behind, times }) => {
    const points = formatFixed(Math.abs(behind), tellingDigits(behind, 2, isClose));
    return `${model} is ${points} points ${behind < 0 ? "ahead" : "behind"} and trains ` +
      `${formatFixed(times, tellingDigits(times, 1, isFarMore))} times as long`;
  });
  return {
    verdict: holds ? "supported" : "contradicted",
    because: `${numbers.join("; ")} (“close” is at most ${CLOSE} points behind, “far longer” at ` +
      `least ${FAR_MORE} times as long).`,
  };
}

/** With every seed that has enough images to tell, or with none; where these disagree it is open. */
function isGuessing({ model, guessing, settings: [setting] }: ShownModel): Judgement {
  if (guessing.length === 0) {
    return { verdict: "not tested", because: "Its predictions are missing." };
  }
  if (guessing.every(foundNothing)) {
    return { verdict: "undecided", because: `${model} found no digit in any image.` };
  }
  const { accuracy } = setting!;
  const found = guessing.map(againstGuessing);
  const told = found.filter((word) => word !== "too few images");
  const within = told.filter((word) => word !== "better").length;
  const canTell = guessing.some((seed, i) => !foundNothing(seed) && found[i] !== "too few images");
  const areAll = (word: AgainstGuessing) => canTell && told.every((one) => one === word);
  const ofAll = told.length < found.length
    ? ` that have enough images to tell, of ${found.length}`
    : "";
  const because = `${model} is correct on ${formatMeanAndSd(accuracy, 2)} % of the images ` +
    `with a detection${accuracy.n > 1 ? ` (${accuracy.n} seeds)` : ""}; guessing reaches up to ` +
    `${formatFixed(highestGuess(guessing), 2)} %` +
    (found.length > 1 && told.length > 0
      ? `, and it is no better in ${within} of ${told.length} seeds${ofAll}.`
      : ".") +
    (canTell ? "" : " On so few images that is no evidence.");
  const verdict = areAll("no better")
    ? "supported"
    : areAll("better")
    ? "contradicted"
    : "undecided";
  return { verdict, because };
}
