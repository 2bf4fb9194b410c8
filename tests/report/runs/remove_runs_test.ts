import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../../io/cache.ts";
import { StudyError } from "../../../io/errors.ts";
import { exists } from "../../../io/path_kind.ts";
import { ProblemList } from "../../../report/record/problems.ts";
import { REFERENCE_RESULTS } from "../../../report/record/reference_results.ts";
import {
  checkRemovable,
  findRemains,
  refuseReference,
  removeRun,
} from "../../../report/record/remove_run.ts";
import { readResults } from "../../../report/record/results.ts";
import { runFolder } from "../../../report/record/run_folder.ts";
import { isRunning, lockRun } from "../../../report/record/run_lock.ts";
import {
  findRemovables,
  type Removable,
  removeRemovable,
} from "../../../report/runs/clean_runs.ts";
import { type ListedRun, listRuns } from "../../../report/runs/list_runs.ts";
import { withReplaced } from "../../io/replaced_call.ts";
import { taskArgs } from "../../task.ts";
import { withFolder } from "../result_rows.ts";
import { IDS, RECORDED, writeSomeRuns } from "./some_runs.ts";

async function recordedIn(out: string): Promise<string[]> {
  const rows = await readResults(join(out, "part1.csv"), new ProblemList());
  return rows.map(({ row }) => row.run_id);
}

/** The run of that id, as it is to be removed. */
async function removable(out: string, runId: string) {
  return (await listRuns([out], new ProblemList())).find((one) => one.runId === runId)!;
}

/** What may go of these runs and their folder. */
async function removables(
  out: string,
  runs: readonly ListedRun[],
  { keepResumable = false, problems = new ProblemList() } = {},
): Promise<Removable[]> {
  return await findRemovables([out], { runs, keepResumable, problems });
}

Deno.test("removeRun() takes a run's folder and row, and leaves all else to the byte", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const path = join(out, "part1.csv");
    const odd = "half a line,1\r\n";
    await Deno.writeTextFile(path, odd, { append: true });
    const before = await Deno.readTextFile(path);
    assert(await removeRun(await removable(out, IDS.other)));
    const gone = before.split("\n").filter((line) => line.startsWith(IDS.other));
    assertEquals(gone.length, 1);
    assertEquals(await Deno.readTextFile(path), before.replace(`${gone[0]}\n`, ""));
    assert(!await exists(runFolder(out, IDS.other)));
    assert(await removeRun(await removable(out, IDS.unrecorded)));
    await Deno.remove(runFolder(out, IDS.ok), { recursive: true });
    assert(await removeRun(await removable(out, IDS.ok)));
    assertEquals(await recordedIn(out), [IDS.interrupted]);
    assertEquals(await findRemains(out), []);
  }));

Deno.test("removeRun() has no file of a folder open when it removes that", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const run = await removable(out, IDS.ok);
    const locked: boolean[] = [];
    await withReplaced("remove", (own) => async (path, options) => {
      if (await exists(join(`${path}`, ".lock"))) locked.push(await isRunning(`${path}`));
      return await own(path, options);
    }, async () => void await removeRun(run));
    assertEquals(locked, [false]);
  }));

Deno.test("removeRun() takes a row out of the file that has it, whatever part it names", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const path = join(out, "part1.csv");
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replaceAll(/(0Z,)1(,SimpleCNN,ok)/g, "$1two$2"));
    for (const id of [IDS.ok, IDS.other]) assert(await removeRun(await removable(out, id)));
    assertEquals(await recordedIn(out), [IDS.interrupted]);
  }));

Deno.test("removeRun() refuses a run that is going on, and a file that a spreadsheet saved", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const ok = await removable(out, IDS.ok);
    {
      using _lock = await lockRun(runFolder(out, IDS.ok));
      const message =
        `Run ${IDS.ok} is going on in another process: end it with Ctrl-C first, or ` +
        "wait for it";
      for (const action of [checkRemovable, removeRun]) {
        assertEquals((await assertRejects(() => action(ok), StudyError)).message, message);
      }
    }
    const path = join(out, "part1.csv");
    const text = (await Deno.readTextFile(path)).replaceAll(",", ";");
    await Deno.writeTextFile(path, text);
    await assertRejects(() => removeRun(ok), StudyError, "was saved with semicolons between the");
    assertEquals(await Deno.readTextFile(path), text);
    assert(await exists(join(runFolder(out, IDS.ok), "predictions.csv")));
  }));

Deno.test("nothing is removed from the committed results, by whatever way they are named", () =>
  withFolder({}, async (folder) => {
    const reference = join(repositoryRoot(), REFERENCE_RESULTS);
    const [run] = await listRuns([reference], new ProblemList());
    const { runId } = run!;
    const link = join(folder, "link");
    await Deno.symlink(reference, link);
    const inside = join(folder, "inside");
    await Deno.mkdir(inside);
    await Deno.symlink(join(reference, "runs"), join(inside, "runs"));
    for (const results of [reference, link, inside]) {
      await assertRejects(
        () => removeRun({ ...run!, results }),
        StudyError,
        "holds committed results",
      );
    }
    const options = { runs: [], keepResumable: false, problems: new ProblemList() };
    await assertRejects(() => findRemovables([link], options), StudyError, "committed results");
    assert(await exists(join(reference, "runs", runId, "manifest.json")));
    await refuseReference(join(repositoryRoot(), "results"));
  }));

Deno.test({
  name: "removeRun(), killed anywhere, leaves neither a folder nor a row alone",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    for (const runId of [IDS.ok, IDS.interrupted]) {
      let call = 0;
      for (let ended = false; !ended; call++) {
        await withFolder({}, async (out) => {
          await writeSomeRuns(out);
          const script = join(repositoryRoot(), "tests/report/runs/killed_removal.ts");
          const [, ...permissions] = taskArgs("runs").slice(0, -1);
          const { code, signal } = await new Deno.Command(Deno.execPath(), {
            args: [
              "run",
              "--no-check",
              ...permissions,
              "--allow-run",
              script,
              out,
              runId,
              `${call}`,
            ],
            cwd: repositoryRoot(),
          }).output();
          ended = code === 0;
          assert(ended || signal === "SIGKILL", `call ${call}: exit status ${code}`);
          const folder = runFolder(out, runId);
          const hasFolder = await exists(join(folder, "manifest.json"));
          const hasRow = (await recordedIn(out)).includes(runId);
          const isWhole = hasFolder && (hasRow || await exists(join(folder, "row.csv")));
          const isGone = !hasFolder && !hasRow;
          assert(isWhole || isGone, `call ${call}: folder ${hasFolder}, row ${hasRow}`);
          if (ended) assert(isGone);
          // What is left of it can be removed.
          if (isWhole) assert(await removeRun(await removable(out, runId)));
          const runs = await listRuns([out], new ProblemList());
          const found = await removables(out, runs, { keepResumable: true });
          for (const one of found) assert(await removeRemovable(one));
          assertEquals(await findRemains(out), []);
          assertEquals(await recordedIn(out), RECORDED.filter((id) => id !== runId));
          assertEquals(runs.filter((run) => run.runId === runId), []);
        });
      }
      assert(call > 3);
    }
  },
});

Deno.test("findRemovables() finds what killed processes left and nothing else", () =>
  withFolder({ ".lock": "", "part1.csv.7-0123abcd.tmp": "123" }, async (out) => {
    await writeSomeRuns(out);
    await Deno.mkdir(join(out, "runs", `.removed-${IDS.other}`));
    for (const run of [IDS.ok, IDS.killed]) {
      for (const name of [".lock", "history.csv.7-0123abcd.tmp"]) {
        await Deno.writeTextFile(join(runFolder(out, run), name), "");
      }
    }
    const runs = await listRuns([out], new ProblemList());
    const found = await removables(out, runs);
    const inRuns = (name: string) => join(out, "runs", name);
    assertEquals(found.map(({ path, what }) => [path, what]), [
      [inRuns(`.removed-${IDS.other}`), "what is left of a removed run"],
      [inRuns(IDS.empty), "a run killed as it began"],
      [inRuns(IDS.killed), "a run killed after epoch 2; --resume goes on with it"],
      [join(out, "part1.csv.7-0123abcd.tmp"), "a temporary file"],
      [join(inRuns(IDS.ok), "history.csv.7-0123abcd.tmp"), "a temporary file"],
    ]);
    const careful = await removables(out, runs, { keepResumable: true });
    assertEquals(careful.some(({ path }) => path === inRuns(IDS.killed)), false);
    {
      // Somebody goes on with it after all.
      using _lock = await lockRun(runFolder(out, IDS.killed));
      await assertRejects(() => removeRemovable(found[2]!), StudyError, "is going on");
    }
    for (const one of found) assert(await removeRemovable(one), one.path);
    const names = [...Deno.readDirSync(join(out, "runs"))].map(({ name }) => name).sort();
    assertEquals(names, [IDS.ok, IDS.other, IDS.interrupted, IDS.unrecorded, IDS.foreign].sort());
    assertEquals(await recordedIn(out), RECORDED);
    const left = await listRuns([out], new ProblemList());
    assertEquals(await removables(out, left), []);
  }));

Deno.test("findRemovables() takes no folder for a killed run's that it may not look into", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const runs = await listRuns([out], new ProblemList());
    const closed = runFolder(out, IDS.empty);
    const found = () => removables(out, runs);
    const paths = async () => (await found()).map(({ path }) => path);
    assertEquals(await paths(), [closed, runFolder(out, IDS.killed)]);
    await withReplaced("readDir", (own) => (path) => {
      if (path === closed) throw new Deno.errors.PermissionDenied("Permission denied");
      return own(path);
    }, async () => assertEquals(await paths(), [runFolder(out, IDS.killed)]));
  }));

Deno.test("removeRemovable() leaves a killed run that has been finished since", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const runs = await listRuns([out], new ProblemList());
    const found = await removables(out, runs);
    const path = join(out, "part1.csv");
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace(`\n${IDS.ok}`, `\n${IDS.killed}`));
    const killed = found.find((one) => one.run?.runId === IDS.killed)!;
    assertEquals(await removeRemovable(killed), false);
    assert(await exists(killed.path));
  }));

/** What becomes of a `part1.csv`: how it reads then, or `undefined` where it is no longer there. */
const DAMAGES: readonly ((text: string) => string | undefined)[] = [
  (text) => text.slice(text.indexOf("\n") + 1),
  (text) => text.replace("run_id", "id"),
  (text) => text.replace(/^.*/, (header) => header.toUpperCase()),
  (text) => text.replace(/,SimpleCNN,ok,.*/, ",SimpleCNN,ok"),
  () => "",
  (text) => text.slice(0, text.indexOf("\n") + 1),
  () => undefined,
];

Deno.test("findRemovables() finds no finished run, whatever has become of its row", async () => {
  for (const [i, damage] of DAMAGES.entries()) {
    await withFolder({}, async (out) => {
      await writeSomeRuns(out);
      const path = join(out, "part1.csv");
      const left = damage(await Deno.readTextFile(path));
      await (left === undefined ? Deno.remove(path) : Deno.writeTextFile(path, left));
      const problems = new ProblemList();
      const runs = await listRuns([out], problems);
      const ok = runs.find(({ runId }) => runId === IDS.ok)!;
      assertEquals(
        [ok.state, ok.row.status, ok.note],
        [
          "unrecorded",
          "ok",
          "finished, its row is missing: put its part's CSV right, or --resume adds it",
        ],
      );
      const found = await removables(out, runs, { problems });
      const ids = found.map(({ run }) => run?.runId);
      // Nor one that may have a row in what could not be read.
      const isUnread = i < 4;
      assertEquals(ids, isUnread ? [IDS.empty] : [IDS.empty, IDS.interrupted, IDS.killed]);
      const told = problems.list().filter(({ text }) => text.startsWith("stays, "));
      assertEquals(told.some(({ file }) => file === runFolder(out, IDS.killed)), isUnread);
    });
  }
});

Deno.test("removeRemovable() leaves a run since whose finding its part's CSV was damaged", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const found = await removables(out, await listRuns([out], new ProblemList()));
    const killed = found.find((one) => one.run?.runId === IDS.killed)!;
    await Deno.writeTextFile(join(out, "part1.csv"), "half a line,1\n", { append: true });
    assertEquals(await removeRemovable(killed), false);
    await Deno.rename(join(out, "part1.csv"), join(out, "part1_old.csv"));
    assertEquals(await removeRemovable(killed), false);
    // What another part's file has is no matter.
    await Deno.rename(join(out, "part1_old.csv"), join(out, "part2.csv"));
    assert(await removeRemovable(killed));
  }));
