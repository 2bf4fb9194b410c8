import { assertEquals, assertThrows } from "@std/assert";
import { type Detection, mapDetectionsToDigit } from "../../models/label_mapping.ts";

/** A detection from pairs of score and label. */
function detection(...found: [score: number, label: number][]): Detection {
  return {
    boxes: new Float32Array(4 * found.length),
    scores: Float32Array.from(found, ([score]) => score),
    labels: Int32Array.from(found, ([, label]) => label),
  };
}

Deno.test("mapDetectionsToDigit() reads label k as the digit k - 1", () => {
  for (let label = 1; label <= 10; label++) {
    assertEquals(mapDetectionsToDigit(detection([0.5, label])), label - 1);
  }
});

Deno.test("mapDetectionsToDigit() takes the highest score wherever it stands", () => {
  assertEquals(mapDetectionsToDigit(detection([0.9, 4], [0.5, 7], [0.1, 2])), 3);
  assertEquals(mapDetectionsToDigit(detection([0.1, 4], [0.5, 7], [0.9, 2])), 1);
  assertEquals(mapDetectionsToDigit(detection([0.1, 4], [0.9, 7], [0.5, 2])), 6);
});

Deno.test("mapDetectionsToDigit() lets a background winner give way to the best other", () => {
  assertEquals(mapDetectionsToDigit(detection([0.9, 0], [0.2, 3], [0.6, 8])), 7);
  assertEquals(mapDetectionsToDigit(detection([0.2, 3], [0.6, 8], [0.9, 0], [0.8, 0])), 7);
  assertEquals(mapDetectionsToDigit(detection([0.6, 8], [0.2, 0])), 7);
});

Deno.test("mapDetectionsToDigit() gives -1 for nothing and for background only", () => {
  assertEquals(mapDetectionsToDigit(detection()), -1);
  assertEquals(mapDetectionsToDigit(detection([0.9, 0])), -1);
  assertEquals(mapDetectionsToDigit(detection([0.9, 0], [0.1, 0])), -1);
});

Deno.test("mapDetectionsToDigit() takes the first of equal scores, as argmax does", () => {
  assertEquals(mapDetectionsToDigit(detection([0.5, 6], [0.5, 2])), 5);
  assertEquals(mapDetectionsToDigit(detection([0.5, 0], [0.5, 2], [0.5, 6])), 1);
});

Deno.test("mapDetectionsToDigit() ranks scores of any size", () => {
  assertEquals(mapDetectionsToDigit(detection([0, 3])), 2);
  assertEquals(mapDetectionsToDigit(detection([-2, 3], [-1, 4])), 3);
  assertEquals(mapDetectionsToDigit(detection([-Infinity, 3])), 2);
  assertEquals(mapDetectionsToDigit(detection([1, 3], [Infinity, 4])), 3);
});

Deno.test("mapDetectionsToDigit() agrees with the study's reading on every short detection", () => {
  // The study's words, step by step: argmax, then argmax again without background.
  const asWritten = (found: [number, number][]): number => {
    const best = (list: [number, number][]) =>
      list.reduce<[number, number] | undefined>(
        (winner, next) => winner === undefined || next[0] > winner[0] ? next : winner,
        undefined,
      );
    const winner = best(found);
    if (winner === undefined) return -1;
    if (winner[1] > 0) return winner[1] - 1;
    return (best(found.filter(([, label]) => label > 0))?.[1] ?? 0) - 1;
  };
  const single = [0.25, 0.5].flatMap((score) =>
    [0, 1, 2].map((label): [number, number] => [score, label])
  );
  let found: [number, number][][] = [[]];
  for (let length = 0; length <= 4; length++) {
    for (const list of found) {
      assertEquals(mapDetectionsToDigit(detection(...list), 3), asWritten(list), `${list}`);
    }
    found = found.flatMap((list) => single.map((next) => [...list, next]));
  }
});

Deno.test("mapDetectionsToDigit() refuses labels out of range, winning or not", () => {
  assertThrows(
    () => mapDetectionsToDigit(detection([0.9, 1], [0.1, 11])),
    RangeError,
    "Cannot map labels[1] to a digit as it must be an integer in 0..10: current value is 11",
  );
  assertThrows(() => mapDetectionsToDigit(detection([0.9, -1])), RangeError, "labels[0]");
  assertThrows(() => mapDetectionsToDigit({ scores: [1], labels: [1.5] }), RangeError, "1.5");
  assertThrows(() => mapDetectionsToDigit(detection([0.9, 3]), 3), RangeError, "in 0..2");
  assertEquals(mapDetectionsToDigit(detection([0.9, 90]), 91), 89);
});

Deno.test("mapDetectionsToDigit() refuses a NaN score, naming it", () => {
  assertThrows(
    () => mapDetectionsToDigit(detection([0.9, 1], [NaN, 2])),
    RangeError,
    "Cannot rank scores[1] as it must be a number: current value is NaN",
  );
});

Deno.test("mapDetectionsToDigit() refuses scores and labels of different number", () => {
  assertThrows(
    () => mapDetectionsToDigit({ scores: [0.5, 0.4], labels: [1] }),
    RangeError,
    "must have the same length: current lengths are 2 and 1",
  );
  assertThrows(() => mapDetectionsToDigit(detection(), 1), RangeError, "current value is 1");
});
