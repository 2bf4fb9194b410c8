import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Claim } from "../../../report/analysis/comparison.ts";
import { alexnet, compareRuns, detector, simple, vgg16, wrongOneIn } from "../compared_runs.ts";
import type { Answered } from "../result_rows.ts";

Deno.test("a claim's numbers are not rounded across what decides it", async () => {
  for (
    const [seconds, written, verdict] of [
      [240, "trains 1.99 times as long", "contradicted"],
      [241, "trains 2.0 times as long", "contradicted"],
      [1205, "trains 10.0 times as long", "contradicted"],
    ] as const
  ) {
    const timed = { ...vgg16, row: { ...vgg16.row, training_time_s: seconds } };
    await compareRuns({ a: [simple, timed, alexnet] }, ({ claims }) => {
      assertStringIncludes(
        claims[1]!.because,
        `vgg16_FineTuned is 1.00 points behind and ${written}`,
      );
      assertEquals(claims[1]!.verdict, verdict);
    });
  }
});

Deno.test("no claim is decided between models trained on different numbers of images", async () => {
  const few = [vgg16, alexnet].map((run) => ({
    ...run,
    answer: wrongOneIn(20),
    row: { ...run.row, train_images: 2000 },
  }));
  await compareRuns({ a: [simple, detector, ...few] }, ({ claims }, report) => {
    const unlike = few.map(({ row }) =>
      `SimpleCNN and ${row.model} were trained on different numbers of images`
    ).join("; ");
    assertEquals(claims[0]!.verdict, "supported in part");
    assertStringIncludes(claims[0]!.because, `Left out: ${unlike}.`);
    assertEquals(claims[1]!.verdict, "not tested");
    assertEquals(claims[1]!.because, `${unlike}.`);
    const notes = "(60,000 / 1,000 images)";
    assertStringIncludes(report, `**SimpleCNN ${notes}** is the most accurate: `);
    assertStringIncludes(report, "  - vgg16_FineTuned (2,000 / 1,000 images) is correct on ");
  });
});

Deno.test("a claim that is decided on less data says how much there was", async () => {
  const few = [simple, vgg16, alexnet].map((run) => ({
    ...run,
    row: { ...run.row, train_images: 2000 },
  }));
  await compareRuns({ a: few }, ({ claims }) => {
    for (const { because } of claims.slice(0, 2)) {
      assertStringIncludes(
        because,
        " Not in the study's setting: training images 2000 instead of 60000; " +
          "test images 1000 instead of 10000.",
      );
    }
  });
});

/** Seeds of the detector, of these answers. */
function seedsOf(answers: readonly Answered["answer"][], images = detector.images): Answered[] {
  return answers.map((answer, i) => ({
    ...detector,
    ...{ images, answer },
    row: { ...detector.row, run_id: `head-${i}`, seed: i },
  }));
}

/** The claim on the untrained detector, and the conclusion's line on guessing. */
async function onGuessing(runs: readonly Answered[]): Promise<{ claim: Claim; line: string }> {
  const found: { claim: Claim; line: string }[] = [];
  await compareRuns({ a: runs }, ({ claims }, report) => {
    const [line = ""] = report.match(/^- .*guessing.*: it is correct on.*$/m) ?? [];
    found.push({ claim: claims[2]!, line });
  });
  return found[0]!;
}

/** Right on so many images in a thousand. */
const rightOn = (n: number): Answered["answer"] => (target, index) =>
  index % 1000 < n ? target : (target + 1) % 10;

Deno.test("whether a detector guesses is decided by all seeds, whichever is the newest", async () => {
  const seeds = seedsOf([124, 98, 102].map(rightOn));
  for (const runs of [seeds, seeds.toReversed()]) {
    const { claim: { verdict, because }, line } = await onGuessing(runs);
    assertEquals(verdict, "undecided");
    const numbers =
      "correct on 10.80 ± 1.40 % of the images with a detection (3 seeds); guessing " +
      "reaches up to 11.90 %, and it is no better in 2 of 3 seeds.";
    assertStringIncludes(because, `FasterRCNN_Adapted is ${numbers}`);
    assertStringIncludes(
      line,
      "- **FasterRCNN_Adapted is no better than guessing** in 2 of 3 seeds: it is correct on " +
        "10.80 ± 1.40 %, where guessing reaches up to 11.90 %. ",
    );
  }
  assertEquals((await onGuessing(seeds.slice(1))).claim.verdict, "supported");
  assertEquals((await onGuessing(seeds.slice(0, 1))).claim.verdict, "contradicted");
});

Deno.test("each seed is set beside guessing on the images that it finds a digit in", async () => {
  // All of the one digit that the second finds is what guessing finds of these.
  const seeds = seedsOf([() => 1, (target) => target === 1 ? 1 : -1]);
  for (const runs of [seeds, seeds.toReversed()]) {
    const { claim: { verdict, because } } = await onGuessing(runs);
    assertEquals(verdict, "supported", because);
    assertStringIncludes(because, "in 2 of 2 seeds.");
  }
});

Deno.test("a seed that finds nothing is no better than guessing, and says nothing of how far that reaches", async () => {
  const { claim: { verdict, because }, line } = await onGuessing(seedsOf([() => -1, rightOn(100)]));
  assertEquals(verdict, "supported", because);
  assertStringIncludes(because, "in 2 of 2 seeds.");
  assertStringIncludes(line, "**FasterRCNN_Adapted is no better than guessing** in 2 of 2 seeds");
  assertStringIncludes(line, "where guessing reaches up to 11.90 %");
});

Deno.test("a detector that finds nothing at all is undecided", async () => {
  const { claim: { verdict, because } } = await onGuessing(seedsOf([() => -1]));
  assertEquals([verdict, because.split(". ")[0]], [
    "undecided",
    "FasterRCNN_Adapted found no digit in any image",
  ]);
});

Deno.test("guessing that reaches far by chance is no evidence", async () => {
  const { claim: { verdict, because }, line } = await onGuessing(seedsOf([() => 1], 10));
  assertEquals(verdict, "undecided");
  assertStringIncludes(
    because,
    "guessing reaches up to 30.00 %. On so few images that is no evidence.",
  );
  assertStringIncludes(
    line,
    "On so few images it cannot be told whether FasterRCNN_Adapted is better",
  );
});
