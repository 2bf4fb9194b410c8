/** The accuracies on each backend in docs/guide.md, which are of committed runs. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { meanAndSd } from "../../metrics/descriptive_statistics.ts";
import { formatMeanAndSd } from "../../report/analysis/format_numbers.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { readResults } from "../../report/record/results.ts";
import type { ResultRow } from "../../report/record/result_row.ts";
import { ALEXNET, DATA, SIMPLE_CNN, SIMPLE_CNN_FAST } from "../../study.ts";
import { tableRows } from "./table_rows.ts";

const ROOT = repositoryRoot();

/** The committed runs on all images, those of the study and those on other backends. */
const ROWS: ResultRow[] = [];
for (const folder of ["results/reference", "results/reference/backends"]) {
  for (const file of ["part1.csv", "part4.csv"]) {
    const problems = new ProblemList();
    const rows = await readResults(join(ROOT, folder, file), problems);
    assertEquals(problems.list(), []);
    ROWS.push(...rows.map(({ row }) => row));
  }
}

function accuracies(model: string, backend: string, device: RegExp, seeds?: readonly number[]) {
  return ROWS.filter((row) =>
    row.model === model && row.backend === backend && device.test(row.device) &&
    row.train_images === DATA.trainImages && row.test_images === DATA.testImages &&
    (seeds === undefined || seeds.includes(row.seed!))
  ).map(({ accuracy }) => accuracy!);
}

Deno.test("the guide's accuracies on each backend are those of the committed runs", async () => {
  const backends = [
    ["tensorflow", /^CPU$/],
    ["wasm", /CPU/],
    ["webgpu", /H100/],
    ["tensorflow", /^GPU$/],
  ] as const;
  const expected = [SIMPLE_CNN, SIMPLE_CNN_FAST, ALEXNET].map(({ name }) =>
    backends.map(([backend, device]) => {
      const found = accuracies(name, backend, device);
      return found.length === 0 ? "" : `${formatMeanAndSd(meanAndSd(found), 2)} (${found.length})`;
    })
  );
  const page = await Deno.readTextFile(join(ROOT, "docs/guide.md"));
  const cells = tableRows(page, "\\| accuracy \\(%\\), seeds ").map(([_, ...row]) => row);
  assertEquals(cells, expected);
});

Deno.test("on WebAssembly the fast recipe is as accurate as on TensorFlow, within 0.3 points", () => {
  const seeds = [1, 2, 3];
  const [wasm, tensorflow] = (["wasm", "tensorflow"] as const).map((backend) =>
    meanAndSd(accuracies(SIMPLE_CNN_FAST.name, backend, /CPU/, seeds))
  );
  assertEquals([wasm!.n, tensorflow!.n], [3, 3]);
  assert(Math.abs(wasm!.mean - tensorflow!.mean) <= 0.3);
});
