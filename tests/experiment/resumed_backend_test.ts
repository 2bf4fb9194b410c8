import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { CHECKPOINT } from "../../experiment/resume.ts";
import {
  backendToResume,
  precisionToResume,
  type ResumedWith,
} from "../../experiment/resumed_backend.ts";
import { appendRow } from "../../report/record/results.ts";
import { runFolder, writeManifest } from "../../report/record/run_folder.ts";
import { resultRow, withFolder } from "../report/result_rows.ts";

/** What there is of a run. */
interface Trace {
  backend?: string;
  precision?: string;
  seed?: number;
  model?: string;
  part?: number;
  /** Whether it can be resumed. */
  checkpoint?: boolean;
  finished?: boolean;
}

const PLANNED = { models: ["SimpleCNN"], seeds: [1, 2], file: CHECKPOINT } as const;

/** What is asked for, where it is not left open. */
interface Asked {
  asked?: "auto" | "float32" | "bfloat16";
  backend?: "auto" | "tensorflow" | "wasm";
}

/** The backend to resume on after runs started in the order given. */
async function found(runs: readonly Trace[], planned?: typeof PLANNED) {
  return (await resumedWith(runs, planned))?.backend;
}

/** The same with its reason and number format. */
async function resumedWith(runs: readonly Trace[], planned?: typeof PLANNED) {
  let result: ResumedWith | undefined;
  await withFolder({}, async (out) => {
    for (const [i, run] of runs.entries()) {
      const { backend, seed = 1, model = "SimpleCNN", part = 1, checkpoint = true } = run;
      const [run_id, started_at] = [`run-${i}`, `2026-01-01T10:00:0${i}.000Z`];
      const { precision = "float32" } = run;
      const settings = { seed, precision, ...(backend !== undefined && { backend }) };
      const rest = { versions: {}, machine: {}, git: null };
      const folder = runFolder(out, run_id);
      await writeManifest(folder, { run_id, started_at, part, model, settings, ...rest });
      if (checkpoint) await Deno.writeTextFile(join(folder, CHECKPOINT), "");
      if (!run.finished) continue;
      await appendRow(out, resultRow({ run_id, started_at, part, model, status: "ok" }));
    }
    result = await backendToResume(out, 1, planned);
  });
  return result;
}

Deno.test("backendToResume() is that of the newest run that can be resumed, else finished", async () => {
  assertEquals(await found([]), undefined);
  assertEquals(await found([{}]), "tensorflow");
  assertEquals(await found([{ backend: "wasm" }, { backend: "webgpu" }]), "webgpu");
  assertEquals(await found([{ backend: "wasm" }, { backend: "webgpu", finished: true }]), "wasm");
  const finished = [{ backend: "wasm", finished: true }, { finished: true }];
  assertEquals(await found(finished), "tensorflow");
  assertEquals(await found([{ backend: "abacus" }]), undefined);
});

Deno.test("backendToResume() passes over other runs, and those that left nothing to resume", async () => {
  const others = [
    { backend: "webgpu", seed: 3 },
    { backend: "webgpu", model: "lenet" },
    { backend: "webgpu", part: 4 },
    { backend: "webgpu", checkpoint: false },
  ];
  assertEquals(await found(others, PLANNED), undefined);
  assertEquals(await found([{ backend: "wasm", seed: 2 }, ...others], PLANNED), "wasm");
  const kept = { backend: "wasm", finished: true, checkpoint: false };
  assertEquals(await found([kept, ...others], PLANNED), "wasm");
});

Deno.test("precisionToResume() has auto take float32 of the run that goes on, and leaves all else", async () => {
  const taken = async (
    runs: Trace | Trace[],
    { asked = "auto", backend = "auto" }: Asked = {},
  ) => {
    const resumed = await resumedWith([runs].flat());
    return precisionToResume(asked, { backend, resumed });
  };
  assertEquals(await taken({}), "float32");
  assertEquals(await taken({}, { backend: "tensorflow" }), "float32");
  // It goes on where auto is that.
  assertEquals(await taken({ precision: "bfloat16" }), "auto");
  assertEquals(await taken({}, { asked: "bfloat16" }), "bfloat16");
  assertEquals(await taken({ precision: "bfloat16" }, { asked: "float32" }), "float32");
  // None of these goes on.
  assertEquals(await taken({}, { backend: "wasm" }), "auto");
  assertEquals(await taken({ finished: true }), "auto");
  // Some of these are in the one format and some in the other.
  const half = { seed: 2, precision: "bfloat16" };
  assertEquals(await taken([{}, { ...half, finished: true }]), "auto");
  assertEquals(await taken([half, {}]), "auto");
  assertEquals(await taken([{}, { ...half, finished: true, backend: "webgpu" }]), "float32");
  assertEquals(precisionToResume("auto", { backend: "auto", resumed: undefined }), "auto");
});
