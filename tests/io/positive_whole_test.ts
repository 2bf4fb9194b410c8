import { assertThrows } from "@std/assert";
import { requirePositiveWhole } from "../../io/positive_whole.ts";

Deno.test("requirePositiveWhole() takes 1 and more, and names what it refuses", () => {
  for (const value of [1, 2, Number.MAX_SAFE_INTEGER]) requirePositiveWhole("count", "n", value);
  for (const value of [0, -1, 1.5, NaN, Infinity, 2 ** 53]) {
    assertThrows(
      () => requirePositiveWhole("count", "n", value),
      RangeError,
      `Cannot count as n must be a positive whole number: current value is ${value}`,
    );
  }
});
