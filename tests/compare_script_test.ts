import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../io/cache.ts";
import { formatRow, HEADER } from "../report/results.ts";
import { resultRow, withFolder } from "./result_rows.ts";

const oneRow = `${HEADER}\n${formatRow(resultRow({ epochs: 2, test_loss: NaN }))}\n`;

/** Runs the script with the permissions that it needs and no others. */
async function compare(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-read", "--allow-write", "scripts/compare.ts", ...args],
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
    assertStringIncludes(stdout, "| SimpleCNN | NaN | 99.10 | 0.9909 | 120.50 |\n");
    assertStringIncludes(stdout, `Written to ${join(folder, "report.md")}\n`);
    assertStringIncludes(stderr, "SimpleCNN is not comparable with the published values: epochs 2");
    assertStringIncludes(stderr, "see Problems in");
    const report = await Deno.readTextFile(join(folder, "report.md"));
    assertStringIncludes(report, "| SimpleCNN | NaN | 99.10 | 0.9909 | 120.50 |\n");
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

Deno.test("compare names an unknown flag, exit 2, and shows --help", async () => {
  const [unknown, help] = await Promise.all([compare("--outt", "x"), compare("--help")]);
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.stderr, "--outt");
  assertEquals(help.code, 0);
  for (const flag of ["--out", "--quiet", "--json", "--help"]) {
    assertStringIncludes(help.stdout, flag);
  }
});

Deno.test("report/ imports nothing but io/, node: and @std", async () => {
  const folder = join(repositoryRoot(), "report");
  for await (const { name } of Deno.readDir(folder)) {
    const source = await Deno.readTextFile(join(folder, name));
    for (const [, from] of source.matchAll(/(?:from|import\() ?"([^"]+)"/g)) {
      assert(/^(\.\/|\.\.\/io\/|node:|@std\/)/.test(from!), `${name} imports ${from}`);
    }
  }
});
