/** `deno task runs` in processes of its own, with the task's permissions. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { exists } from "../../io/path_kind.ts";
import { runFolder } from "../../report/record/run_folder.ts";
import { lockRun } from "../../report/record/run_lock.ts";
import { IDS, writeSomeRuns } from "../report/runs/some_runs.ts";
import { withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";
import { Program } from "./part1_process.ts";

const task = taskArgs("runs");

/** Runs the script in a folder, where nobody can be asked. */
async function runs(cwd: string, ...args: string[]) {
  const root = repositoryRoot();
  const [script, ...options] = task.toReversed();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...options.toReversed().map((option) => option.replace("--lock=", `--lock=${root}/`)),
      `--config=${join(root, "deno.json")}`,
      join(root, script!),
      ...args,
    ],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("the task may neither call foreign code nor reach the network nor run programs", async () => {
  const { permissions } = JSON.parse(await Deno.readTextFile(join(repositoryRoot(), "deno.json")));
  assertEquals(permissions.runs, { read: true, write: true, env: ["INIT_CWD", "TERM"] });
  assert(task.includes("-P=runs"));
});

Deno.test("runs lists, shows and compares, in the folder that the user is in", () =>
  withFolder({}, async (folder) => {
    await writeSomeRuns(join(folder, "mine"));
    const mine = ["--results", "mine"];
    const bare = await runs(folder, ...mine);
    assertEquals([bare.code, bare.stderr], [0, ""]);
    for (const id of Object.values(IDS)) assertStringIncludes(bare.stdout, id);
    const [list, show, diff, none] = await Promise.all([
      runs(folder, "list", "--status=ok", "--sort=accuracy", "--json", ...mine),
      runs(folder, "show", `mine/runs/${IDS.ok}`),
      runs(folder, "diff", "0000000a", "0000000b", "--json", ...mine),
      runs(folder, "list", "--model", "vgg", ...mine),
    ]);
    assertEquals(
      JSON.parse(list.stdout).map((run: { runId: string }) => run.runId),
      [IDS.other, IDS.ok],
    );
    assertEquals([show.code, show.stderr], [0, ""]);
    assertMatch(show.stdout, /^ {2}accuracy +96\.00 % \(/m);
    const { runs: pair, pair: { images } } = JSON.parse(diff.stdout);
    assertEquals([pair, images], [[IDS.ok, IDS.other], 60]);
    assertEquals(none.stdout, `None of 7 runs matches in ${join(folder, "mine")}\n`);
  }));

Deno.test("runs rm removes with --yes alone where nobody can be asked, and no run going on", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const results = ["--results", out];
    const unasked = await runs(out, "rm", "0000000a", ...results);
    assertEquals(unasked.code, 1);
    assertEquals(
      unasked.stderr,
      "error: Nothing is removed: there is no terminal to ask on; add --yes to do it\n",
    );
    assertMatch(unasked.stdout, new RegExp(`^ {2}${IDS.ok}: ok, accuracy 96\\.00 %, .* kB\n$`));
    {
      using _lock = await lockRun(runFolder(out, IDS.other));
      const live = await runs(out, "rm", "0000000a", "0000000b", "--yes", ...results);
      assertEquals([live.code, live.stdout], [1, ""]);
      assertMatch(live.stderr, /^error: Run .*0000000b is going on in another process: .*\n$/);
    }
    const done = await runs(out, "rm", "0000000a", "0000000b", "--yes", ...results);
    assertEquals([done.code, done.stderr], [0, ""]);
    assertStringIncludes(done.stdout, `Removed run ${IDS.ok}\nRemoved run ${IDS.other}\n`);
    const csv = await Deno.readTextFile(join(out, "part1.csv"));
    assertEquals(csv.split("\n").slice(1).map((line) => line.split(",")[0]), [IDS.interrupted, ""]);
    assertEquals(await exists(runFolder(out, IDS.ok)), false);
  }));

Deno.test("runs clean shows what it would remove, and removes it with --yes", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const results = ["--results", out];
    const [dry, unasked] = await Promise.all([
      runs(out, "clean", "--dry-run", ...results),
      runs(out, "clean", ...results),
    ]);
    assertEquals([dry.code, dry.stderr, unasked.code], [0, "", 1]);
    assertStringIncludes(dry.stdout, `${runFolder(out, IDS.killed)}: a run killed after epoch 2;`);
    assertMatch(dry.stdout, /^.* would be removed$/m);
    assert(await exists(runFolder(out, IDS.killed)));
    const done = await runs(out, "clean", "--yes", ...results);
    assertStringIncludes(done.stdout, "Removed 2 of 2\n");
    assertEquals(await exists(runFolder(out, IDS.killed)), false);
    assert(await exists(runFolder(out, IDS.unrecorded)));
    const again = await runs(out, "clean", ...results);
    assertEquals([again.code, again.stdout], [0, `Nothing to remove in ${out}\n`]);
  }));

Deno.test("runs tells of a wrong command line in one line, exit 2", async () => {
  const [command, count, committed, ...nowhere] = await Promise.all([
    runs(repositoryRoot(), "lst"),
    runs(repositoryRoot(), "diff", "a"),
    runs(repositoryRoot(), "rm", "seed", "--yes", "--results", "results/reference"),
    ...["list", "clean"].map((name) => runs(repositoryRoot(), name, "--results", "/nowhere")),
  ]);
  for (const { code, stderr } of nowhere) {
    const told = "--results /nowhere: expected an existing folder; there is none at /nowhere";
    assertEquals([code, stderr], [2, `error: ${told}\n`]);
  }
  assertEquals([command.code, count.code, committed.code], [2, 2, 1]);
  assertEquals(
    command.stderr,
    "error: Unknown command lst; did you mean list? There are list, show, diff, rm, clean\n",
  );
  assertEquals(
    count.stderr,
    "error: Name 2 runs, not 1: deno task runs diff RUN RUN [flags]; see --help\n",
  );
  for (const words of [["show", ""], ["diff", "a", ""], ["rm", "", "--yes"]]) {
    const { code, stderr } = await runs(repositoryRoot(), ...words);
    assertEquals(code, 2);
    assertMatch(stderr, /^error: The name of a run is empty: .*\n$/);
  }
  assertMatch(committed.stderr, /^error: "seed" may be any of \d+ runs: say more of .*\n$/);
});

const hasScript = await new Deno.Command("script", { args: ["--version"] }).output()
  .then(({ stdout }) => new TextDecoder().decode(stdout).includes("util-linux"), () => false);
if (!hasScript) console.log("skipped: runs rm on a terminal (there is no util-linux script)");

Deno.test({
  name: "runs rm asks on a terminal, and does as it is told",
  ignore: !hasScript,
  fn: () =>
    withFolder({}, async (out) => {
      await writeSomeRuns(out);
      for (const [answer, isThere] of [["n", true], ["y", false]] as const) {
        const command = [Deno.execPath(), ...task, "rm", "0000000a", "--results", out].join(" ");
        const terminal = new Program("script", ["-qefc", command, "/dev/null"]);
        await terminal.until(/Remove this run, its folder and row\?/);
        await terminal.type(`${answer}\n`);
        const { code, stdout } = await terminal.end();
        assertEquals(code, 0, stdout);
        assertStringIncludes(stdout, isThere ? "Nothing is removed" : `Removed run ${IDS.ok}`);
        assertEquals(await exists(runFolder(out, IDS.ok)), isThere);
      }
    }),
});
