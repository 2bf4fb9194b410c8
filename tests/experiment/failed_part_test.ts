import { assertEquals } from "@std/assert";
import { knownRows, noteFailedStart, noteFailure } from "../../experiment/failed_part.ts";
import { InterruptedError, StudyError } from "../../io/errors.ts";
import { ProblemList } from "../../report/record/problems.ts";
import {
  appendRow,
  readResults,
  type ResultRow,
  resultsPath,
} from "../../report/record/results.ts";
import { type Manifest, runFolder, writeManifest } from "../../report/record/run_folder.ts";
import { FASTER_RCNN_ADAPTED } from "../../study.ts";
import { resultRow, withFolder } from "../report/result_rows.ts";

const { part, name } = FASTER_RCNN_ADAPTED;
const START = { model: FASTER_RCNN_ADAPTED, columns: { batch_size: 2 }, resume: true, command: [] };

/** The row of a run of this model with this seed. */
function rowOf(seed: number, changes: Partial<ResultRow>): ResultRow {
  const run_id = `run-of-${seed}`;
  return resultRow({ part, model: name, seed, run_id, epochs: null, ...changes });
}

async function rowsOf(out: string): Promise<ResultRow[]> {
  return (await readResults(resultsPath(out, part), new ProblemList())).map(({ row }) => row);
}

Deno.test("noteFailedStart() leaves the row of a run that is finished the last one with --resume", () =>
  withFolder({}, async (out) => {
    await appendRow(out, rowOf(3, {}));
    const error = new StudyError("No engine");
    await noteFailedStart(out, { ...START, seeds: [3, 4], error });
    const seen = async () => (await rowsOf(out)).map(({ seed, status }) => [seed, status]);
    assertEquals(await seen(), [[3, "ok"], [4, "error"]]);
    await noteFailedStart(out, { ...START, resume: false, seeds: [3], error });
    assertEquals(await seen(), [[3, "ok"], [4, "error"], [3, "error"]]);
  }));

Deno.test("noteFailedStart() changes the row of the run that was to go on", () =>
  withFolder({}, async (out) => {
    const interrupted = rowOf(3, { status: "interrupted", batch_size: 16, device: "gpu" });
    await appendRow(out, interrupted);
    const before = await rowsOf(out);
    await noteFailedStart(out, { ...START, seeds: [3], error: new InterruptedError("Stopped") });
    assertEquals(await rowsOf(out), before);
    for (const said of ["No engine", "No data"]) {
      await noteFailedStart(out, { ...START, seeds: [3], error: new StudyError(said) });
      const rows = await rowsOf(out);
      assertEquals(rows.length, 1);
      const { run_id, started_at, batch_size, device, status, error } = rows[0]!;
      assertEquals({ run_id, started_at, batch_size, device, status, error }, {
        ...{ run_id: interrupted.run_id, started_at: interrupted.started_at },
        ...{ batch_size: 16, device: "gpu", status: "error", error: said },
      });
    }
  }));

Deno.test("a part that fails leaves the row of a run with other settings as it is", async () => {
  const ways: ((out: string, command: readonly string[]) => Promise<void>)[] = [
    (out, command) => {
      const error = new StudyError("No engine");
      return noteFailedStart(out, { ...START, command, seeds: [3], error });
    },
    async (out, command) => {
      const before = await knownRows(out, part);
      const failed = { out, part, models: [name], seed: 3, failure: "It was killed", before };
      await noteFailure({ ...failed, resume: true, command });
    },
  ];
  const others: [settings: Manifest["settings"], command: string[]][] = [
    [{ command: ["--limit", "8000", "--test-limit=10"] }, ["--test-limit=10"]],
    [{ command: [] }, ["--backend", "wasm"]],
    [{ command: ["--backend", "wasm"], backend: "wasm" }, ["--backend=tensorflow"]],
    [{ command: ["--no-feature-cache"] }, []],
  ];
  for (const way of ways) {
    for (const status of ["interrupted", "error", "ok"] as const) {
      for (const [settings, command] of others) {
        await withFolder({}, async (out) => {
          const run_id = await leaveRun(out, status, settings);
          const [before] = await rowsOf(out);
          await way(out, command);
          const [same, added] = await rowsOf(out);
          assertEquals(same, before);
          assertEquals([added?.status, added?.run_id === run_id], ["error", false]);
        });
      }
    }
  }
});

Deno.test("a part that fails has the row of a run with the same settings in other words", () =>
  withFolder({}, async (out) => {
    await leaveRun(out, "interrupted", { command: ["--lr", "0.001"] });
    const command = [
      "--lr=1e-3",
      "--data",
      "mnist",
      "--weights",
      "pretrained",
      "--backend",
      "auto",
    ];
    const error = new StudyError("No engine");
    await noteFailedStart(out, { ...START, command, seeds: [3], error });
    assertEquals((await rowsOf(out)).map(({ status }) => status), ["error"]);
  }));

/** A run of seed 3 with a row of this status, and its manifest. */
async function leaveRun(
  out: string,
  status: ResultRow["status"],
  settings: Manifest["settings"],
): Promise<string> {
  const row = rowOf(3, { status });
  await appendRow(out, row);
  const { run_id, started_at } = row;
  await writeManifest(runFolder(out, run_id), {
    ...{ run_id, started_at, part, model: name },
    settings: { seed: 3, ...settings },
    ...{ versions: {}, machine: {}, git: null },
  });
  return run_id;
}
