/**
 * Whether models do better than someone who does not look at the images.
 *
 * @module
 */

import type { ResultRow } from "../record/result_row.ts";
import type { Predictions } from "../record/run_folder.ts";
import type { SeedGuessing, TestScores } from "./comparison.ts";
import { isWhole, type SeedAggregate } from "./seed_aggregates.ts";
import { scoreGuessing } from "./test_scores.ts";

/**
 * Percentage points by which guessing may by chance exceed the share of the most frequent class: where it
 * reaches further, on fewer than about 150 digits, an accuracy that it reaches too is no evidence.
 */
const WIDEST_CHANCE = 5;

/** What an accuracy is beside guessing. */
export type AgainstGuessing = "better" | "no better" | "too few images";

/** Whether no image has a detection: there is no largest class then, and nothing is right. */
export function foundNothing({ largestClass }: Pick<SeedGuessing, "largestClass">): boolean {
  return Number.isNaN(largestClass.share);
}

/** Sets an accuracy beside what guessing gets on the same images. */
export function againstGuessing(
  { accuracy, chanceBand, largestClass }: SeedGuessing,
): AgainstGuessing {
  if (foundNothing({ largestClass })) return "no better";
  if (accuracy > chanceBand.high) return "better";
  return chanceBand.high - largestClass.share <= WIDEST_CHANCE ? "no better" : "too few images";
}

/**
 * What guessing gets on the images that are scored with each seed, that of the run shown first. With one
 * that leaves images out these are its own; else they are the same with all.
 *
 * @param evaluation Of the run shown; without it there is nothing to say.
 * @param others The runs of the other seeds.
 * @param predictions Theirs, read where seeds leave images out; a run without any is left out.
 */
export function guessSeeds(
  { evaluation, setting, others, predictions }: {
    evaluation: TestScores | null;
    setting: SeedAggregate | undefined;
    others: readonly ResultRow[];
    predictions: ReadonlyMap<ResultRow, Predictions | null>;
  },
): SeedGuessing[] {
  if (evaluation === null || setting === undefined) return [];
  const { accuracy, largestClass, chanceBand } = evaluation;
  const shown = { accuracy, largestClass, chanceBand };
  const isSame = isWhole(setting);
  const rest = others.flatMap((row) => {
    if (isSame) return row.accuracy === null ? [] : [{ ...shown, accuracy: row.accuracy }];
    const own = predictions.get(row);
    return own ? [scoreGuessing(own, row)] : [];
  });
  return [shown, ...rest];
}

/**
 * Up to how many percent guessing gets, whichever the seed; one without a detection does not count, and of
 * none but such it is NaN.
 */
export function highestGuess(guessing: readonly SeedGuessing[]): number {
  const highs = guessing.filter((seed) => !foundNothing(seed)).map(({ chanceBand }) =>
    chanceBand.high
  );
  return highs.length === 0 ? NaN : Math.max(...highs);
}
