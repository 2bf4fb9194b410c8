import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { StudyError } from "../../io/errors.ts";
import { formatRow, HEADER } from "../../report/record/results.ts";
import { REFERENCE_RESULTS } from "../../report/record/reference_results.ts";
import { documents } from "../../scripts/readme.ts";
import { PEER, TIMINGS } from "../report/peers.ts";
import { resultRow, withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";

const oneRow = `${HEADER}\n${formatRow(resultRow({ weights: "" }))}\n`;
const README = "# Top\n\n<!-- results:begin -->\nold\n<!-- results:end -->\n\nMiddle\n\n" +
  "<!-- pytorch:begin -->\n<!-- pytorch:end -->\n\n<!-- speed:begin -->\n<!-- speed:end -->\n\nEnd\n";
const SPEED = "# Speed\n\n<!-- machines:begin -->\n<!-- machines:end -->\n\nEnd\n";
const BENCH = JSON.stringify({
  started_at: "2026-01-01T00:00:00.000Z",
  finished_at: "2026-01-01T00:01:00.000Z",
  settings: { cases: [], pairs: 1, seconds: 1 },
  load_average: 0,
  versions: {},
  git: null,
  machine: {},
  comparisons: TIMINGS,
  measures: [],
});

/** What becomes of a file's text. */
async function update(results: string, path: string, text: string): Promise<string> {
  return (await documents(results)).find((document) => document.path === path)!.update(text);
}

Deno.test("readme replaces what is between README's markers, and nothing a second time", async () => {
  await withFolder({ "part1.csv": oneRow }, async (results) => {
    await Deno.mkdir(join(results, "pytorch"));
    await Deno.writeTextFile(join(results, "pytorch", "a.json"), JSON.stringify(PEER));
    await Deno.mkdir(join(results, "bench"));
    await Deno.writeTextFile(join(results, "bench", "bench.json"), BENCH);
    const updated = await update(results, "README.md", README);
    assertMatch(
      updated,
      /^# Top\n\n<!-- results:begin -->\n\n\| Model .*\n\| -.*\n(\| .*\n){4}\n\| Claim .*\n\| -.*\n(\| .*\n){3}\n<!-- results:end -->\n\nMiddle\n\n<!-- pytorch:begin -->\n\n\| Model .*\n\| -.*\n\| SimpleCNN .* 200\.0, on a machine that is not named \|\n\n<!-- pytorch:end -->\n\n<!-- speed:begin -->\n\n\| what .*\n\| -.*\n(\| .*\n){2}\n<!-- speed:end -->\n\nEnd\n$/,
    );
    assertEquals(await update(results, "README.md", updated), updated);
  });
});

Deno.test("readme writes the other machines' speed-ups into docs/speed.md, with their pages", async () => {
  await withFolder({ "part1.csv": oneRow }, async (results) => {
    assertStringIncludes(
      await update(results, "docs/speed.md", SPEED),
      "<!-- machines:begin -->\n\nNot measured yet: `deno task bench`.\n\n<!-- machines:end -->",
    );
    await Deno.mkdir(join(results, "bench", "avx2"), { recursive: true });
    await Deno.writeTextFile(join(results, "bench", "avx2", "bench.json"), BENCH);
    const updated = await update(results, "docs/speed.md", SPEED);
    assertMatch(
      updated,
      /^# Speed\n\n<!-- machines:begin -->\n\n\| what .*\| an EPYC with AVX2, 2 cores \(\[page\]\(\.\.\/results\/reference\/bench\/avx2\/bench\.md\)\) .*\n\| -.*\n(\| .*\n)+\n<!-- machines:end -->\n\nEnd\n$/,
    );
    assertEquals(await update(results, "docs/speed.md", updated), updated);
  });
});

Deno.test("readme's tables are formatted as deno fmt does", async () => {
  const hostile = formatRow(resultRow({ model: "a|b <x>", dataset: "dir:_y_" }));
  await withFolder({ "part1.csv": `${oneRow}${hostile}\n` }, async (results) => {
    const updated = await update(results, "README.md", README);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["fmt", "--ext=md", "-"],
      cwd: repositoryRoot(),
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const output = child.output();
    await new Response(updated).body!.pipeTo(child.stdin);
    assertEquals(new TextDecoder().decode((await output).stdout), updated);
  });
});

Deno.test("readme refuses a file without markers and a damaged run of PyTorch's", async () => {
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
      await assertRejects(() => update(results, "README.md", readme), StudyError, "each once");
    }
    await assertRejects(
      () => update(results, "scripts/part1.ts", "/**\n * Part 1.\n */\n"),
      StudyError,
      'begins with "Expect"',
    );
    await Deno.mkdir(join(results, "pytorch"));
    for (const text of ["{", "{}"]) {
      await Deno.writeTextFile(join(results, "pytorch", "b.json"), text);
      await assertRejects(() => documents(results), StudyError, "b.json is not a result");
    }
  });
});

Deno.test("readme says at a part's head what to expect, and changes nothing else of it", async () => {
  const rows = [{ seed: 1 }, { run_id: "b", seed: 2, accuracy: 99.3, training_time_s: 110.5 }];
  const csv = [HEADER, ...rows.map((row) => formatRow(resultRow(row))), ""].join("\n");
  await withFolder({ "part1.csv": csv }, async (results) => {
    const source =
      "/**\n * Part 1.\n *\n * Expect $& old,\n * old.\n *\n * @module\n */\nExpect();\n";
    assertEquals(
      await update(results, "scripts/part1.ts", source),
      "/**\n * Part 1.\n *\n" +
        " * Expect what the runs on record found. SimpleCNN: correct on 99.20 ± 0.14 % of 10,000 images, 116\n" +
        " * ± 7 s of training; 2 seeds.\n" +
        " *\n * @module\n */\nExpect();\n",
    );
    assertStringIncludes(
      await update(results, "scripts/part4.ts", source),
      " * Expect: nothing is on record yet.\n *\n",
    );
  });
});

Deno.test("the committed files have the numbers of study.ts and of the committed results", async () => {
  const root = repositoryRoot();
  for (const { path, update } of await documents(join(root, REFERENCE_RESULTS))) {
    const text = await Deno.readTextFile(join(root, path));
    assertEquals(text, update(text), `${path}: run "deno task readme"`);
  }
});

Deno.test("readme says what it leaves out, and --check fails on it", async () => {
  const semicolons = `${oneRow}half;a line\n`.replaceAll(",", ";");
  await withFolder({ "part1.csv": semicolons, "part4 (2).csv": oneRow }, async (results) => {
    const skipped: string[] = [];
    await documents(results, (phrase) => skipped.push(phrase));
    assertEquals(skipped, [
      "part4 (2).csv: not read, as only partN.csv counts: move it away",
      "part1.csv, line 3: incomplete or damaged line, skipped",
    ]);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...taskArgs("readme"), "--check", "--results", results],
      cwd: repositoryRoot(),
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 1);
    const [first, second, last] = new TextDecoder().decode(stderr).split("\n");
    assertEquals([first, second], skipped.map((phrase) => `Left out: ${phrase}`));
    assertEquals(last, `error: Not all of ${results} was read: ${skipped.join("; ")}`);
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
    assertMatch(line, /^error: The numbers in README\.md, .* are not those of /);
    assertStringIncludes(line, ` are not those of ${results}: run`);
    assertEquals(line.split("\n").length, 2);
    assertEquals(await Deno.readTextFile(join(repositoryRoot(), "README.md")), readme);
  });
});
