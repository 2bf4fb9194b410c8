import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { mean, meanAndSd, median, percentile } from "../../metrics/descriptive_statistics.ts";

Deno.test("percentile() equals numpy's", async () => {
  const path = `${import.meta.dirname}/../fixtures/head_training.json`;
  const { percentiles }: {
    percentiles: { values: number[]; percent: number; expected: number }[];
  } = JSON.parse(await Deno.readTextFile(path));
  assertEquals(percentiles.length, 24);
  for (const { values, percent, expected } of percentiles) {
    assertAlmostEquals(percentile(values, percent), expected, 1e-12, `${percent} % of ${values}`);
  }
  assertEquals(percentile([], 50), NaN);
  assertThrows(() => percentile([1], 101), RangeError, "current value is 101");
});

Deno.test("median() takes the middle, or the mean of the two in the middle", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([10, 1, 3, 2]), 2.5);
  assertThrows(() => median([]), RangeError);
});

Deno.test("meanAndSd() divides by n - 1", () => {
  assertEquals(meanAndSd([2, 4, 4, 6]), { n: 4, mean: 4, sd: Math.sqrt(8 / 3) });
  assertEquals(meanAndSd([5]), { n: 1, mean: 5, sd: NaN });
  assertEquals(meanAndSd([]), { n: 0, mean: NaN, sd: NaN });
});

Deno.test("mean() of no values is NaN", () => {
  assertEquals(mean([1, 2, 6]), 3);
  assertEquals(mean([]), NaN);
});
