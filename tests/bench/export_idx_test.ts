import { assertEquals, assertThrows } from "@std/assert";
import { encodeIdx, exportIdx } from "../../bench/export_idx.ts";
import type { Dataset, ImageSet } from "../../data/dataset.ts";
import { loadDataset } from "../../data/load_dataset.ts";
import { sha256Hex } from "../../io/sha256.ts";
import { silentReporter } from "../../io/reporter.ts";

/** Images whose pixels count up from `first`, with labels 0, 1, 2... */
function imageSet(count: number, first: number): ImageSet {
  return {
    images: Uint8Array.from({ length: count * 784 }, (_, i) => (first + i) % 256),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 10),
    count,
  };
}

Deno.test("encodeIdx() writes the header byte for byte", () => {
  assertEquals(
    encodeIdx(new Uint8Array([9, 8, 7, 6, 5, 4]), [3, 1, 2]),
    new Uint8Array([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7, 6, 5, 4]),
  );
  assertEquals(encodeIdx(new Uint8Array([5]), [1]), new Uint8Array([0, 0, 8, 1, 0, 0, 0, 1, 5]));
  assertThrows(() => encodeIdx(new Uint8Array(5), [2, 3]), RangeError, "5 values as [2,3]");
});

Deno.test("exportIdx() writes what loadDataset() reads back as it was", async () => {
  const [train, test] = [imageSet(12, 0), imageSet(11, 100)];
  const sha256 = sha256Hex(train.images, train.labels, test.images, test.labels);
  const dataset: Dataset = { name: "made up", train, test, sha256, source: "" };
  const folder = await Deno.makeTempDir();
  try {
    assertEquals((await exportIdx(dataset, folder)).length, 4);
    const read = await loadDataset({ data: folder, reporter: silentReporter });
    assertEquals(read.train, train);
    assertEquals(read.test, test);
    assertEquals(read.sha256, sha256);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
