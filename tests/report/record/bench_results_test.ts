import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../../io/cache.ts";
import { StudyError } from "../../../io/errors.ts";
import { readBenchResults } from "../../../report/record/bench_results.ts";
import { withFolder } from "../result_rows.ts";

const COMMITTED = join(repositoryRoot(), "results/reference/bench");

// deno-lint-ignore no-explicit-any -- JSON that is to be spoilt.
type Spoilt = any;

Deno.test("readBenchResults() takes every committed bench.json", async () => {
  const folders = [...Deno.readDirSync(COMMITTED)].filter(({ isDirectory }) => isDirectory);
  for (const { name } of [{ name: "." }, ...folders]) {
    const results = await readBenchResults(join(COMMITTED, name, "bench.json"));
    assertEquals(typeof results?.started_at, "string", name);
  }
  assertEquals(await readBenchResults(join(COMMITTED, "none.json")), null);
});

Deno.test("readBenchResults() refuses what lacks something that the page is made of", () =>
  withFolder({}, async (folder) => {
    const text = await Deno.readTextFile(join(COMMITTED, "bench.json"));
    const path = join(folder, "bench.json");
    const spoil: readonly ((results: Spoilt) => void)[] = [
      ...["git", "versions", "load_average", "finished_at", "settings", "comparisons"].map(
        (key) => (results: Spoilt) => delete results[key],
      ),
      (results) => results.machine = null,
      (results) => results.ours = null,
      (results) => results.dataset = { name: "mnist" },
      (results) => results.comparisons = [{}],
      (results) => results.comparisons[0].title = 1,
      (results) => results.comparisons[0].ours.timings = [{}],
      (results) => results.earlier = [{}],
      (results) => results.measures[0].value = "1",
      (results) => results.measures.find(({ kernels }: Spoilt) => kernels).kernels[0] = null,
      (results) =>
        results.measures.find(({ samples }: Spoilt) => samples).samples = [{ step: "1" }],
    ];
    for (const change of spoil) {
      const results = JSON.parse(text);
      change(results);
      await Deno.writeTextFile(path, JSON.stringify(results));
      await assertRejects(
        () => readBenchResults(path),
        StudyError,
        `${path} is not a result of the bench: write it again or remove it`,
        `${change}`,
      );
    }
  }));
