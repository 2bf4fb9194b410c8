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
    "They disagree: 7 (A) or 1 (B)",
    "They disagree: 7 (B, C) or 1 (A)",
  ]);
});

Deno.test("verdictOf() knows a majority only where there is one", () => {
  const majorities = [[], [7], [7, 1], [1, 7, 7]].map((digits) =>
    verdictOf(readings(...digits))?.majority
  );
  assertEquals(majorities, [undefined, 7, undefined, 7]);
});
