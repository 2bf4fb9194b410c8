import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { decodeIdx, type IdxKind, pairImagesAndLabels, readIdx } from "../../data/idx.ts";
import { StudyError } from "../../io/errors.ts";
import { concat, gzip, idx, idxImages, idxLabels, withFolder } from "./idx_samples.ts";

const text = (string: string) => new TextEncoder().encode(string);

/** Asserts that the bytes are refused in one line with the name, each of `parts` and a remedy. */
function assertRefused(bytes: Uint8Array, kind: IdxKind, parts: string[], name = "the-file"): void {
  assertSaid(bytes, kind, { name, parts: ["Replace it", ...parts] });
}

/** Asserts that the bytes are refused as those of a sound file that is another one. */
function assertOther(bytes: Uint8Array, kind: IdxKind, parts: string[]): void {
  const packed = gzip(bytes);
  const amid = Buffer.concat([new Uint8Array(5), packed, new Uint8Array(5)]).subarray(5, -5);
  for (const file of [bytes, packed, amid]) {
    const message = assertSaid(file, kind, {
      name: "the-file",
      parts: ["The file is sound", ...parts],
    });
    assertEquals(message.includes("Replace it"), false, message);
  }
}

function assertSaid(
  bytes: Uint8Array,
  kind: IdxKind,
  { name, parts }: { name: string; parts: string[] },
): string {
  const { message } = assertThrows(() => decodeIdx(name, bytes, kind), StudyError);
  for (const part of [name, "found", "expected", ...parts]) assertStringIncludes(message, part);
  assertEquals(message.includes("\n"), false);
  return message;
}

Deno.test("decodeIdx() reads images in file order", () => {
  const { count, values } = decodeIdx("f", idxImages(2), "images");
  assertEquals(count, 2);
  assertEquals(values.length, 1568);
  assertEquals([values[0], values[1], values[783], values[784], values[785]], [0, 1, 15, 13, 14]);
});

Deno.test("decodeIdx() reads labels", () => {
  assertEquals([...decodeIdx("f", idxLabels(0, 9, 3), "labels").values], [0, 9, 3]);
});

Deno.test("decodeIdx() reads bytes that start inside a larger buffer", () => {
  const bytes = concat(new Uint8Array(5), idxLabels(4, 2)).subarray(5);
  assertEquals([...decodeIdx("f", bytes, "labels").values], [4, 2]);
});

Deno.test("decodeIdx() knows gzip by its content, not its name", () => {
  for (const name of ["labels", "labels.gz"]) {
    assertEquals([...decodeIdx(name, gzip(idxLabels(5)), "labels").values], [5]);
  }
});

Deno.test("decodeIdx() reads gzip of several members", () => {
  const bytes = idxImages(3);
  const packed = concat(gzip(bytes.subarray(0, 1000)), gzip(bytes.subarray(1000)));
  assertEquals(decodeIdx("f.gz", packed, "images").content, bytes);
});

Deno.test("decodeIdx() reads an unpacked file that is still named gzip", () => {
  assertEquals([...decodeIdx("labels.gz", idxLabels(1, 2), "labels").values], [1, 2]);
  assertRefused(idxLabels(1, 2).subarray(0, 9), "labels", ["9 bytes (truncated)"], "labels.gz");
});

Deno.test("decodeIdx() refuses a file that is named gzip and is none", () => {
  assertRefused(text("no gzip"), "labels", ["text that begins", "expected gzip"], "labels.gz");
});

Deno.test("decodeIdx() refuses another magic", () => {
  assertOther(idxLabels(1), "images", ["an IDX file of labels", "magic 0x00000803"]);
  assertOther(idxImages(1), "labels", ["an IDX file of images", "magic 0x00000801"]);
  const float = idx(0xd03, [1, 28, 28], new Uint8Array(784 * 4));
  assertOther(float, "images", ["found magic 0x00000d03", "magic 0x00000803", "32-bit floats"]);
  assertRefused(float.subarray(1), "images", ["found magic 0x000d0300"]);
  assertRefused(float.subarray(0, -1), "images", ["found magic 0x00000d03"]);
  assertRefused(idxImages(1).reverse(), "images", ["found magic 0x0f0e0d0c"]);
});

Deno.test("decodeIdx() refuses other dimensions", () => {
  const bytes = idx(0x803, [1, 28, 27], new Uint8Array(28 * 27));
  assertOther(bytes, "images", ["28x27", "expected 28x28"]);
  assertRefused(bytes.subarray(0, -1), "images", ["28x27", "expected 28x28"]);
});

Deno.test("decodeIdx() refuses a set of nothing", () => {
  assertRefused(idxLabels(), "labels", ["0 labels", "1 to"]);
});

Deno.test("decodeIdx() refuses a truncated file, packed or not", () => {
  const bytes = idxImages(2);
  const cut = bytes.subarray(0, -1);
  for (const file of [cut, gzip(cut)]) {
    assertRefused(file, "images", ["1583 bytes (truncated)", "exactly 1584 bytes"]);
  }
  assertRefused(bytes.subarray(0, 10), "images", ["10 bytes", "a header of 16 bytes"]);
  assertRefused(bytes.subarray(0, 3), "images", ["3 bytes", "magic 0x00000803"]);
  assertRefused(new Uint8Array(0), "images", ["an empty file"]);
});

Deno.test("decodeIdx() refuses a padded file, packed or not", () => {
  const padded = concat(idxImages(2), new Uint8Array(1));
  assertRefused(padded, "images", ["1585 bytes (padded)", "exactly 1584 bytes"]);
  assertRefused(gzip(padded), "images", ["more bytes (padded)", "exactly 1584 bytes"]);
});

Deno.test("decodeIdx() refuses damaged gzip", () => {
  const whole = gzip(idxImages(2));
  for (const length of [2, 5, 12, 100, whole.length - 9, whole.length - 1]) {
    assertRefused(whole.subarray(0, length), "images", ["cut off", "sound gzip"]);
  }
  const wrongSum = whole.slice();
  wrongSum[whole.length - 6]! ^= 1;
  assertRefused(wrongSum, "images", ["damaged", "sound gzip"]);
  assertRefused(concat(whole, text("junk")), "images", ["damaged", "sound gzip"]);
  assertRefused(gzip(whole), "images", ["gzip within gzip"]);
});

Deno.test("decodeIdx() refuses zeros behind the end of gzip", () => {
  for (const zeros of [1, 2, 4, 512]) {
    const bytes = concat(gzip(idxImages(2)), new Uint8Array(zeros));
    assertRefused(bytes, "images", ["zeros after the end"]);
  }
});

Deno.test("decodeIdx() refuses a page or text saved as data", () => {
  const page = text("\ufeff\n<!DOCTYPE html><html><body>404</body></html>");
  assertRefused(page, "images", ["an HTML or XML page", "magic 0x00000803"]);
  assertRefused(gzip(page), "images", ["an HTML or XML page", "magic 0x00000803"]);
  assertRefused(page, "images", ["an HTML or XML page", "expected gzip"], "images.gz");
  assertRefused(text("version 1 of a\npointer"), "labels", ['text that begins "version 1 of a']);
});

Deno.test("decodeIdx() refuses labels above 9", () => {
  assertRefused(idxLabels(3, 10, 200), "labels", ["label 10 at index 1", "0 to 9"]);
});

Deno.test("decodeIdx() names labels of other sets as what they are", () => {
  const letters = idxLabels(23, 1, 26, 5);
  assertOther(letters, "labels", ["labels 1 to 26", "EMNIST letters", "label 23 at index 0"]);
  assertOther(idxLabels(0, 46), "labels", ["EMNIST balanced"]);
  assertOther(idxLabels(61, 0), "labels", ["EMNIST byclass"]);
  assertOther(idxLabels(1, 10), "labels", ["labels 1 to 10 (label 10 at index 1)"]);
  const qmnist = idx(0xc02, [2, 8], new Uint8Array(64));
  assertOther(qmnist, "labels", ["32-bit integers in 2 dimensions, 2×8", "QMNIST", "first column"]);
  const threefold = idx(0x803, [5, 1, 1], new Uint8Array(5));
  assertOther(threefold, "labels", ["8-bit values in 3 dimensions, 5×1×1", "magic 0x00000801"]);
});

Deno.test("decodeIdx() allocates nothing on the word of a header", () => {
  const hostile = idx(0x803, [0xffffffff, 28, 28], new Uint8Array(784));
  assertRefused(hostile, "images", ["4294967295 images", "1 to 1000000"]);
  const large = idx(0x803, [1_000_000, 28, 28], new Uint8Array(784));
  const before = Deno.memoryUsage().external;
  for (const bytes of [large, gzip(large)]) {
    assertRefused(bytes, "images", ["800 bytes (truncated)", "exactly 784000016 bytes"]);
  }
  assertEquals(Deno.memoryUsage().external - before < 100e6, true);
});

Deno.test("decodeIdx() stops unpacking where the header says the file ends", () => {
  const bomb = gzip(concat(idxImages(1), new Uint8Array(200e6)));
  const before = Deno.memoryUsage().rss;
  assertRefused(bomb, "images", ["more bytes (padded)", "exactly 800 bytes"]);
  assertEquals(Deno.memoryUsage().rss - before < 100e6, true);
  assertRefused(gzip(new Uint8Array(50e6)), "labels", ["magic 0x00000000"]);
});

Deno.test("pairImagesAndLabels() refuses unequal counts", () => {
  const images = decodeIdx("pictures", idxImages(2), "images");
  const labels = decodeIdx("digits", idxLabels(1, 2, 3), "labels");
  const { message } = assertThrows(() => pairImagesAndLabels(images, labels), StudyError);
  for (const part of ["pictures", "2 images", "3", "labels in digits"]) {
    assertStringIncludes(message, part);
  }
  assertEquals(
    pairImagesAndLabels(images, decodeIdx("digits", idxLabels(1, 2), "labels")).count,
    2,
  );
});

Deno.test("readIdx() names what cannot be read", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "labels");
    for (const bad of [path, folder]) {
      const error = await assertRejects(() => readIdx(bad, "labels"), StudyError);
      assertStringIncludes(error.message, bad);
    }
    await Deno.writeFile(path, gzip(idxLabels(8)));
    assertEquals([...(await readIdx(path, "labels")).values], [8]);
  });
});
