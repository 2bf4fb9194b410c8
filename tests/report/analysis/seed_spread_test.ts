import { assertAlmostEquals, assertEquals } from "@std/assert";
import { meanAndSd } from "../../../metrics/descriptive_statistics.ts";
import { imageStep, seedSpread } from "../../../report/analysis/seed_spread.ts";

Deno.test("seedSpread() takes equal seeds as no closer than rounding to whole images", () => {
  for (const values of [[99.26, 99.26], [99.1, 99.1, 99.1]]) {
    const spread = seedSpread(meanAndSd(values), imageStep(10_000))!;
    // numpy.std of numbers that are uniform over one image's share: (100 / 10000) / sqrt(12)
    assertAlmostEquals(spread.sd, 0.0028867513459481290, 1e-15);
    assertEquals(spread.n, values.length);
  }
  assertAlmostEquals(seedSpread(meanAndSd([0.98, 0.98]), imageStep(100, 1))!.sd, 0.00288675, 1e-8);
});

Deno.test("seedSpread() leaves seeds that are further apart as they are", () => {
  const values = meanAndSd([99.1, 99.2, 99.15]);
  assertEquals(seedSpread(values, imageStep(10_000)), values);
  assertEquals(seedSpread(values, null), values);
});

Deno.test("seedSpread() finds none in a single seed, nor in equal ones of unknown images", () => {
  assertEquals(seedSpread(meanAndSd([99.1]), imageStep(10_000)), null);
  // Their mean is not 99.1 in binary, so that their standard deviation is 1.7e-14.
  assertEquals(seedSpread(meanAndSd([99.1, 99.1, 99.1]), null), null);
  assertEquals([imageStep(null), imageStep(undefined), imageStep(0)], [null, null, null]);
});
