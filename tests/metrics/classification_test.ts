import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { accuracy, confusionMatrix, weightedF1 } from "../../metrics/classification.ts";

interface Case {
  targets: number[];
  predictions: number[];
  confusion: number[][];
  accuracy: number;
  f1: number;
}

// Made by tests/reference/metrics.py.
const golden: { cases: Record<string, Case>; mnistAllOnes: { accuracy: number; f1: number } } = JSON
  .parse(await Deno.readTextFile(new URL("../fixtures/metrics.json", import.meta.url)));

for (const [name, expected] of Object.entries(golden.cases)) {
  Deno.test(`metrics equal scikit-learn: ${name}`, () => {
    const { targets, predictions } = expected;
    assertEquals(confusionMatrix(targets, predictions), expected.confusion);
    assertEquals(accuracy(targets, predictions), expected.accuracy);
    assertAlmostEquals(weightedF1(targets, predictions), expected.f1, 1e-14);
    const typed = [Uint8Array.from(targets), Int32Array.from(predictions)] as const;
    assertEquals(confusionMatrix(...typed), expected.confusion);
    assertEquals(weightedF1(...typed), weightedF1(targets, predictions));
  });
}

Deno.test("metrics give the published result of part 2 when every test digit is predicted as 1", () => {
  const counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
  const targets = counts.flatMap((count, digit) => new Array<number>(count).fill(digit));
  const ones = new Uint8Array(10_000).fill(1);
  assertEquals(accuracy(targets, ones), golden.mnistAllOnes.accuracy);
  assertAlmostEquals(weightedF1(targets, ones), golden.mnistAllOnes.f1, 1e-14);
  assertEquals((100 * accuracy(targets, ones)).toFixed(2), "11.35");
  assertEquals(weightedF1(targets, ones).toFixed(4), "0.0231");
});

Deno.test("metrics take what is true first, as scikit-learn does", () => {
  // Class 0: F1 = 2·1/(2·1 + 0 + 1) = 2/3 with weight 2; class 1: the same with weight 1, 2/3.
  assertEquals(confusionMatrix([0, 0, 1], [0, 1, 1]), [[1, 1], [0, 1]]);
  assertAlmostEquals(weightedF1([0, 0, 1], [0, 1, 1]), 2 / 3, 1e-15);
  // Only class 0 is true: weight 3, F1 = 2·1/(2·1 + 2) = 1/2. The other way round it is 1/6.
  assertAlmostEquals(weightedF1([0, 0, 0], [0, 1, 2]), 1 / 2, 1e-15);
  assertAlmostEquals(weightedF1([0, 1, 2], [0, 0, 0]), 1 / 6, 1e-15);
});

Deno.test("metrics of empty input are zeros and an empty matrix", () => {
  assertEquals(accuracy([], []), 0);
  assertEquals(weightedF1([], []), 0);
  assertEquals(confusionMatrix([], []), []);
  assertEquals(confusionMatrix([], [], 2), [[0, 0], [0, 0]]);
});

Deno.test("confusionMatrix() has as many rows and columns as asked for", () => {
  assertEquals(confusionMatrix([0], [1], 3), [[0, 1, 0], [0, 0, 0], [0, 0, 0]]);
  assertEquals(confusionMatrix([0], [1]), [[0, 1], [0, 0]]);
  assertThrows(
    () => confusionMatrix([0, 3], [1, 1], 3),
    RangeError,
    "Cannot use targets[1] as a label as it must be < 3: current value is 3",
  );
  assertThrows(() => confusionMatrix([0], [1], 1.5), RangeError, "current value is 1.5");
  assertThrows(() => confusionMatrix([0], [1], -1), RangeError, "current value is -1");
});

for (const metric of [confusionMatrix, accuracy, weightedF1]) {
  Deno.test(`${metric.name}() refuses lists of different length`, () => {
    assertThrows(
      () => metric([1, 2, 3], [1, 2]),
      RangeError,
      "must have the same length: current lengths are 3 and 2",
    );
    assertThrows(() => metric([], [1]), RangeError, "current lengths are 0 and 1");
  });

  Deno.test(`${metric.name}() refuses labels that are not integers from 0`, () => {
    for (const bad of [-1, 0.5, NaN, Infinity]) {
      const message = `as it must be an integer >= 0: current value is ${bad}`;
      assertThrows(() => metric([0, bad], [0, 1]), RangeError, `targets[1] as a label ${message}`);
      assertThrows(() => metric([0, 1], [bad, 1]), RangeError, `predictions[0] as a label`);
    }
  });
}
