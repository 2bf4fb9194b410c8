import { assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  accuracyOfAll,
  aggregateSeeds,
  isWhole,
} from "../../../report/analysis/seed_aggregates.ts";
import { alexnet, compareRuns, detector, simple, vgg16, wrongOneIn } from "../compared_runs.ts";
import { type Answered, resultRow } from "../result_rows.ts";

const seeds = [
  resultRow({ seed: 1, accuracy: 90, evaluated_images: 5000 }),
  resultRow({ seed: 2, accuracy: 50, evaluated_images: 10_000 }),
];

Deno.test("aggregateSeeds() takes the accuracy of all images seed by seed", () => {
  for (const rows of [seeds, seeds.toReversed()]) {
    const [setting] = aggregateSeeds(rows);
    assertEquals([setting!.accuracy.mean, setting!.accuracyOfAll.mean], [70, 47.5]);
    assertAlmostEquals(setting!.accuracyOfAll.sd, 5 / Math.sqrt(2), 1e-12);
    assertEquals(isWhole(setting!), false);
  }
  assertEquals(isWhole(aggregateSeeds(seeds.slice(1))[0]!), true);
});

Deno.test("accuracyOfAll() leaves the accuracy of a trained detector, which is of all images", () => {
  const row = { part: 2, accuracy: 90, evaluated_images: 5000 };
  assertEquals(accuracyOfAll(resultRow({ ...row, epochs: null })), 45);
  assertEquals(accuracyOfAll(resultRow(row)), 90);
});

/** A detector that is right wherever it finds a digit: with one seed everywhere, with others not. */
const found = [0, 2, 10].map((n, i): Answered => ({
  ...detector,
  answer: (target, index) => n > 0 && index % n === 0 ? -1 : target,
  row: { ...detector.row, run_id: `detector-${i}`, seed: i },
}));

const tuned = [50, 40].map((n, i): Answered => ({
  ...vgg16,
  answer: wrongOneIn(n),
  row: { ...vgg16.row, run_id: `vgg-${i}`, seed: i },
}));

Deno.test("the report ranks and tests by all images of every seed, whichever is the newest", async () => {
  for (const runs of [found, found.toReversed()]) {
    const all = [...runs, ...tuned, alexnet, { ...simple, answer: wrongOneIn(5) }];
    await compareRuns({ a: all }, ({ rankings, claims }, report) => {
      // 100, 50 and 90 %: a mean of 80.00 %, as that of SimpleCNN's one seed.
      assertEquals(rankings[0]!.models.slice(0, 2), ["alexnet_FineTuned", "vgg16_FineTuned"]);
      assertStringIncludes(
        report,
        "\n  - FasterRCNN_Adapted is correct on 80.00 ± 26.46 % of all images over 3 seeds, 18.00 ",
      );
      assertEquals(claims[0]!.verdict, "contradicted");
    });
  }
});

Deno.test("the best model is compared with a detector over the seeds, misses among them", async () => {
  await compareRuns({ a: [...found, ...tuned] }, (_comparison, report) => {
    assertMatch(
      report,
      /^ {2}- FasterRCNN_Adapted is correct on .*Welch's test over 2 and 3 seeds/m,
    );
  });
});
