/** Which test digits are shown as misread, and in which order. */

import { assertEquals } from "@std/assert";
import { rankMisread } from "../../draw/misread_digits.ts";

const model = (predictions: number[], scores: number[]) => ({ targets: [], predictions, scores });

Deno.test("rankMisread() puts first what most models misread, then what they were surest of", () => {
  const labels = [0, 1, 2, 3, 4];
  const one = model([0, 7, 7, 3, 9], [1, 0.5, 0.9, 1, 0.6]);
  const other = model([0, 1, 2, 8, 9], [1, 1, 1, 0.7, 0.6]);
  assertEquals(rankMisread([one, other], labels), [
    { index: 4, label: 4, readings: [9, 9] },
    { index: 2, label: 2, readings: [7, 2] },
    { index: 3, label: 3, readings: [3, 8] },
    { index: 1, label: 1, readings: [7, 1] },
  ]);
});

Deno.test("rankMisread() knows models without predictions and with fewer", () => {
  const few = model([1], [0.9]);
  const all = model([0, 2], [0.9, NaN]);
  assertEquals(rankMisread([undefined, few, all], [0, 1]), [
    { index: 0, label: 0, readings: [null, 1, 0] },
    { index: 1, label: 1, readings: [null, null, 2] },
  ]);
  assertEquals(rankMisread([undefined], [0, 1]), []);
});
