import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { removeLeftovers } from "../../report/record/leftovers.ts";
import { addKeptRows, recordRow } from "../../experiment/recording.ts";
import { InterruptedError, StudyError } from "../../io/errors.ts";
import { tryLock } from "../../io/lock.ts";
import type { Reporter } from "../../io/reporter.ts";
import { readKeptRow, writeKeptRow } from "../../report/record/kept_row.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { appendRow, readResults, resultsPath } from "../../report/record/results.ts";
import { runFolder } from "../../report/record/run_folder.ts";
import { lockRun } from "../../report/record/run_lock.ts";
import { resultRow, withFolder } from "../report/result_rows.ts";

/** A reporter that remembers. */
function listener(): Reporter & { said: string[] } {
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  return { said, quiet: false, terminal: false, line: say, warn: say, live: () => {} };
}

async function rowsIn(out: string) {
  return (await readResults(resultsPath(out, 1), new ProblemList())).map(({ row }) => row);
}

const signal = new AbortController().signal;
const row = resultRow({ run_id: "a" });

Deno.test("recordRow() adds a row and keeps no copy of it", () =>
  withFolder({}, async (out) => {
    const reporter = listener();
    await recordRow(row, { out, reporter, signal });
    assertEquals(await rowsIn(out), [row]);
    assertEquals([...Deno.readDirSync(runFolder(out, "a"))], []);
    assertEquals(reporter.said, []);
  }));

Deno.test("recordRow() waits visibly, and keeps the row where the waiting is ended", () =>
  withFolder({}, async (out) => {
    const reporter = listener();
    const controller = new AbortController();
    using _held = await tryLock(join(out, ".lock"));
    const recording = recordRow(row, { out, reporter, signal: controller.signal });
    const refused = assertRejects(() => recording, InterruptedError);
    while (reporter.said.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    assertEquals(reporter.said, [
      `Waiting for another process that holds ${join(out, ".lock")}: Ctrl-C ends the waiting`,
    ]);
    controller.abort(new InterruptedError("Interrupted"));
    assertEquals(
      (await refused).message,
      `Run a is finished, but its row is not in ${join(out, "part1.csv")} (Interrupted); ` +
        `${runFolder(out, "a")} keeps it: add --resume to the same command to add it`,
    );
    assertEquals(await readKeptRow(runFolder(out, "a"), "a"), row);
  }));

Deno.test("recordRow() keeps a row that part1.csv does not take, and addKeptRows() adds it", () =>
  withFolder({}, async (out) => {
    const reporter = listener();
    await Deno.mkdir(join(out, "part1.csv"));
    const { message } = await assertRejects(
      () => recordRow(row, { out, reporter, signal }),
      StudyError,
    );
    assertStringIncludes(message, "keeps it: add --resume to the same command to add it");
    await Deno.remove(join(out, "part1.csv"));
    // Two at a time, as two processes with --resume are.
    await Promise.all([addKeptRows(1, { out, reporter }), addKeptRows(1, { out, reporter })]);
    assertEquals(await rowsIn(out), [row]);
    assertEquals(reporter.said, [
      `Run a was finished: its row is now in ${join(out, "part1.csv")}`,
    ]);
    assertEquals(await readKeptRow(runFolder(out, "a"), "a"), undefined);
  }));

Deno.test("recordRow() prints a row that no file takes", () =>
  withFolder({ "runs": "" }, async (out) => {
    const reporter = listener();
    await Deno.mkdir(join(out, "part1.csv"));
    await assertRejects(() => recordRow(row, { out, reporter, signal }), StudyError, "line above");
    assertEquals(reporter.said.length, 1);
    assertStringIncludes(reporter.said[0]!, "The row of run a is: a,2026-01-01T10:00:00.000Z,1,");
  }));

Deno.test("addKeptRows() adds no row twice, and none of other parts, live runs or damaged files", () =>
  withFolder({}, async (out) => {
    const keep = (run_id: string, changes = {}) =>
      writeKeptRow(runFolder(out, run_id), resultRow({ run_id, ...changes }));
    await appendRow(out, row);
    await keep("a");
    await keep("b", { part: 4 });
    await keep("c");
    await keep("d", { status: "error" });
    await writeKeptRow(runFolder(out, "e"), row);
    await Deno.mkdir(join(out, "runs", "copy of a"));
    await Deno.writeTextFile(join(runFolder(out, "d"), "row.csv"), "run_id,model,status\nd,");
    using _live = await lockRun(runFolder(out, "c"));
    await addKeptRows(1, { out, reporter: listener() });
    assertEquals(await rowsIn(out), [row]);
    for (const run of ["b", "c", "d", "e"]) {
      assert(
        [...Deno.readDirSync(runFolder(out, run))].some(({ name }) => name === "row.csv"),
        run,
      );
    }
  }));

Deno.test("removeLeftovers() removes temporary files of dead runs and nothing else", () => {
  const left = "part1.csv.7-0123abcd.tmp";
  const probe = ".write-test.7-0123abcd.tmp";
  return withFolder({ [left]: "", [probe]: "", "report.md.7-0123abcd.tmp": "" }, async (out) => {
    const names = ["checkpoint.safetensors.7-0123abcd.tmp", "mine.tmp", "manifest.json"];
    for (const run of ["dead", "live", "unlocked", "copy of dead"]) {
      await Deno.mkdir(join(out, "runs", run), { recursive: true });
      for (const name of names) await Deno.writeTextFile(join(out, "runs", run, name), "");
    }
    (await lockRun(runFolder(out, "dead")))![Symbol.dispose]();
    (await tryLock(join(out, ".lock")))![Symbol.dispose]();
    using _live = await lockRun(runFolder(out, "live"));
    await Deno.writeTextFile(join(out, "runs", probe), "");
    await removeLeftovers(out);
    const count = (folder: string) =>
      [...Deno.readDirSync(join(out, folder))].filter(({ name }) => name !== ".lock").length;
    const folders = ["dead", "live", "unlocked", "copy of dead"].map((name) => `runs/${name}`);
    assertEquals([...folders, "", "runs"].map(count), [2, 3, 3, 3, 2, 4]);
  });
});
