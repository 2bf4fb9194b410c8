/** docs/architecture.md does what it says: its blocks are applied to a copy of the suite. */

import { assert, assertEquals } from "@std/assert";
import { dirname, join } from "node:path";
import { findLibrary } from "../../engine/library/find_library.ts";
import { cacheDir, repositoryRoot } from "../../io/cache.ts";
import { exists } from "../../io/path_kind.ts";
import { silentReporter } from "../../io/reporter.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { readResults, resultsPath } from "../../report/record/results.ts";
import { withFolder } from "../report/result_rows.ts";

const root = repositoryRoot();
const page = await Deno.readTextFile(join(root, "docs", "architecture.md"));
const library = await findLibrary({ reporter: silentReporter });

/** A block of code of the page: a whole file, or what is added to one. */
interface Block {
  language: string;
  path: string;
  code: string;
}

const blocks: Block[] = Array.from(
  page.matchAll(/^```(\w+) (\S+)\n([^]*?)^```$/gm),
  ([, language, path, code]) => ({ language: language!, path: path!, code: code! }),
);

/** Runs a program to its end; returns its standard output. */
async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    env: {
      NO_COLOR: "1",
      INIT_CWD: cwd,
      LIBTENSORFLOW_PATH: library.path,
      MNIST_STUDY_CACHE: cacheDir(),
    },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert(success, `${command} ${args.join(" ")}: ${out}${err}`);
  return out!;
}

/** Copies what git has or would take. */
async function copySuite(to: string): Promise<void> {
  const list = await run(
    "git",
    [
      "ls-files",
      "-z",
      "--cached",
      "--others",
      "--exclude-standard",
      "--",
      ":!results/",
      ":!tests/",
    ],
    root,
  );
  for (const path of list.split("\0").filter((path) => path !== "")) {
    if (!await exists(join(root, path))) continue;
    await Deno.mkdir(dirname(join(to, path)), { recursive: true });
    await Deno.copyFile(join(root, path), join(to, path));
  }
}

/** Writes a block's file, or adds its `+` lines where its other lines stand in the file. */
async function applyBlock({ language, path, code }: Block, folder: string): Promise<void> {
  const file = join(folder, path);
  if (language !== "diff") return await Deno.writeTextFile(file, code, { createNew: true });
  const lines = code.split("\n").slice(0, -1);
  const textOf = (chosen: readonly string[]) => chosen.map((line) => `${line.slice(1)}\n`).join("");
  const before = textOf(lines.filter((line) => !line.startsWith("+")));
  const parts = (await Deno.readTextFile(file)).split(before);
  assertEquals(parts.length, 2, `${path} must have these lines once:\n${before}`);
  await Deno.writeTextFile(file, parts.join(textOf(lines)));
}

Deno.test("every file that architecture.md names is there", async () => {
  const added = blocks.filter(({ language }) => language !== "diff").map(({ path }) => path);
  const prose = page.replaceAll(/^```[^]*?^```$/gm, "");
  for (const [, path] of prose.matchAll(/`([\w/]+\/[\w/.]*)`/g)) {
    const isThere = added.includes(path!) || path!.startsWith("results/") ||
      await exists(join(root, path!));
    assert(isThere, `${path} is not there`);
  }
});

Deno.test("a model added as architecture.md says trains and leaves its row", async () => {
  await withFolder({}, async (folder) => {
    await copySuite(folder);
    for (const block of blocks) await applyBlock(block, folder);
    const deno = Deno.execPath();
    await run(deno, [
      "check",
      "-q",
      "--lock=deno.full.lock",
      "scripts/lenet5.ts",
      "report/",
      "mod.ts",
    ], folder);
    await run(
      deno,
      ["fmt", "-q", "--check", "study.ts", "deno.json", "scripts/", "models/"],
      folder,
    );
    await run(deno, ["lint", "-q"], folder);
    const size = ["--limit=2000", "--test-limit=500", "--epochs=1", "--batch-size=32"];
    await run(deno, ["task", "-q", "lenet5", ...size, "--out=out"], folder);
    const problems = new ProblemList();
    const rows = await readResults(resultsPath(join(folder, "out"), 1), problems);
    assertEquals(problems.list(), []);
    assertEquals(rows.map(({ row }) => [row.model, row.status, row.error]), [["LeNet5", "ok", ""]]);
    assert(rows[0]!.row.accuracy! > 60, `accuracy ${rows[0]!.row.accuracy}`);
    const table = await run(deno, ["task", "-q", "compare", "--out=out"], folder);
    assert(/^\| LeNet5 /m.test(table), table);
  });
});
