/** The folder of `--data DIR`, from the run's manifest to the pictures of its report. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { loadDataset } from "../../data/load_dataset.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { silentReporter } from "../../io/reporter.ts";
import { DATA_FOLDER, readManifest, runFolder } from "../../report/record/run_folder.ts";
import { idxImages, idxLabels, samplePublished, writeFiles } from "../data/idx_samples.ts";
import { recordRun, withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";
import { part1, rowsOf, TINY } from "./part1_process.ts";

const IMAGES = 20;

/** Files of test images that `recordRun()` has the labels of. */
const FILES = {
  "train-images-idx3-ubyte": idxImages(1),
  "train-labels-idx1-ubyte": idxLabels(0),
  "t10k-images-idx3-ubyte": idxImages(IMAGES, 1),
  "t10k-labels-idx1-ubyte": idxLabels(...Array.from({ length: IMAGES }, (_, i) => i % 10)),
};

async function compare(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArgs("compare"), ...args],
    cwd: repositoryRoot(),
    env: { NO_COLOR: "1" },
  }).output();
  const [out, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out!, stderr: problem! };
}

Deno.test("part1 --data DIR leaves the folder in the manifest, and takes it from where the user is", async () => {
  await withFolder({}, async (folder) => {
    const { packed } = samplePublished("other", [], 70);
    await writeFiles(join(folder, "digits"), packed);
    const flags = ["--data", "digits", "--out", "out", ...TINY];
    const { code, stdout, stderr } = await part1(flags, { INIT_CWD: folder });
    assertEquals(code, 0, stderr);
    const out = join(folder, "out");
    assertStringIncludes(stdout, ` is in ${join(out, "part1.csv")}\n`);
    const [row] = await rowsOf(out);
    assertEquals(row!.dataset, "dir:digits");
    const { settings } = await readManifest(runFolder(out, row!.run_id));
    assertEquals(settings[DATA_FOLDER], join(folder, "digits"));
  });
});

Deno.test("compare finds the pictures where the run had them, and with --data where they are now", async () => {
  await withFolder({}, async (folder) => {
    const data = join(folder, "digits");
    await writeFiles(data, FILES);
    const { name, sha256 } = await loadDataset({ data, reporter: silentReporter });
    const results = join(folder, "results");
    await recordRun(results, {
      images: IMAGES,
      answer: () => 1,
      row: { dataset: name, dataset_sha256: sha256 },
      manifest: { settings: { [DATA_FOLDER]: data } },
    });
    const sheets = async (...flags: string[]) => {
      const { code, stdout, stderr } = await compare("--results", results, "--json", ...flags);
      assertEquals(code, 0, stderr);
      const { figures, problems } = JSON.parse(stdout);
      return [...figures, ...problems]
        .filter(({ file }) => /^figures\/wrong_/.test(file))
        .map(({ title, text }) => title ?? text);
    };
    assertEquals(await sheets(), ["Most confident mistakes: SimpleCNN"]);
    const moved = join(folder, "moved");
    await Deno.rename(data, moved);
    assertEquals(await sheets(), [
      `not drawn: this machine does not have the images of ${name}; name the folder that they ` +
      "are in with --data",
    ]);
    assertEquals(await sheets("--data", moved), ["Most confident mistakes: SimpleCNN"]);
    const { code, stderr } = await compare("--results", results, "--data", data);
    assertEquals(code, 2);
    assertMatch(stderr, /^error: --data: there is no folder .*digits\n$/);
  });
});
