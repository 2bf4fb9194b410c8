import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { REFERENCE_RESULTS } from "../../report/record/reference_results.ts";
import { formatRow, HEADER } from "../../report/record/results.ts";
import { asPublished } from "../report/compared_runs.ts";
import { recordRun, resultRow, withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";

const oneRow = `${HEADER}\n${formatRow(resultRow({ epochs: 2, test_loss: null }))}\n`;

const REFERENCE_REPORT = join(repositoryRoot(), REFERENCE_RESULTS, "report.md");

/** Runs the script with the permissions that it needs and no others. */
async function compare(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...taskArgs("compare"), ...args],
    cwd: repositoryRoot(),
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("compare writes report.md and prints the table", async () => {
  await withFolder({ "part1.csv": oneRow }, async (folder) => {
    const { code, stdout, stderr } = await compare("--out", folder);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "| SimpleCNN | – | 99.10 | 0.9909 | 120.50 |\n");
    assertStringIncludes(stdout, `Written to ${join(folder, "report.md")}\n`);
    assertStringIncludes(stderr, "SimpleCNN is not comparable with the published values: epochs 2");
    assertStringIncludes(stderr, "see Problems in");
    const report = await Deno.readTextFile(join(folder, "report.md"));
    assertStringIncludes(report, "| SimpleCNN | – | 99.10 | 0.9909 | 120.50 |\n");
  });
});

Deno.test("compare --json prints JSON alone on stdout", async () => {
  await withFolder({ "part1.csv": oneRow }, async (folder) => {
    const { code, stdout, stderr } = await compare("--out", folder, "--json");
    assertEquals(code, 0, stderr);
    const result = JSON.parse(stdout);
    assertEquals(result.report, join(folder, "report.md"));
    assertEquals(result.models[0].row.accuracy, 99.1);
    assertEquals(result.models[0].row.test_loss, null);
    assertEquals(result.models[1].row, null);
    assertEquals([result.tests.published, result.tests.pairs], [result.judged.count, 0]);
    assertStringIncludes(stderr, "Written to ");
  });
});

Deno.test("compare --quiet prints warnings only", async () => {
  await withFolder({ "part1.csv": oneRow }, async (folder) => {
    const { code, stdout, stderr } = await compare("--out", folder, "--quiet");
    assertEquals([code, stdout], [0, ""]);
    assertStringIncludes(stderr, "not comparable");
  });
});

Deno.test("compare without results is one line that says what to do, exit 1", async () => {
  await withFolder({}, async (folder) => {
    const { code, stdout, stderr } = await compare("--out", folder);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /No results in .*: run `deno task part1` first.*\n$/);
  });
});

Deno.test("compare names a --results that is no folder, exit 2", async () => {
  await withFolder({ "part1.csv": "" }, async (folder) => {
    for (const [name, found] of [["nowhere", "there is none at"], ["part1.csv", "is a file"]]) {
      const path = join(folder, name!);
      const { code, stdout, stderr } = await compare("--results", path, "--out", folder);
      assertEquals([code, stdout], [2, ""]);
      assertStringIncludes(stderr, `--results ${path}: expected an existing folder; `);
      assertStringIncludes(stderr, found!);
    }
  });
});

Deno.test("compare --check fails for a value that differs, in one line", async () => {
  const answer = (target: number, index: number) => index % 50 === 0 ? 0 : target;
  await withFolder({}, async (folder) => {
    await recordRun(folder, { images: 10_000, answer });
    const { code, stderr } = await compare("--out", folder, "--check", "--quiet");
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^error: The comparison does not hold: SimpleCNN's accuracy differs from .*f1 differs.*\n$/,
    );
    assertEquals((await compare("--out", folder, "--quiet")).code, 0);
  });
});

Deno.test("compare --check passes where all is reproduced, and warns of other numbers of images", async () => {
  await withFolder({}, async (folder) => {
    for (const [seed, loss] of [[1, 0.0224], [2, 0.0226]] as const) {
      await recordRun(folder, asPublished(seed, loss));
    }
    const answer = (target: number) => target;
    await recordRun(folder, { images: 110, answer, row: { run_id: "b", model: "Another" } });
    const good = await compare("--out", folder, "--check", "--require", "simplecnn");
    assertEquals(good.code, 0, good.stderr);
    assertStringIncludes(good.stderr, "The rows shown were tested on different images");
    const { code, stderr } = await compare("--out", folder, "--check", "--require=simplecnn,vgg16");
    assertEquals(code, 1);
    assertStringIncludes(stderr, "does not hold: vgg16_FineTuned has not been run; see");
    const named = await compare("--out", folder, "--check", "--code", "0123abc,HEAD");
    assertEquals(named.code, 2);
    assertMatch(named.stderr, /^error: --code takes commits of 7 to 40 .*, not "HEAD"\n$/);
    const alone = await compare("--out", folder, "--require", "simplecnn");
    assertEquals(alone.code, 2);
    assertMatch(alone.stderr, /^error: --require needs --check; give both or neither\n$/);
  });
});

Deno.test("compare says on the terminal what it left out, and --check fails on it", async () => {
  const files = { "part1.csv": `${oneRow}half,a line\n`, "part1 (1).csv": "\u202e" };
  await withFolder(files, async (folder) => {
    const { code, stderr } = await compare("--out", folder);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "Left out: part1 (1).csv: not read, as only partN.csv counts");
    assertStringIncludes(stderr, "Left out: part1.csv, line 3: incomplete or damaged line");
    const checked = await compare("--out", folder, "--check");
    assertEquals(checked.code, 1);
    assertMatch(checked.stderr, /error: .* incomplete or damaged line, skipped; see .*\n$/);
  });
});

Deno.test("compare shows no control characters of a file on the terminal", async () => {
  const bad = "a\u202eb\u001b[31mc";
  const row = formatRow(resultRow({ model: bad, dataset: bad, error: bad }));
  await withFolder({ "part1.csv": `${oneRow}${row}\n` }, async (folder) => {
    for (const flags of [[], ["--json"]]) {
      const { code, stdout, stderr } = await compare("--out", folder, ...flags);
      assertEquals(code, 0, stderr);
      assertEquals((stdout + stderr).match(/[^\P{C}\n]/gu), null);
    }
  });
});

Deno.test("compare --results takes folders together, and writes to --out alone", async () => {
  const answer = (target: number) => target;
  await withFolder({}, async (folder) => {
    const [here, there, out] = ["here", "there", "out"].map((name) => join(folder, name));
    await recordRun(here!, { images: 100, answer });
    await recordRun(there!, { images: 100, answer, row: { run_id: "b", model: "Another" } });
    const flags = ["--results", here!, "--results", there!, "--out", out!, "--json"];
    const { code, stdout, stderr } = await compare(...flags);
    assertEquals(code, 0, stderr);
    const { folders, pairs, figures } = JSON.parse(stdout);
    assertEquals(folders, [here, there]);
    assertEquals(pairs.length, 1);
    const report = await Deno.readTextFile(join(out!, "report.md"));
    for (const { file } of figures) {
      assertStringIncludes(report, `](${file})\n`);
      assert((await Deno.stat(join(out!, file))).isFile);
    }
    assert(figures.length > 0);
    assertEquals([...Deno.readDirSync(here!)].map(({ name }) => name).sort(), [
      ".lock",
      "part1.csv",
      "runs",
    ]);
  });
});

Deno.test("compare --results DIR writes beside DIR, and deletes nothing there", async () => {
  const answer = (target: number) => target;
  await withFolder({}, async (folder) => {
    const mine = join(folder, "mine");
    await recordRun(mine, { images: 100, answer });
    await Deno.mkdir(join(mine, "figures"));
    const drawn = join(mine, "figures", "confusion_Other.svg");
    await Deno.writeTextFile(drawn, "drawn by hand");
    const before = await Deno.readTextFile(REFERENCE_REPORT);
    const { code, stdout, stderr } = await compare("--results", mine);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, `Written to ${join(mine, "report.md")}\n`);
    assertEquals(await Deno.readTextFile(drawn), "drawn by hand");
    assertEquals(await Deno.readTextFile(REFERENCE_REPORT), before);
    const report = await Deno.readTextFile(join(mine, "report.md"));
    assertStringIncludes(
      report,
      "| Published accuracy (%) | Reference (%) | Yours (%) | Verdict |",
    );
  });
});

Deno.test("compare --format html writes one file with the figures inside", async () => {
  const answer = (target: number) => target;
  await withFolder({}, async (folder) => {
    await recordRun(folder, { images: 100, answer });
    const { code, stdout, stderr } = await compare("--out", folder, "--format", "html");
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, `Written to ${join(folder, "report.html")}\n`);
    const first = await Deno.readTextFile(join(folder, "report.html"));
    assertStringIncludes(first, '<h2 id="conclusion">Conclusion</h2>');
    assertStringIncludes(first, '<img src="data:image/svg+xml;base64,');
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assertEquals(left, [".lock", "part1.csv", "report.html", "runs"]);
    await compare("--out", folder, "--format", "html");
    assertEquals(await Deno.readTextFile(join(folder, "report.html")), first);
  });
});

Deno.test("compare names an unknown flag, exit 2, and shows --help", async () => {
  const [unknown, help] = await Promise.all([compare("--outt", "x"), compare("--help")]);
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.stderr, "--outt");
  assertEquals(help.code, 0);
  for (
    const flag of [
      "--out",
      "--results",
      "--format",
      "--check",
      "--require",
      "--quiet",
      "--json",
      "--help",
    ]
  ) {
    assertStringIncludes(help.stdout, flag);
  }
});
