/**
 * The study's three claims, and what our runs say to each.
 *
 * @module
 */

import { ALEXNET, CLAIMS, DATA, FASTER_RCNN_ADAPTED, SIMPLE_CNN, VGG16 } from "../../study.ts";
import type { ResultRow } from "../record/result_row.ts";
import type { Claim, ModelComparison, PairTest } from "./comparison.ts";
import { EMBEDDED_DIGITS, kindsOfDifference } from "./differences_from_study.ts";
import { formatFixed, formatP } from "./format_numbers.ts";
import { isSameMachine } from "./mismatches.ts";
import { accuracyOfAll, SIGNIFICANT, testSetKey } from "./rankings.ts";

/** Differences in accuracy below this many percentage points are called close. */
const CLOSE = 0.5;
/** A training time this many times as long is called far more. */
const FAR_MORE = 2;

/** Differences from the study that leave a claim testable: less data, but of the same kind. */
const HARMLESS: ReadonlySet<string> = new Set(["other data", "subset"]);
const DIGITS: ReadonlySet<string> = new Set([DATA.name, EMBEDDED_DIGITS]);

const SIMPLE = SIMPLE_CNN.name;
const FINE_TUNED = [VGG16.name, ALEXNET.name] as const;
const DETECTOR = FASTER_RCNN_ADAPTED.name;

type Judgement = Pick<Claim, "verdict" | "because">;
type WithRow = ModelComparison & { row: ResultRow };

/**
 * Tests the study's claims, as its results imply them, on the rows shown.
 *
 * A run counts if it was made in the study's setting, but for the data, which may be fewer digits. A
 * difference in accuracy is one if McNemar's test, after Holm's correction, has p < 0.05.
 */
export function testClaims(
  models: readonly ModelComparison[],
  pairs: readonly PairTest[],
): Claim[] {
  return [
    {
      claim: CLAIMS.mostAccurate,
      ...withModels(models, [SIMPLE, DETECTOR, ...FINE_TUNED], (found) => isBest(found, pairs)),
    },
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
  decide: (found: readonly WithRow[]) => Judgement,
): Judgement {
  const found = names.map((name) => models.find(({ model }) => model === name));
  const reasons = found.map(whyUnusable)
    .flatMap((why, i) => why === undefined ? [] : [`${names[i]} ${why}`]);
  if (reasons.length > 0) return { verdict: "not tested", because: `${reasons.join("; ")}.` };
  const usable = found as WithRow[];
  const [first, ...others] = usable;
  const other = others.find(({ row }) => testSetKey(row) !== testSetKey(first!.row));
  if (other !== undefined) {
    const because = `${first!.model} and ${other.model} were tested on different images.`;
    return { verdict: "not tested", because };
  }
  const { verdict, because } = decide(usable);
  const smaller = usable.some(({ differences }) => differences.length > 0)
    ? ` On ${first!.row.dataset} with ${first!.row.test_images} test images, ` +
      "not in the study's setting."
    : "";
  return { verdict, because: because + smaller };
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

function isBest(found: readonly WithRow[], pairs: readonly PairTest[]): Judgement {
  const [simple, ...others] = found;
  const rival = others.toSorted((a, b) => accuracyOfAll(b.row) - accuracyOfAll(a.row))[0]!;
  const pair = pairs.find(({ models }) =>
    models.includes(simple!.model) && models.includes(rival.model)
  );
  const gap = accuracyOfAll(simple!.row) - accuracyOfAll(rival.row);
  const scores =
    `${simple!.model} is correct on ${formatFixed(accuracyOfAll(simple!.row), 2)} %, ` +
    `the best other, ${rival.model}, on ${formatFixed(accuracyOfAll(rival.row), 2)} %`;
  if (pair === undefined) {
    return { verdict: "undecided", because: `${scores}; without predictions there is no test.` };
  }
  const because = `${scores}; McNemar with Holm's correction: ${formatP(pair.pHolm)}.`;
  if (pair.pHolm >= SIGNIFICANT) return { verdict: "undecided", because };
  return { verdict: gap > 0 ? "supported" : "contradicted", because };
}

function closeButSlow([simple, ...tuned]: readonly WithRow[]): Judgement {
  const facts = tuned.map(({ model, row, manifest }) => {
    const behind = accuracyOfAll(simple!.row) - accuracyOfAll(row);
    const [ours, theirs] = [row.training_time_s, simple!.row.training_time_s];
    const isTimed = isSameMachine(manifest, simple!.manifest) &&
      typeof ours === "number" && typeof theirs === "number";
    return { model, behind, times: isTimed ? ours / theirs : NaN };
  });
  const untimed = facts.find(({ times }) => !(times > 0 && Number.isFinite(times)));
  if (untimed !== undefined) {
    const because = `${untimed.model} and ${simple!.model} were not timed on the same machine.`;
    return { verdict: "not tested", because };
  }
  const holds = facts.every(({ behind, times }) => behind <= CLOSE && times >= FAR_MORE);
  const numbers = facts.map(({ model, behind, times }) =>
    `${model} is ${formatFixed(Math.abs(behind), 2)} points ${behind < 0 ? "ahead" : "behind"} ` +
    `and trains ${formatFixed(times, 1)} times as long`
  );
  return {
    verdict: holds ? "supported" : "contradicted",
    because: `${numbers.join("; ")} (close: at most ${CLOSE} points behind, far longer: at least ` +
      `${FAR_MORE} times as long).`,
  };
}

function isGuessing({ row, evaluation }: WithRow): Judgement {
  if (evaluation === null) {
    return { verdict: "not tested", because: "Its predictions are missing." };
  }
  const { chanceBand, accuracy } = evaluation;
  const because =
    `${row.model} is correct on ${formatFixed(accuracy, 2)} % of the images with a detection; ` +
    `guessing reaches up to ${formatFixed(chanceBand.high, 2)} %.`;
  return { verdict: accuracy <= chanceBand.high ? "supported" : "contradicted", because };
}
