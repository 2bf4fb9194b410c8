import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { datasetStatus } from "../../data/dataset_status.ts";
import { loadDataset } from "../../data/load_dataset.ts";
import { FILE_STEMS, publishedName } from "../../data/sources.ts";
import { samplePublished, writeFiles } from "./idx_samples.ts";
import { serving, withSources } from "./local_mirror.ts";

const NAMES = FILE_STEMS.map(publishedName);
const good = serving(samplePublished("mnist", []).packed);

Deno.test("datasetStatus() tells valid, absent and damaged apart without the network", async () => {
  await withSources([good], async ({ sources, packed, reporter }, [asked]) => {
    const states = async () => {
      const { datasets, auto } = await datasetStatus(sources);
      return [...datasets.map(({ state }) => state), auto];
    };
    await loadDataset({ data: "embedded", strict: true, reporter }, sources);
    assertEquals(await states(), ["absent", "absent", "absent", "valid", "mnist-embedded-10k"]);
    await writeFiles(join(sources.cache, "mnist"), packed);
    await writeFiles(sources.fashionFolder, packed);
    assertEquals(await states(), ["valid", "absent", "damaged", "valid", "mnist"]);
    const [mnist] = (await datasetStatus(sources)).datasets;
    const size = Object.values(packed).reduce((sum, bytes) => sum + bytes.length, 0);
    assertEquals([mnist!.bytes, mnist!.problem], [size, ""]);
    const path = join(sources.cache, "mnist", NAMES[1]!);
    await Deno.truncate(path, 5);
    assertEquals(await states(), ["damaged", "absent", "damaged", "valid", "mnist-embedded-10k"]);
    assertStringIncludes((await datasetStatus(sources)).datasets[0]!.problem, path);
    assertEquals(asked, []);
  });
});
