import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { meanAndSd } from "../../../metrics/descriptive_statistics.ts";
import { comparePeers } from "../../../report/analysis/equivalence.ts";
import { aggregateSeeds } from "../../../report/analysis/seed_aggregates.ts";
import {
  differenceInterval,
  equivalenceTest,
  meanDifference,
  welchTest,
} from "../../../report/analysis/statistics.ts";
// Made by tests/reference/report_statistics.py.
import golden from "../../fixtures/report_statistics.json" with { type: "json" };
import { PEER } from "../peers.ts";
import { resultRow } from "../result_rows.ts";

Deno.test("welchTest(), equivalenceTest() and differenceInterval() equal scipy's and statsmodels'", () => {
  for (const { first, second, margin, welch, equivalence, low90, high90 } of golden.equivalence) {
    const means = meanDifference(meanAndSd(first), meanAndSd(second));
    assert(means !== null);
    const close = (actual: number, expected: number) =>
      assertAlmostEquals(actual, expected, 1e-6 * Math.max(1e-3, Math.abs(expected)));
    close(welchTest(means), welch);
    close(equivalenceTest(means, margin), equivalence);
    const { low, high } = differenceInterval(means, 0.9);
    close(low, low90);
    close(high, high90);
  }
});

Deno.test("meanDifference() wants two values on either side, and needs no spread", () => {
  const [one, two] = [meanAndSd([1]), meanAndSd([3, 3])];
  assertEquals(meanDifference(one, two), null);
  assertEquals(meanDifference(two, one), null);
  const means = meanDifference(two, meanAndSd([3.5, 3.5]))!;
  assertEquals([welchTest(means), equivalenceTest(means, 1), equivalenceTest(means, 0.5)], [
    0,
    0,
    1,
  ]);
});

/** Ours with these accuracies against PyTorch's with those. */
function compare(ours: readonly number[], theirs: readonly number[]) {
  const rows = ours.map((accuracy, i) =>
    resultRow({ run_id: `r${i}`, seed: i, accuracy, weights: "" })
  );
  const peers = theirs.map((accuracy, seed) => ({ ...PEER, accuracy, seed }));
  return comparePeers(aggregateSeeds(rows), peers);
}

Deno.test("comparePeers() says equivalent, different or undecided, and when it can't", () => {
  const verdict = (...sides: [number[], number[]]) => compare(...sides).comparisons[0]!.verdict;
  assertEquals(verdict([99.2, 99.22, 99.25], [99.21, 99.24]), "equivalent");
  assertEquals(verdict([99.2, 99.22, 99.25], [98.2, 98.24]), "different");
  assertEquals(verdict([99.2, 99.9, 98.5], [99.21, 98.9]), "undecided");
  assertEquals(verdict([99.2], [99.21, 99.24]), "not tested");
});

Deno.test("comparePeers() calls a sure difference within the margin equivalent", () => {
  const [found] = compare([99.2, 99.2001, 99.2002], [99.21, 99.2101, 99.2102]).comparisons;
  assertEquals(found!.verdict, "equivalent");
  assert(found!.interval!.high < 0);
});

Deno.test("comparePeers() names PyTorch's runs without one of ours", () => {
  const rows = [resultRow({ weights: "" })];
  const other = { ...PEER, epochs: 3 };
  const { comparisons, alone } = comparePeers(aggregateSeeds(rows), [PEER, other]);
  assertEquals([comparisons.length, comparisons[0]!.theirs.accuracy.n], [1, 1]);
  assertEquals(alone, [other]);
});
