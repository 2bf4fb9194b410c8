import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { join } from "node:path";
import { StudyError } from "../../../io/errors.ts";
import {
  type Manifest,
  newRunId,
  readHistory,
  readManifest,
  readPredictions,
  runFolder,
  writeHistory,
  writeManifest,
  writePredictions,
} from "../../../report/record/run_folder.ts";
import { withFolder } from "../result_rows.ts";

const manifest: Manifest = {
  run_id: "run-1",
  started_at: "2026-01-01T10:00:00.000Z",
  part: 1,
  model: "SimpleCNN",
  settings: { epochs: 10, learning_rate: 0.001, models: ["a", "b"], resume: false },
  versions: { deno: "2.9.6", tfjs: "4.22.0" },
  machine: { processor: "some", cores: 2 },
  git: { commit: "0123abc", clean: true },
};

Deno.test("newRunId() sorts by time and says what the run is", () => {
  const id = newRunId(4, "vgg16_FineTuned", 7, new Date("2026-01-31T23:59:59.123Z"));
  assertMatch(id, /^20260131T235959123Z-part4-vgg16_FineTuned-seed7-[0-9a-f]{8}$/);
  const later = newRunId(1, "SimpleCNN", 1, new Date("2026-02-01T00:00:00.000Z"));
  assertEquals([later, id].sort(), [id, later]);
});

Deno.test("newRunId() is unique for runs started in the same instant", () => {
  const now = new Date();
  const ids = new Set(Array.from({ length: 100 }, () => newRunId(1, "SimpleCNN", 1, now)));
  assertEquals(ids.size, 100);
});

Deno.test("newRunId() is a safe file name for any model name", () => {
  const id = newRunId(1, "../a b|<c>:ü", 1, new Date(0));
  assertMatch(id, /^[A-Za-z0-9_-]+$/);
  assertEquals(runFolder("results", id), join("results", "runs", id));
  for (const bad of ["", "..", "a/b", "a b"]) {
    assertThrows(() => runFolder("results", bad), RangeError, "Cannot name a folder after a run");
  }
});

Deno.test("readManifest() gives back what writeManifest() wrote", async () => {
  await withFolder({}, async (folder) => {
    const run = runFolder(folder, "run-1");
    await writeManifest(run, manifest);
    assertEquals(await readManifest(run), manifest);
    assert((await Deno.readTextFile(join(run, "manifest.json"))).endsWith("}\n"));
    assertEquals([...Deno.readDirSync(run)].map(({ name }) => name), ["manifest.json"]);
  });
});

Deno.test("readHistory() gives back what writeHistory() wrote, to the bit", async () => {
  const rows = [
    { epoch: 1, train_loss: 0.1 + 0.2, train_accuracy: 100 / 3, time_s: 12.25 },
    { epoch: 2, train_loss: 1e-9, train_accuracy: 100, time_s: 0 },
  ];
  await withFolder({}, async (folder) => {
    await writeHistory(folder, rows);
    assertEquals(await readHistory(folder), rows);
    assertEquals(
      await Deno.readTextFile(join(folder, "history.csv")),
      "epoch,train_loss,train_accuracy,time_s\n1,0.30000000000000004,33.333333333333336,12.25\n" +
        "2,1e-9,100,0\n",
    );
    await writeHistory(folder, []);
    assertEquals(await readHistory(folder), []);
  });
});

Deno.test("readPredictions() gives back what writePredictions() wrote", async () => {
  await withFolder({}, async (folder) => {
    await writePredictions(folder, {
      targets: Uint8Array.of(7, 2, 1),
      predictions: [7, -1, 3],
      scores: Float32Array.of(0.75, NaN, 1 / 3),
    });
    assertEquals(
      await Deno.readTextFile(join(folder, "predictions.csv")),
      "index,target,prediction,score\n0,7,7,0.750000\n1,2,-1,\n2,1,3,0.333333\n",
    );
    assertEquals(await readPredictions(folder), {
      targets: Int32Array.of(7, 2, 1),
      predictions: Int32Array.of(7, -1, 3),
      scores: Float32Array.of(0.75, NaN, 0.333333),
    });
  });
});

Deno.test("writePredictions() refuses columns of different length", async () => {
  await assertRejects(
    () => writePredictions("unused", { targets: [1], predictions: [1, 2], scores: [1] }),
    RangeError,
    "current lengths are 1, 2 and 1",
  );
});

Deno.test("readers of a run's folder name what is missing or damaged", async () => {
  const header = "index,target,prediction,score\n";
  for (const bad of ["", "a,b\n", `${header}0,1\n`, `${header}0,1,one,0.5\n`, `${header}0,"`]) {
    await withFolder({ "predictions.csv": bad }, async (folder) => {
      await assertRejects(() => readPredictions(folder), StudyError, "predictions.csv is damaged");
      await assertRejects(() => readHistory(folder), StudyError, "history.csv does not exist");
    });
  }
  for (const bad of ["", "{", "null", "[]", '{"run_id": 1}']) {
    await withFolder({ "manifest.json": bad }, async (folder) => {
      await assertRejects(() => readManifest(folder), StudyError, "manifest.json is damaged");
    });
  }
});
