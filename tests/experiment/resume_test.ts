import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { basename, join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { saveCheckpoint } from "../../models/checkpoint/safetensors.ts";
import { appendRow } from "../../report/record/results.ts";
import { runFolder, writeManifest } from "../../report/record/run_folder.ts";
import { lockRun } from "../../report/record/run_lock.ts";
import { CHECKPOINT, findRun } from "../../experiment/resume.ts";
import { resultRow, withFolder } from "../report/result_rows.ts";

const SETTINGS: Record<string, string | number> = { seed: 1, batch_size: 128 };
const WANTED = {
  part: 1,
  model: "SimpleCNN",
  settings: SETTINGS,
  extent: { epochs: 3, test_images: 100 },
};

/** What there is of a run; `done` is the number of epochs in its checkpoint. */
interface Trace {
  done?: number;
  settings?: Record<string, string | number>;
  part?: number;
  model?: string;
  /** Its row in the CSV. */
  row?: "ok" | "error" | "interrupted";
  test_images?: number;
}

/** Runs `action` on runs named and started in the order given. */
function withRuns(
  runs: Record<string, Trace>,
  action: (out: string) => Promise<void>,
): Promise<void> {
  return withFolder({}, async (out) => {
    for (const [i, [run_id, run]] of Object.entries(runs).entries()) {
      const { done, settings = SETTINGS, part = 1, model = "SimpleCNN", test_images = 100 } = run;
      const started_at = `2026-01-01T10:00:0${i}.000Z`;
      const folder = runFolder(out, run_id);
      const rest = { versions: {}, machine: {}, git: null };
      await writeManifest(folder, { run_id, started_at, part, model, settings, ...rest });
      const result = { loss: 0.5, correct: 90, seen: 100, seconds: 2 };
      const history = Array.from({ length: done ?? 0 }, (_, i) => ({ epoch: i + 1, ...result }));
      const training = JSON.stringify({ settings, history, step: 7 * history.length });
      if (done !== undefined) {
        await saveCheckpoint(join(folder, CHECKPOINT), new Map(), { training });
      }
      if (run.row === undefined) continue;
      const row = { run_id, started_at, part, model, status: run.row, epochs: done ?? 0 };
      await appendRow(out, resultRow({ ...row, test_images }));
    }
    await action(out);
  });
}

async function found(out: string, wanted = WANTED) {
  const run = await findRun(out, wanted, { file: CHECKPOINT });
  assert(run?.kind !== "none");
  return run && `${run.runId} ${run.row === undefined ? "unfinished" : "finished"}`;
}

async function refusal(out: string, wanted = WANTED): Promise<string> {
  const { message } = await assertRejects(
    () => findRun(out, wanted, { file: CHECKPOINT }),
    StudyError,
  );
  assert(!message.includes("\n"), message);
  return message;
}

Deno.test("findRun() finds nothing where there is nothing to go on with", async () => {
  await withRuns({}, async (out) => assertEquals(await found(join(out, "none")), undefined));
  const runs: Record<string, Trace> = {
    "no-epoch-finished": {},
    "other-seed": { done: 1, settings: { ...SETTINGS, seed: 2 } },
    "other-part": { done: 1, part: 4 },
    "other-model": { done: 1, model: "vgg16_FineTuned" },
  };
  await withRuns(runs, async (out) => {
    await Deno.mkdir(join(out, "runs", "empty"));
    assertEquals(await found(out), undefined);
  });
});

Deno.test("findRun() takes a run killed without a row, interrupted or failed", async () => {
  for (const row of [undefined, "interrupted", "error"] as const) {
    await withRuns({ a: { done: 2, ...(row && { row }) } }, async (out) => {
      assertEquals(await found(out), "a unfinished");
      const run = await findRun(out, WANTED, { file: CHECKPOINT });
      assert(run?.kind === "same");
      assertEquals(run.startedAt, "2026-01-01T10:00:00.000Z");
      assertEquals(run.history.length, 2);
    });
  }
});

Deno.test("findRun() takes a finished run whose checkpoint is gone, and goes on with none such", async () => {
  const runs: Record<string, Trace> = {
    a: { done: 3, row: "ok" },
    b: { done: 2, row: "interrupted" },
  };
  await withRuns(runs, async (out) => {
    for (const run of ["a", "b"]) await Deno.remove(join(out, "runs", run, CHECKPOINT));
    assertEquals(await found(out), "a finished");
    const longer = { ...WANTED, extent: { epochs: 5, test_images: 100 } };
    assertEquals(await found(out, longer), undefined);
  });
});

Deno.test("findRun() takes the newest run with these settings, finished or not", async () => {
  const other = { ...SETTINGS, batch_size: 64 };
  const cases: [string, Record<string, Trace>][] = [
    ["b unfinished", { a: { done: 1 }, b: { done: 2 }, c: { done: 1, settings: other } }],
    ["b finished", { a: { done: 1 }, b: { done: 3, row: "ok" } }],
    ["b unfinished", { a: { done: 3, row: "ok" }, b: { done: 1, row: "interrupted" } }],
    // Finished, but not with as many epochs or test images as are asked for.
    ["a unfinished", { a: { done: 1 }, b: { done: 2, row: "ok" } }],
    ["a unfinished", { a: { done: 1 }, b: { done: 3, row: "ok", test_images: 7 } }],
  ];
  for (const [expected, runs] of cases) {
    await withRuns(runs, async (out) => assertEquals(await found(out), expected));
  }
});

Deno.test("findRun() takes over what a finished run with fewer epochs has trained", async () => {
  const other = { ...SETTINGS, batch_size: 64 };
  const runs: Record<string, Trace> = {
    a: { done: 2, row: "ok" },
    b: { done: 1, row: "ok" },
    c: { done: 4, row: "ok" },
    d: { done: 2, row: "ok", settings: other },
  };
  await withRuns(runs, async (out) => {
    const run = await findRun(out, WANTED, { file: CHECKPOINT });
    assert(run?.kind === "longer");
    assertEquals([run.runId, run.history.length], ["a", 2]);
    assertEquals(run.checkpoint, join(out, "runs", "a", CHECKPOINT));
  });
  // What is asked for has been run, with other settings or not at all.
  await withRuns({ a: { done: 3, row: "ok" }, b: { done: 1, row: "ok" } }, async (out) => {
    assertEquals(await found(out), "a finished");
  });
  await withRuns({ d: runs.d!, c: runs.c! }, async (out) => {
    assertEquals(await found(out), undefined);
  });
  // A schedule has its epochs among the settings.
  const scheduled = { done: 2, row: "ok", settings: { ...SETTINGS, epochs: 2 } } as const;
  await withRuns({ e: scheduled }, async (out) => {
    const wanted = { ...WANTED, settings: { ...SETTINGS, epochs: 3 } };
    assertEquals(await findRun(out, wanted, { file: CHECKPOINT }), {
      kind: "none",
      reason: "Run e cannot go on: its learning rate was scheduled for 2 epochs",
    });
  });
});

Deno.test("findRun() names the settings in which an unfinished run differs", async () => {
  await withRuns({ a: { done: 1, settings: { seed: 1, batch_size: 64 } } }, async (out) => {
    assertEquals(
      await refusal(out),
      "Cannot resume a: it has batch_size 64, not 128. Give it the same flags, or start a new run " +
        "without --resume",
    );
  });
});

Deno.test("findRun() says that a run in bfloat16 goes on where the processor has that", async () => {
  const settings = { ...SETTINGS, precision: "bfloat16" };
  const wanted = { ...WANTED, settings: { ...SETTINGS, precision: "float32" } };
  await withRuns({ a: { done: 1, settings } }, async (out) => {
    assertEquals(
      await refusal(out, wanted),
      "Cannot resume a: it has precision bfloat16, not float32. Give it the same flags, " +
        "--precision bf16 among them, on a processor that has bfloat16, or start a new run " +
        "without --resume",
    );
  });
  const other = { a: { done: 1, settings: wanted.settings } };
  await withRuns(other, async (out) => {
    const message = await refusal(out, { ...WANTED, settings });
    assertStringIncludes(message, "float32, not bfloat16. Give it the same flags, or start");
  });
});

Deno.test("findRun() goes on to as many epochs as are done or more, not to fewer", async () => {
  await withRuns({ a: { done: 2 } }, async (out) => {
    const to = (epochs: number) => ({ ...WANTED, extent: { epochs, test_images: 100 } });
    for (const epochs of [2, 3, 50]) assertEquals(await found(out, to(epochs)), "a unfinished");
    assertEquals(
      await refusal(out, to(1)),
      "Cannot resume a: it has 2 epochs already, more than --epochs 1. Ask for 2 or more, or " +
        "start a new run without --resume",
    );
  });
});

Deno.test("findRun() names a damaged checkpoint and the remedy", async () => {
  await withRuns({ a: { done: 1 } }, async (out) => {
    const path = join(out, "runs", "a", CHECKPOINT);
    const whole = await Deno.readFile(path);
    const damaged = [whole.subarray(0, whole.length - 1), whole.subarray(0, 4), new Uint8Array()];
    for (const content of damaged) {
      await Deno.writeFile(path, content);
      const message = await refusal(out);
      assertStringIncludes(message, "Cannot resume a from its checkpoint: start a new run without");
      assertStringIncludes(message, path);
    }
    // One that is finished is not read.
    await appendRow(out, resultRow({ run_id: "a", epochs: 3, test_images: 100 }));
    assertEquals(await found(out), "a finished");
  });
});

Deno.test("findRun() passes over a run that cannot be resumed where there is another", async () => {
  const damage = (out: string, run: string) =>
    Deno.writeTextFile(join(out, "runs", run, CHECKPOINT), "");
  const whole = { done: 3, row: "ok" } as const;
  await withRuns({ a: whole, b: { done: 5 }, c: { done: 2 } }, async (out) => {
    await damage(out, "c");
    const notes: string[] = [];
    const run = await findAmong(out, [], notes);
    assert(run?.kind === "same" && run.runId === "a" && run.row?.status === "ok");
    assertEquals(notes.length, 2);
    assertStringIncludes(notes[0]!, "Passed over: Cannot resume c from its checkpoint");
    assertStringIncludes(notes[1]!, "Passed over: Cannot resume b: it has 5 epochs already, more");
  });
  const settings = { ...SETTINGS, batch_size: 64 };
  const shorter = { done: 2, row: "ok" } as const;
  const cases: [string, Record<string, Trace>][] = [
    ["a unfinished", { a: { done: 1 }, z: { done: 5 } }],
    ["a unfinished", { a: { done: 1 }, damaged: { done: 2 } }],
    // What unfinished runs there are cannot be resumed or have other settings.
    ["a finished", { a: shorter, damaged: { done: 2 } }],
    ["a finished", { b: { done: 1, settings }, a: shorter }],
    ["a finished", { a: { done: 1, row: "ok" }, damaged: shorter }],
  ];
  for (const [expected, runs] of cases) {
    await withRuns(runs, async (out) => {
      if (runs.damaged) await damage(out, "damaged");
      assertEquals(await found(out), expected);
    });
  }
  await withRuns({ a: { done: 4 }, b: { done: 5 } }, async (out) => {
    assertStringIncludes(await refusal(out), "Cannot resume b: it has 5 epochs already");
  });
});

Deno.test("findRun() removes the temporary files of a killed run", async () => {
  await withRuns({ a: { done: 1 }, b: { done: 1 } }, async (out) => {
    for (const run of ["a", "b"]) {
      await Deno.writeTextFile(join(out, "runs", run, `${CHECKPOINT}.7-12345678.tmp`), "half");
    }
    await findRun(out, WANTED, { file: CHECKPOINT });
    const names = (run: string) => [...Deno.readDirSync(join(out, "runs", run))].length;
    assertEquals([names("a"), names("b")], [3, 2]);
  });
});

/** `findRun()` where other processes have some runs; what it says of them is kept in `notes`. */
function findAmong(out: string, taken: readonly string[], notes: string[] = []) {
  return findRun(out, WANTED, {
    file: CHECKPOINT,
    claim: (folder) => Promise.resolve(!taken.includes(basename(folder))),
    note: (line) => notes.push(line),
  });
}

Deno.test("findRun() passes over runs of other processes, and refuses where there is no other", async () => {
  await withRuns({ a: { done: 1 }, b: { done: 2 } }, async (out) => {
    const notes: string[] = [];
    const run = await findAmong(out, ["b"], notes);
    assert(run?.kind === "same" && run.runId === "a");
    assertEquals(notes, ["Run b is going on in another process: passed over"]);
    const { message } = await assertRejects(() => findAmong(out, ["a", "b"]), StudyError);
    assertEquals(
      message,
      "Cannot resume b: it is going on in another process. Wait for it to end, or start a new run " +
        "without --resume",
    );
  });
  await withRuns({ a: { done: 3, row: "ok" }, b: { done: 2 } }, async (out) => {
    const run = await findAmong(out, ["b"]);
    assert(run?.kind === "same" && run.runId === "a" && run.row?.status === "ok");
  });
});

Deno.test("findRun() keeps apart from a run of another process that has finished no epoch yet", async () => {
  await withRuns({ a: { done: 1 }, b: {} }, async (out) => {
    {
      using _live = await lockRun(join(out, "runs", "b"));
      const notes: string[] = [];
      const run = await findAmong(out, [], notes);
      assert(run?.kind === "same" && run.runId === "a");
      assertEquals(notes, ["Run b is going on in another process: passed over"]);
      const { message } = await assertRejects(() => findAmong(out, ["a"]), StudyError);
      assertStringIncludes(message, "Cannot resume b: it is going on in another process.");
      // With other settings it is another run.
      const other = { ...WANTED, settings: { seed: 1, batch_size: 64 } };
      await Deno.remove(join(out, "runs", "a"), { recursive: true });
      assertEquals(await found(out, other), undefined);
      assertStringIncludes(
        await refusal(out),
        "Cannot resume b: it is going on in another process.",
      );
    }
    assertEquals(await found(out), undefined);
  });
});

Deno.test("findRun() notices that a run was finished just before it was claimed", async () => {
  await withRuns({ a: { done: 3 } }, async (out) => {
    const claim = async () => {
      await appendRow(out, resultRow({ run_id: "a", epochs: 3, test_images: 100 }));
      return true;
    };
    const run = await findRun(out, WANTED, { file: CHECKPOINT, claim });
    assert(run?.kind === "same" && run.row?.run_id === "a");
  });
});

Deno.test("findRun() passes over folders that are no runs, and says which", async () => {
  await withRuns({ a: { done: 1 }, "a-copy": { done: 2 } }, async (out) => {
    const path = (name: string) => join(out, "runs", name);
    await Deno.copyFile(join(path("a"), "manifest.json"), join(path("a-copy"), "manifest.json"));
    for (const name of [".ipynb_checkpoints", "copy of a", "empty"]) await Deno.mkdir(path(name));
    await Deno.writeTextFile(path(".DS_Store"), "");
    const notes: string[] = [];
    const run = await findAmong(out, [], notes);
    assert(run?.kind === "same" && run.runId === "a");
    assertEquals(notes, [
      `Passed over in ${
        join(out, "runs")
      }, as they are no runs: .ipynb_checkpoints, copy of a, a-copy`,
    ]);
  });
});

Deno.test("findRun() refuses to go on with a run on another backend than it began on", async () => {
  const onWasm = { ...SETTINGS, backend: "wasm" };
  const wanted = { ...WANTED, settings: onWasm };
  // TensorFlow's runs do not say what they are of.
  await withRuns({ a: { done: 2 } }, async (out) => {
    assertEquals(await found(out), "a unfinished");
    const error = await assertRejects(() => found(out, wanted), StudyError);
    assertStringIncludes(error.message, "backend tensorflow, not wasm");
  });
  await withRuns({ a: { done: 2, settings: onWasm } }, async (out) => {
    assertEquals(await found(out, wanted), "a unfinished");
    const error = await assertRejects(() => found(out), StudyError);
    assertStringIncludes(error.message, "backend wasm, not tensorflow");
  });
});
