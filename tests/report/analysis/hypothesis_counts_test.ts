import { assertEquals, assertStringIncludes } from "@std/assert";
import { countTests } from "../../../report/analysis/hypothesis_counts.ts";
import { alexnet, compareRuns, detector, simple, vgg16, wrongOneIn } from "../compared_runs.ts";
import type { Answered } from "../result_rows.ts";

/** Three seeds of a run. */
function seeds(run: Answered, name: string, changes: Answered["row"] = {}): Answered[] {
  return [1, 2, 3].map((seed) => ({
    ...run,
    answer: wrongOneIn(20 + 7 * seed + name.length),
    row: { ...run.row, run_id: `${name}-${seed}`, seed, ...changes },
  }));
}

Deno.test("countTests() counts every family of tests, and the report says the same", async () => {
  const whole = { ...simple, images: 10_000 };
  const runs = [
    ...seeds(whole, "a"),
    ...seeds(whole, "bb", { batch_size: 64 }),
    ...seeds(whole, "ccc", { batch_size: 32 }),
    ...seeds({ ...vgg16, images: 10_000 }, "dddd"),
    { ...alexnet, images: 10_000 },
    { ...detector, images: 10_000 },
  ];
  await compareRuns({ a: runs }, (comparison, report) => {
    assertEquals(countTests(comparison), {
      // Of SimpleCNN and VGG16 accuracy and F1, of AlexNet the same by one seed.
      published: 6,
      pairs: 6,
      behindBest: [3],
      claims: 3,
      settings: [2],
      equivalences: 0,
      guessing: 4,
      expected: 2,
    });
    for (
      const line of [
        "6 published values are judged, each by a ",
        "6 pairs of models are compared by McNemar's test, with Holm's correction for their number.",
        "3 models are tested against the best one on the same images, by Welch's or McNemar's test, " +
        "with Holm's correction for the number of models.",
        "3 models are tested in the same way against SimpleCNN for the claim that it is the most accurate, ",
        "2 settings are tested against the best one by Welch's test, with Holm's correction for the " +
        "number of settings.",
        "4 models are compared with guessing, seed by seed, by uncorrected 95 % bounds, which decide " +
        "what is called no better than guessing, and the claim on the untrained detector.",
        "2 published accuracies are compared with the uncorrected 95 % interval in which one more run is ",
      ]
    ) assertStringIncludes(report, `\n- ${line}`);
  });
});

Deno.test("countTests() has a family for each set of images and architecture, and none of what was not tested", async () => {
  const few = { ...vgg16, images: 100 };
  const runs = [...seeds(simple, "a"), alexnet, few, {
    ...few,
    row: { ...few.row, model: "Other" },
  }];
  await compareRuns({ a: runs }, (comparison, report) => {
    const { behindBest, claims, settings, expected } = countTests(comparison);
    assertEquals([behindBest, claims, settings, expected], [[1, 1], 1, [], 0]);
    assertStringIncludes(report, "correction for the number of models for each set of images.");
    assertEquals(report.includes("settings are tested"), false);
  });
});
