import { assertEquals, assertStringIncludes } from "@std/assert";
import { nameTest, testRivals } from "../../../report/analysis/rivals.ts";
import type { ShownModel } from "../../../report/analysis/rankings.ts";
import { alexnet, compareRuns, detector, simple, vgg16, wrongOneIn } from "../compared_runs.ts";
import type { Answered } from "../result_rows.ts";

/** Two seeds of SimpleCNN, the newest of which is the worse. */
const falling: readonly Answered[] = [
  { ...simple, answer: wrongOneIn(1001), row: { run_id: "good", seed: 1 } },
  { ...simple, answer: wrongOneIn(20), row: { run_id: "bad", seed: 2 } },
];

Deno.test("a test of two runs that point the other way than the means decides nothing", async () => {
  // 99.9 and 95 % are a mean of 97.45 %, above 97 %; McNemar's compares 95 with 97 %.
  const other = { ...vgg16, answer: wrongOneIn(33) };
  await compareRuns({ a: [...falling, other, detector] }, ({ models, pairs, claims }, report) => {
    const shown = models.filter(({ row }) => row !== null) as ShownModel[];
    const [ours, ...others] = shown;
    const [head, tuned] = testRivals(ours!, others, pairs);
    assertEquals(
      pairs.some(({ p, models }) => p < 0.05 && models.includes("vgg16_FineTuned")),
      true,
    );
    assertEquals([tuned!.behind > 0, tuned!.tested < 0, tuned!.p], [true, true, NaN]);
    assertEquals([head!.behind > 0, head!.tested > 0, head!.p < 0.001], [true, true, true]);
    assertEquals(claims[0]!.verdict, "undecided");
    const told = "McNemar's test of one run each, vgg16_FineTuned 1.90 points ahead in these runs";
    assertEquals(nameTest(tuned!), told);
    assertStringIncludes(
      claims[0]!.because,
      `${told}, contrary to the means, so it decides nothing.`,
    );
    assertStringIncludes(
      report,
      `percentage points behind, perhaps chance (${told}, contrary to the means, so it decides nothing)`,
    );
  });
});

Deno.test("the difference that was tested is named where it is not that of the means", async () => {
  const worse = { ...alexnet, answer: wrongOneIn(8) };
  await compareRuns({ a: [...falling, worse] }, (_, report) => {
    assertStringIncludes(
      report,
      "more than chance (McNemar's test of one run each, alexnet_FineTuned 7.50 points behind in these runs, " +
        "p < 0.001)",
    );
  });
  await compareRuns({ a: [falling[0]!, worse] }, (_, report) => {
    assertStringIncludes(report, "more than chance (McNemar's test of one run each, p < 0.001)");
  });
});
