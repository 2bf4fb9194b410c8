import { assertEquals } from "@std/assert";
import { formatP, formatPart, tellingDigits } from "../../../report/analysis/format_numbers.ts";

Deno.test("formatP() rounds no value to the other side of 0.05", () => {
  const written = [0.0004, 0.034, 0.0494, 0.0496, 0.04996, 0.05, 0.0504].map(formatP);
  assertEquals(written, [
    "p < 0.001",
    "p = 0.034",
    "p = 0.049",
    "p = 0.0496",
    "p = 0.04996",
    "p = 0.050",
    "p = 0.050",
  ]);
});

Deno.test("formatPart() is all or none of nothing less", () => {
  const written = [100, 99.97, 99.949, 99.9999, 0, 0.02, 0.06, 50, NaN].map((percent) =>
    formatPart(percent, 1)
  );
  assertEquals(written, [
    ...["100.0", "99.97", "99.9", "99.9999", "0.0", "0.02", "0.1", "50.0", "NaN"],
  ]);
});

Deno.test("tellingDigits() are as many as pass or fail as the value does", () => {
  const atLeast = (bound: number) => (value: number) => value >= bound;
  assertEquals(tellingDigits(1.5996, 2, atLeast(1.6)), 4);
  assertEquals(tellingDigits(1.61, 1, atLeast(1.6)), 1);
  assertEquals(tellingDigits(NaN, 2, atLeast(1)), 2);
  assertEquals(tellingDigits(1 - 1e-18, 0, atLeast(1)), 0);
});
