import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { scorePredictions } from "../../../report/analysis/test_scores.ts";
import { describeChance } from "../../../report/page/section_statistics.ts";
import { compareRuns, detector } from "../compared_runs.ts";

Deno.test("the report calls no part of the predictions all of them", () => {
  const nine = (rest: number) => ({
    ...detector,
    images: 10_000,
    answer: (_: number, index: number) => index < rest ? 8 : 9,
  });
  return compareRuns({ a: [nine(3)] }, async (_, report) => {
    assertStringIncludes(report, "| 9 (99.97 %) |");
    assertStringIncludes(report, " 99.97 % of its predictions are 9.\n");
    assert(!report.includes("100.0 %"));
    await compareRuns({ a: [nine(0)] }, (_, all) => {
      assertStringIncludes(all, "| 9 (100.0 %) |");
      assertStringIncludes(all, " 100.0 % of its predictions are 9.\n");
    });
  });
});

Deno.test("what guessing reaches on few images is not called no better than guessing", () => {
  const one = (images: number) => {
    const targets = Array.from({ length: images }, (_, i) => i % 10);
    const answers = { predictions: targets.map(() => 1), scores: targets.map(() => 0.9) };
    return describeChance(scorePredictions({ targets, ...answers }));
  };
  assertEquals(one(10), "too few images to tell");
  assertEquals(one(1000), "**no better than guessing**");
});
