import { assertEquals, assertThrows } from "@std/assert";
import {
  formatPace,
  medianAndRange,
  rate,
  ratios,
} from "../../../report/analysis/paired_timings.ts";
import type { PairedTiming, Timing } from "../../../report/record/bench_results.ts";

const timings = (...seconds: number[]): Timing[] => seconds.map((s) => ({ units: 10, seconds: s }));

function paired(ours: Timing[], theirs: Timing[]): PairedTiming {
  return {
    case: "step",
    title: "Made-up step",
    unit: "step",
    ours: { label: "ours", precision: "float32", timings: ours },
    theirs: { label: "PyTorch default", precision: "float32", timings: theirs },
  };
}

Deno.test("medianAndRange() counts and finds the ends", () => {
  assertEquals(medianAndRange([2, 8, 4]), { median: 4, min: 2, max: 8, count: 3 });
  assertEquals(medianAndRange([]), undefined);
});

Deno.test("ratios() pairs by position, and says how many times as fast ours is", () => {
  assertEquals(rate({ units: 10, seconds: 4 }), 2.5);
  assertEquals(ratios(paired(timings(1, 2), timings(3, 2))), [3, 1]);
  assertEquals(ratios(paired(timings(1, 2), [])), []);
  assertThrows(
    () => ratios(paired(timings(1), timings(1, 2))),
    RangeError,
    "1 timings with 2",
  );
});

Deno.test("formatPace() turns to seconds for slow units", () => {
  assertEquals(formatPace(timings(1, 2, 5), "step"), "5.00 steps/s");
  assertEquals(formatPace(timings(2), "batch"), "5.00 batches/s");
  assertEquals(formatPace(timings(20), "pass"), "2.00 s a pass");
});
