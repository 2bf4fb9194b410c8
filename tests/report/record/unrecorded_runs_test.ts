import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { compareResults } from "../../../report/compare.ts";
import { writeKeptRow } from "../../../report/record/kept_row.ts";
import { formatPlace } from "../../../report/record/problems.ts";
import { runFolder, writeManifest, writePredictions } from "../../../report/record/run_folder.ts";
import { lockRun } from "../../../report/record/run_lock.ts";
import { recordRun, resultRow, withFolder } from "../result_rows.ts";

Deno.test("compareResults() tells of runs without a row and of folders that are no runs", () =>
  withFolder({}, async (out) => {
    await recordRun(out, { images: 100, answer: (target) => target });
    for (const run_id of ["killed", "live", "finished", "tested", "measured", "copied"]) {
      const rest = { settings: {}, versions: {}, machine: {}, git: null };
      const named = run_id === "copied" ? "run-1" : run_id;
      await writeManifest(runFolder(out, run_id), {
        ...{ run_id: named, started_at: "2026-01-01T10:00:00.000Z", part: 1, model: "SimpleCNN" },
        ...rest,
        ...(run_id === "measured" && { measured: {} }),
      });
    }
    await writeKeptRow(runFolder(out, "finished"), resultRow({ run_id: "finished" }));
    const tested = { targets: [7], predictions: [7], scores: [0.9] };
    await writePredictions(runFolder(out, "tested"), tested);
    for (const name of [".ipynb_checkpoints", "copy of run-1", "empty"]) {
      await Deno.mkdir(join(out, "runs", name));
    }
    using _lock = await lockRun(runFolder(out, "live"));
    const { problems } = await compareResults([out]);
    const told = problems.map((problem) => [formatPlace(problem), problem.text])
      .filter(([place]) => !place!.includes("run-1/"));
    assertEquals(told, [
      [join("runs", ".ipynb_checkpoints"), "not the folder of a run, passed over"],
      [join("runs", "copy of run-1"), "not the folder of a run, passed over"],
      [join("runs", "copied"), "no row, and no manifest of this run: passed over"],
      [join("runs", "empty"), "no row, and no manifest of this run: passed over"],
      [
        join("runs", "finished"),
        "the run is finished, but its row is only in its folder: the same command with --resume " +
        "adds it",
      ],
      [
        join("runs", "killed"),
        "no row: the run was killed; the same command with --resume goes on with it, or remove " +
        "the folder",
      ],
      [join("runs", "live"), "no row yet: the run is still going on"],
      ...["measured", "tested"].map((name) => [
        join("runs", name),
        "the run is finished, but its row is missing: put its part's CSV right, or the same " +
        "command with --resume tests it again and adds the row",
      ]),
    ]);
  }));

Deno.test("compareResults() says of no run that it has no row as its row was left out", () =>
  withFolder({}, async (out) => {
    await recordRun(out, { images: 100, answer: (target) => target, row: { accuracy: 101 } });
    const { problems } = await compareResults([out]);
    assertEquals(problems.map(({ text }) => text), ["accuracy is not in 0..100 %, row skipped"]);
  }));
