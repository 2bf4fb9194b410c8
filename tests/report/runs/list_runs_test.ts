import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { StudyError } from "../../../io/errors.ts";
import { ProblemList } from "../../../report/record/problems.ts";
import { runFolder } from "../../../report/record/run_folder.ts";
import { lockRun } from "../../../report/record/run_lock.ts";
import { findRun } from "../../../report/runs/find_run.ts";
import { listPage } from "../../../report/runs/list_page.ts";
import { listRuns } from "../../../report/runs/list_runs.ts";
import { filterRuns, sortRuns } from "../../../report/runs/select_runs.ts";
import { recordRun, withFolder } from "../result_rows.ts";
import { IDS, writeSomeRuns } from "./some_runs.ts";

Deno.test("listRuns() finds runs with and without rows, and says what is wrong with them", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    await Deno.mkdir(join(out, "runs", "copy of x"));
    await Deno.remove(join(runFolder(out, IDS.other), "predictions.csv"));
    using _lock = await lockRun(runFolder(out, IDS.interrupted));
    const problems = new ProblemList();
    const runs = await listRuns([out], problems);
    assertEquals(runs.map(({ runId, state, file, note }) => [runId, state, file, note]), [
      [IDS.empty, "broken", null, "a folder without a manifest of this run"],
      [IDS.foreign, "broken", null, "a folder without a manifest of this run"],
      [IDS.ok, "ok", "part1.csv", ""],
      [IDS.other, "ok", "part1.csv", "its predictions are missing"],
      [IDS.interrupted, "running", "part1.csv", ""],
      [IDS.killed, "killed", null, "after epoch 2; --resume goes on with it"],
      [
        IDS.unrecorded,
        "unrecorded",
        null,
        "finished, but its row is only in its folder: --resume adds it",
      ],
    ]);
    // A value of another type than its column is passed over.
    const { seed, epochs, train_images, batch_size, device, part } = runs[5]!.row;
    assertEquals([seed, epochs, train_images, batch_size], [3, 2, 1000, null]);
    assertEquals([device, part, runs[6]!.row.accuracy], ["CPU", 1, 99.1]);
    assertEquals(problems.list().map(({ file, text }) => [file, text]), [
      [join(out, "runs", "copy of x"), "not the folder of a run, passed over"],
    ]);
    await Deno.remove(runFolder(out, IDS.ok), { recursive: true });
    const [, , ok] = await listRuns([out], new ProblemList());
    assertEquals([ok!.folder, ok!.note], [null, "its folder is missing"]);
  }));

Deno.test("listRuns() keeps a run whose score can't be right, and says so", () =>
  withFolder({}, async (out) => {
    await recordRun(out, { images: 100, answer: (target) => target, row: { accuracy: 101 } });
    const problems = new ProblemList();
    const runs = await listRuns([out], problems);
    assertEquals(runs.map(({ runId, state }) => [runId, state]), [["run-1", "ok"]]);
    assertEquals(problems.list().map(({ text, skipped }) => [text, skipped]), [
      ["accuracy is not in 0..100 %", false],
    ]);
  }));

Deno.test("listRuns() takes a folder without runs, and refuses one that is not there", () =>
  withFolder({}, async (out) => {
    assertEquals(await listRuns([out], new ProblemList()), []);
    const missing = join(out, "missing");
    await assertRejects(
      () => listRuns([missing], new ProblemList()),
      StudyError,
      `There is no folder ${missing}: run \`deno task part1\` first`,
    );
  }));

Deno.test("filterRuns() and sortRuns() choose and order", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const runs = await listRuns([out], new ProblemList());
    const chosen = (filter: Parameters<typeof filterRuns>[1]) =>
      filterRuns(runs, filter).map(({ runId }) => runId);
    assertEquals(chosen({ seeds: [1, 2] }), [IDS.ok, IDS.other, IDS.interrupted]);
    assertEquals(chosen({ states: ["killed", "broken"], model: "simplecnn" }), [IDS.killed]);
    assertEquals(chosen({ data: "fashion" }), []);
    assertEquals(chosen({ parts: [2] }), []);
    assertEquals(chosen({ precision: "float32", seeds: [4] }), [IDS.unrecorded]);
    const order = (key: Parameters<typeof sortRuns>[1]["key"], reverse = false) =>
      sortRuns(filterRuns(runs, { states: ["ok", "unrecorded", "interrupted"] }), { key, reverse })
        .map(({ runId }) => runId);
    assertEquals(order("started"), [IDS.unrecorded, IDS.interrupted, IDS.other, IDS.ok]);
    // Accuracies are 99.1, 98.3, 96 and none, which comes last either way.
    assertEquals(order("accuracy"), [IDS.unrecorded, IDS.other, IDS.ok, IDS.interrupted]);
    assertEquals(order("accuracy", true), [IDS.ok, IDS.other, IDS.unrecorded, IDS.interrupted]);
    assertEquals(order("seed"), [IDS.interrupted, IDS.ok, IDS.other, IDS.unrecorded]);
  }));

Deno.test("listPage() keeps to the screen, and cuts ids to what names one run", () =>
  withFolder({}, async (out) => {
    await writeSomeRuns(out);
    const runs = await listRuns([out], new ProblemList());
    const ok = filterRuns(runs, { states: ["ok"] });
    assertEquals(listPage(ok, Infinity), [
      "run                                                 state  data       images  epochs  " +
      "accuracy      F1        time",
      `${IDS.ok}  ok     mnist  60,000/100      10     96.00  0.9600  2 min 01 s`,
      `${IDS.other}  ok     mnist   60,000/60       3     98.33  0.9832  2 min 01 s`,
    ]);
    assertEquals(listPage(ok, 70), [
      "run       model      seed  state  epochs  accuracy        time",
      "0000000a  SimpleCNN     1  ok         10     96.00  2 min 01 s",
      "0000000b  SimpleCNN     2  ok          3     98.33  2 min 01 s",
    ]);
  }));

Deno.test("findRun() takes an id, a beginning, a part and a folder, and names what may be meant", () =>
  withFolder({}, async (origin) => {
    const out = join(origin, "results");
    await writeSomeRuns(out);
    const find = async (word: string, folders = [out]) =>
      (await findRun(word, { folders, origin, problems: new ProblemList() })).runId;
    assertEquals(await find(IDS.ok), IDS.ok);
    assertEquals(await find("20260102"), IDS.other);
    assertEquals(await find("0000000d"), IDS.killed);
    assertEquals(await find("notes"), IDS.foreign);
    assertEquals(await find(`results/runs/${IDS.other}/`), IDS.other);
    const elsewhere = join(origin, "elsewhere");
    await Deno.mkdir(elsewhere);
    assertEquals(await find(join(out, "runs", IDS.ok), [elsewhere]), IDS.ok);
    const fails = async (word: string, message: string) => {
      assertEquals((await assertRejects(() => find(word), StudyError)).message, message);
    };
    await fails(
      "seed1",
      `"seed1" may be any of 2 runs: say more of ${IDS.ok}, ${IDS.interrupted}`,
    );
    await fails("x", `No run "x" in ${out}: \`deno task runs list\` says which there are`);
    await fails("", `No run "" in ${out}: \`deno task runs list\` says which there are`);
    await fails(
      "results/x",
      `${join(out, "x")} is not the folder of a run: name DIR/runs/ID, or an id`,
    );
  }));
