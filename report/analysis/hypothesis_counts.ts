/**
 * How many tests a report makes, family by family: p-values that are corrected together are one.
 *
 * @module
 */

import type { Comparison } from "./comparison.ts";
import type { ShownModel } from "./rankings.ts";
import { testRivals } from "./rivals.ts";
import { analyseSweeps } from "./sweeps.ts";

/** Tests by what they are about; in a list a number for each family. */
export interface TestCounts {
  /** Published values judged by an interval. */
  published: number;
  /** Pairs of models compared by McNemar's test. */
  pairs: number;
  /** Models tested against the most accurate one on the same images. */
  behindBest: number[];
  /** Models tested against the one that a claim of the study is about. */
  claims: number;
  /** Settings tested against the best one of their architecture. */
  settings: number[];
  /** Models whose equivalence with PyTorch was tested, setting by setting. */
  equivalences: number;
  /** Models set against guessing. */
  guessing: number;
  /** Published accuracies said to be, or not to be, where one more run is expected. */
  expected: number;
}

/** Counts what was computed. */
export function countTests(
  { models, pairs, rankings, claims, judged, peers }: Pick<
    Comparison,
    "models" | "pairs" | "rankings" | "claims" | "judged" | "peers"
  >,
): TestCounts {
  const { contests, distributions } = analyseSweeps(models);
  const byName = new Map(models.map((model) => [model.model, model as ShownModel]));
  const behindBest = rankings.map((ranking) => {
    const [best, ...others] = ranking.models.map((name) => byName.get(name)!);
    return testRivals(best!, others, pairs).filter(({ test }) => test !== "").length;
  });
  const settings = contests.map(({ settings }) =>
    settings.filter(({ p }) => !Number.isNaN(p)).length
  );
  const isAny = (count: number) => count > 0;
  return {
    published: judged.count,
    pairs: pairs.length,
    behindBest: behindBest.filter(isAny),
    claims: claims.reduce((sum, { tests }) => sum + tests, 0),
    settings: settings.filter(isAny),
    equivalences: peers.filter(({ verdict }) => verdict !== "not tested").length,
    guessing:
      models.filter(({ evaluation }) =>
        evaluation !== null && evaluation.undetected < evaluation.images
      ).length,
    expected: distributions.filter(({ published, next }) => published !== null && next !== null)
      .length,
  };
}
