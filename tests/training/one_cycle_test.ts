import { assertAlmostEquals, assertEquals } from "@std/assert";
import { oneCycle, type OneCycleOptions } from "../../training/one_cycle.ts";
import golden from "../fixtures/one_cycle.json" with { type: "json" };

Deno.test("oneCycle() equals torch's OneCycleLR at every step", () => {
  for (const { rates, ...options } of golden.cases) {
    const rate = oneCycle(options as OneCycleOptions);
    assertEquals(rates.length, options.totalSteps);
    rates.forEach((expected, index) => {
      assertAlmostEquals(rate(index + 1), expected, 1e-12 * options.maxLr);
    });
  }
});

Deno.test("oneCycle() is finite for a run of a single step", () => {
  assertEquals(Number.isFinite(oneCycle({ maxLr: 0.003, totalSteps: 1 })(1)), true);
});
