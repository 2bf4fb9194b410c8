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
import type { Manifest } from "../../../report/record/run_folder.ts";
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

Deno.test("comparePeers() takes a seed for one draw under whatever name its file of weights had", () => {
  const weights = "torchvision:alexnet-owt-7be5be79.pth";
  const row = resultRow({ run_id: "r1", seed: 1, accuracy: 99, weights, weights_sha256: "aa" });
  const peers = [
    { ...PEER, weights: "pretrained", seed: 1, accuracy: 99, finished_at: "2026-01-01" },
    { ...PEER, weights: "mine.pth", weights_sha256: "aa", seed: 1, accuracy: 98.8 },
  ];
  const { comparisons, alone } = comparePeers(aggregateSeeds([row]), peers);
  assertEquals(comparisons.map(({ theirs }) => theirs.accuracy), [meanAndSd([99])]);
  assertEquals(alone, []);
});

Deno.test("comparePeers() shows nothing by equal seeds of so few images that one is a point", () => {
  const of = (images: number) => {
    const rows = [1, 2].map((seed) =>
      resultRow({
        ...{ run_id: `r${seed}`, seed, accuracy: 98, weights: "" },
        ...{ test_images: images, evaluated_images: images },
      })
    );
    const peers = [1, 2].map((seed) => ({ ...PEER, accuracy: 98, seed, test_images: images }));
    return comparePeers(aggregateSeeds(rows), peers).comparisons[0]!;
  };
  const { verdict, p, interval } = of(100);
  assertEquals(verdict, "undecided");
  // 2 degrees of freedom; the standard error is that of one image, 1 / sqrt(12).
  const t = 0.2 * Math.sqrt(12);
  assertAlmostEquals(p, 0.5 - t / (2 * Math.sqrt(2 + t * t)), 1e-6);
  assertAlmostEquals(interval!.high, 2.919985580 / Math.sqrt(12), 1e-6);
  assertEquals(of(10_000).verdict, "equivalent");
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

Deno.test("comparePeers() averages PyTorch's times of one machine, and says which if it is not ours", () => {
  const newer = { processor: "EPYC", processor_model: "family 26", cores: 2 };
  const older = { ...newer, processor_model: "family 25" };
  const row = resultRow({ weights: "" });
  const manifest: Manifest = {
    ...{ run_id: row.run_id, started_at: row.started_at, part: 1, model: row.model },
    ...{ settings: {}, versions: {}, git: null },
    machine: { ...newer, device: "CPU" },
  };
  const manifests = new Map([[row, manifest]]);
  const times = (...peers: Partial<typeof PEER>[]) => {
    const runs = peers.map((peer, seed) => ({ ...PEER, seed, ...peer }));
    const [found] = comparePeers(aggregateSeeds([row], manifests), runs).comparisons;
    const { theirs: { accuracy, trainingTime }, device } = found!;
    return [accuracy.n, trainingTime.n, trainingTime.mean, device];
  };
  const at = (day: number) => `2026-01-0${day}T00:00:00Z`;
  const [slow, fast] = [{ training_time_s: 400 }, { training_time_s: 200 }];
  assertEquals(
    times({ ...fast, machine: newer, finished_at: at(2) }, { ...slow, machine: older }, slow),
    [3, 1, 200, null],
  );
  assertEquals(
    times({ ...fast, machine: newer }, { ...slow, machine: older, finished_at: at(1) }),
    [2, 1, 400, "EPYC (family 25), 2 cores"],
  );
  const onCard = { device_name: "H100", machine: newer };
  assertEquals(times({ ...fast, ...onCard }, { ...slow, ...onCard }), [2, 2, 300, "H100"]);
  assertEquals(times(fast, slow), [2, 2, 300, "a machine that is not named"]);
  const threads = (count: number) => ({ machine: newer, threads: count });
  assertEquals(times({ ...slow, ...threads(1) }, { ...fast, ...threads(2) }), [2, 1, 200, null]);
});
