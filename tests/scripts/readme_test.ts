import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { StudyError } from "../../io/errors.ts";
import { formatRow, HEADER } from "../../report/record/results.ts";
import { updateReadme } from "../../scripts/readme.ts";
import { PEER, TIMINGS } from "../report/peers.ts";
import { resultRow, withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";

const oneRow = `${HEADER}\n${formatRow(resultRow({ weights: "" }))}\n`;

Deno.test("updateReadme() replaces what is between the markers, and nothing a second time", async () => {
  await withFolder({ "part1.csv": oneRow }, async (results) => {
    await Deno.mkdir(join(results, "pytorch"));
    await Deno.writeTextFile(join(results, "pytorch", "a.json"), JSON.stringify(PEER));
    await Deno.mkdir(join(results, "bench"));
    await Deno.writeTextFile(
      join(results, "bench", "bench.json"),
      JSON.stringify({ comparisons: TIMINGS }),
    );
    const readme = "# Top\n\n<!-- results:begin -->\nold\n<!-- results:end -->\n\nMiddle\n\n" +
      "<!-- speed:begin -->\n<!-- speed:end -->\n\nEnd\n";
    const updated = await updateReadme(readme, results);
    assertMatch(
      updated,
      /^# Top\n\n<!-- results:begin -->\n\n\| model .*\n\| -.*\n\| SimpleCNN .* 200\.0 \|\n\n<!-- results:end -->\n\nMiddle\n\n<!-- speed:begin -->\n\n\| what .*\n\| -.*\n(\| .*\n){2}\n<!-- speed:end -->\n\nEnd\n$/,
    );
    assertEquals(await updateReadme(updated, results), updated);
  });
});

Deno.test("updateReadme() refuses a README without markers and a damaged run of PyTorch's", async () => {
  await withFolder({ "part1.csv": oneRow }, async (results) => {
    for (
      const readme of [
        "",
        "<!-- results:begin -->\n",
        "<!-- results:end -->\n<!-- results:begin -->\n",
        "<!-- results:begin -->\n<!-- results:end -->\n".repeat(2),
        "<!-- results:begin -->\n<!-- results:end -->\n<!-- speed:begin -->\n",
      ]
    ) {
      await assertRejects(() => updateReadme(readme, results), StudyError, "each once");
    }
    await Deno.mkdir(join(results, "pytorch"));
    for (const text of ["{", "{}"]) {
      await Deno.writeTextFile(join(results, "pytorch", "b.json"), text);
      const readme = "<!-- results:begin -->\n<!-- results:end -->\n";
      await assertRejects(
        () => updateReadme(readme, results),
        StudyError,
        "b.json is not a result",
      );
    }
  });
});

Deno.test("readme --check fails with one line where the table is another", async () => {
  await withFolder({ "part1.csv": oneRow }, async (results) => {
    const readme = await Deno.readTextFile(join(repositoryRoot(), "README.md"));
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...taskArgs("readme"), "--check", "--results", results],
      cwd: repositoryRoot(),
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 1);
    const line = new TextDecoder().decode(stderr);
    assertStringIncludes(line, `error: README.md's tables are not those of ${results}: run`);
    assertEquals(line.split("\n").length, 2);
    assertEquals(await Deno.readTextFile(join(repositoryRoot(), "README.md")), readme);
  });
});
