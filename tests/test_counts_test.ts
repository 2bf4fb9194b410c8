/** The counts that `deno task test` adds up. */

import { assertEquals } from "@std/assert";
import { addCounts, countsIn, formatCounts, NO_TESTS } from "./test_counts.ts";

Deno.test("countsIn() reads the line of deno test, coloured or not", () => {
  assertEquals(countsIn("x ... ok (1ms)\n\nok | 14 passed | 0 failed (18s)\n"), {
    ...{ passed: 14, steps: 0, failed: 0, ignored: 0 },
  });
  const coloured =
    "\x1b[0m\x1b[31mFAILED\x1b[0m | 1410 passed (70 steps) | 2 failed | 17 ignored " +
    "\x1b[0m\x1b[38;5;245m(14m6s)\x1b[0m\n\nerror: Test failed\n";
  assertEquals(countsIn(coloured), { passed: 1410, steps: 70, failed: 2, ignored: 17 });
  // A test that runs tests prints a line of its own first.
  assertEquals(countsIn("ok | 1 passed | 0 failed (1s)\nok | 3 passed | 0 failed (2s)")?.passed, 3);
  assertEquals(countsIn("Segmentation fault"), undefined);
});

Deno.test("formatCounts() writes the same line of several", () => {
  const one = { passed: 2, steps: 1, failed: 0, ignored: 1 };
  const both = addCounts(one, { ...NO_TESTS, passed: 3 });
  assertEquals(formatCounts(both, 75.9), "ok | 5 passed (1 steps) | 0 failed | 1 ignored (1m15s)");
  const line = formatCounts(addCounts(both, { ...NO_TESTS, failed: 1 }), 5);
  assertEquals(line, "FAILED | 5 passed (1 steps) | 1 failed | 1 ignored (5s)");
  assertEquals(countsIn(line), { passed: 5, steps: 1, failed: 1, ignored: 1 });
});
