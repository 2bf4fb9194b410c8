import { assert, assertStringIncludes } from "@std/assert";
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
