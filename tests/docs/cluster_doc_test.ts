/** The numbers in docs/cluster.md that are of committed runs. */

import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { meanAndSd } from "../../metrics/descriptive_statistics.ts";
import { formatMeanAndSd } from "../../report/analysis/format_numbers.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { readResults } from "../../report/record/results.ts";
import { DATA, SIMPLE_CNN, SIMPLE_CNN_FAST } from "../../study.ts";
import { tableRows } from "./table_rows.ts";

const ROOT = repositoryRoot();

Deno.test("cluster.md has the learning-set sizes of the committed sweep", async () => {
  const problems = new ProblemList();
  const path = join(ROOT, "results/reference/learning_set_size/part1.csv");
  const rows = (await readResults(path, problems)).map(({ row }) => row);
  assertEquals(problems.list(), []);
  const expected = [300, 1000, 3000, 10_000, 30_000, DATA.trainImages].map((images) => {
    const cells = [SIMPLE_CNN, SIMPLE_CNN_FAST].map(({ name }) => {
      const own = rows.filter((row) => row.model === name && row.train_images === images);
      const seeds = own.map(({ seed, status }) => `${seed} ${status}`).sort();
      assertEquals(seeds, ["1 ok", "2 ok", "3 ok"]);
      return formatMeanAndSd(meanAndSd(own.map(({ accuracy }) => accuracy!)), 2);
    });
    return [images.toLocaleString("en"), ...cells];
  });
  const page = await Deno.readTextFile(join(ROOT, "docs/cluster.md"));
  assertEquals(tableRows(page, "\\| training images "), expected);
});
