/** What is said of models that agree and of some that do not. */

import { assertEquals } from "@std/assert";
import { verdictOf } from "../../../draw/page/verdict.ts";

const readings = (...digits: number[]) => digits.map((digit, i) => ({ title: "ABC"[i]!, digit }));

Deno.test("verdictOf() says who reads what", () => {
  const texts = [[7], [7, 7], [7, 7, 7], [7, 1], [1, 7, 7]].map((digits) =>
    verdictOf(readings(...digits))!.text
  );
  assertEquals(texts, [
    "A reads 7",
    "Both read 7",
    "All 3 models read 7",
    "They disagree: 7 or 1",
    "They disagree: 7 or 1",
  ]);
  assertEquals(
    verdictOf(readings(1, 7, 7))!.detail,
    "7 is what B and C read, 1 is what A reads",
  );
});

Deno.test("verdictOf() knows a majority only where there is one", () => {
  const majorities = [[], [7], [7, 1], [1, 7, 7]].map((digits) =>
    verdictOf(readings(...digits))?.majority
  );
  assertEquals(majorities, [undefined, 7, undefined, 7]);
});
