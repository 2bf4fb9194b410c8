import { assertEquals, assertStringIncludes } from "@std/assert";
import { alexnet, compareRuns, detector, simple, vgg16, wrongOneIn } from "../compared_runs.ts";

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
    assertStringIncludes(report, `**SimpleCNN** ${notes} is the most accurate: `);
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
