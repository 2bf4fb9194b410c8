import { assertEquals, assertStringIncludes } from "@std/assert";
import { alexnet, compareRuns, simple, vgg16 } from "../compared_runs.ts";

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
