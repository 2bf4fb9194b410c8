/** docs/guide.md says how another project imports the suite: its blocks are such a project. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { join, resolve } from "node:path";
import { findLibrary } from "../../engine/library/find_library.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { silentReporter } from "../../io/reporter.ts";
import { withFolder } from "../report/result_rows.ts";

const root = resolve(repositoryRoot());
const guide = await Deno.readTextFile(join(root, "docs", "guide.md"));
const library = await findLibrary({ reporter: silentReporter });

/** The project that the guide shows, its files by name, with the suite where it is here. */
const PROJECT = Object.fromEntries(
  Array.from(
    guide.matchAll(/^```(?:json|ts) (\S+)\n([^]*?)^```$/gm),
    ([, path, text]) => [path!, text!.replaceAll("../mnist-study", root.replaceAll("\\", "/"))],
  ),
);

/** What the guide runs there, and the permissions that it gives. */
const COMMAND = /^deno (run .*classify\.ts)$/m.exec(guide)![1]!.split(" ");

async function deno(cwd: string, args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", LIBTENSORFLOW_PATH: library.path },
  }).output();
  const [out, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out!, stderr: problem! };
}

Deno.test("another project imports the suite as the guide says, and trains a model of its own, types included", async () => {
  const programs = { "classify.ts": "[ 3 ]\n", "train.ts": "true\n" };
  assertEquals(Object.keys(PROJECT).sort(), [...Object.keys(programs), "deno.json"].sort());
  await withFolder(PROJECT, async (folder) => {
    // Types of both at once: those of the suite are the greater part.
    const checked = await deno(folder, ["check", ...Object.keys(programs)]);
    assertEquals(checked.code, 0, checked.stderr);
    const [name, ...flags] = COMMAND.slice(0, -1);
    for (const [program, output] of Object.entries(programs)) {
      const args = [name!, "--no-prompt", ...flags, program];
      const { code, stdout, stderr } = await deno(folder, args);
      assertEquals([code, stdout], [0, output], stderr);
    }
  });
});

Deno.test("a single file imports mod.ts with the suite's configuration, as the guide says", async () => {
  assertStringIncludes(guide, "`deno run --config ../mnist-study/deno.json`");
  const source = PROJECT["classify.ts"]!.replace("@mnist-study/suite", `${root}/mod.ts`);
  await withFolder({ "classify.ts": source }, async (folder) => {
    const config = join(root, "deno.json");
    const lock = join(root, "deno.lock");
    const flags = ["--config", config, "--lock", lock, "-P=engine", "--no-prompt"];
    const { code, stdout, stderr } = await deno(folder, ["run", ...flags, "classify.ts"]);
    assertEquals([code, stdout], [0, "[ 3 ]\n"], stderr);
  });
});
