/** The frame around a run's body, with bodies that do nothing; no engine is started. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import type { Dataset } from "../../data/dataset.ts";
import type { Engine } from "../../engine/engine.ts";
import { CHECKPOINT } from "../../experiment/resume.ts";
import { type Measured, type Run, runExperiment, type RunPlan } from "../../experiment/run.ts";
import { weightsOfRun } from "../../inference/run_weights.ts";
import { WriteError } from "../../io/disk_error.ts";
import { InterruptedError, StudyError } from "../../io/errors.ts";
import { schedulableCpus } from "../../io/machine_limits.ts";
import { processorModel } from "../../io/processor.ts";
import { exists } from "../../io/path_kind.ts";
import { type Reporter, silentReporter } from "../../io/reporter.ts";
import { sha256Hex } from "../../io/sha256.ts";
import { FASTER_RCNN_WEIGHTS } from "../../models/checkpoint/pretrained.ts";
import { saveCheckpoint } from "../../models/checkpoint/safetensors.ts";
import { resourcesOf } from "../../report/analysis/describe_machine.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { readResults, resultsPath } from "../../report/record/results.ts";
import {
  readEvaluations,
  readManifest,
  runFolder,
  writeEvaluations,
  writeHistory,
  writeManifest,
} from "../../report/record/run_folder.ts";
import { isRunning } from "../../report/record/run_lock.ts";
import { SIMPLE_CNN } from "../../study.ts";
import { withFolder } from "../report/result_rows.ts";

const engine = {
  ...{ backend: "tensorflow", device: "cpu", version: "2.21.0", precision: "float32" },
  library: { source: "a test", path: "none" },
} as unknown as Engine;

const IMAGES = { images: new Uint8Array(784), labels: new Uint8Array(1), count: 1 };
const dataset: Dataset = {
  ...{ name: "mnist", train: IMAGES, test: IMAGES, sha256: "ab12", source: "a test" },
};

const PLAN: RunPlan = {
  model: SIMPLE_CNN,
  seed: 1,
  columns: { epochs: 3, batch_size: 128 },
  resume: { file: CHECKPOINT },
};

const OK: Measured = {
  ...{ test_loss: 0.1, accuracy: 90, f1: 0.9, inference_ms_per_image: 1, evaluated_images: 1 },
};

interface Try {
  out: string;
  /** What its plan has of its own. */
  plan?: Partial<RunPlan>;
  resume?: boolean;
  command?: readonly string[];
  said?: string[];
  body?: (run: Run) => Promise<Measured>;
}

function attempt(
  { out, plan = {}, resume = false, command = ["--fake"], said = [], body = done }: Try,
) {
  const say = (text: string) => void said.push(text);
  const reporter: Reporter = { quiet: false, terminal: false, line: say, warn: say, live() {} };
  const setup = {
    part: SIMPLE_CNN.part,
    ...{ engine, dataset, reporter, out, resume, json: false, command },
    signal: new AbortController().signal,
    [Symbol.dispose]() {},
  } as const;
  return runExperiment({ ...PLAN, ...plan }, setup, body);
}

/** A body that leaves a checkpoint of some epochs and then ends as told. */
function trained(end: (run: Run) => Promise<Measured>, epochs = 1) {
  return async (run: Run) => {
    const { history, folder, settings } = run;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      history.push({ epoch, loss: 0.5, correct: 1, seen: 1, seconds: 2 });
    }
    const training = JSON.stringify({ settings, history, step: epochs });
    await saveCheckpoint(join(folder, CHECKPOINT), new Map(), { training });
    return await end(run);
  };
}

const done = () => Promise.resolve(OK);
const interrupt = () => Promise.reject(new InterruptedError("Interrupted"));

/** Leaves an interrupted run of one epoch; returns its folder. */
async function leaveEpoch(out: string): Promise<string> {
  let folder = "";
  const body = trained((run) => {
    folder = run.folder;
    return interrupt();
  });
  await assertRejects(() => attempt({ out, body }), InterruptedError);
  return folder;
}

async function rowsIn(out: string) {
  return (await readResults(resultsPath(out, 1), new ProblemList())).map(({ row }) => row);
}

Deno.test("runExperiment() has its run until the row is written, and lets nobody else in", () =>
  withFolder({}, async (out) => {
    await assertRejects(() => attempt({ out, body: trained(interrupt) }), InterruptedError);
    const [interrupted] = await rowsIn(out);
    const alive = Promise.withResolvers<string>();
    const ending = Promise.withResolvers<Measured>();
    const first = attempt({
      ...{ out, resume: true },
      body: ({ folder }) => {
        alive.resolve(folder);
        return ending.promise;
      },
    });
    assert(await isRunning(await alive.promise));
    const { message } = await assertRejects(() => attempt({ out, resume: true }), StudyError);
    assertEquals(
      message,
      `Cannot resume ${interrupted!.run_id}: it is going on in another process. Wait for it to ` +
        "end, or start a new run without --resume",
    );
    ending.resolve(OK);
    assertEquals((await first).run_id, interrupted!.run_id);
    const rows = await rowsIn(out);
    assertEquals(rows.map(({ run_id, status }) => [run_id, status]), [
      [interrupted!.run_id, "ok"],
    ]);
    assert(!await isRunning(await alive.promise));
    const said: string[] = [];
    await attempt({ out, resume: true, said });
    assertEquals(said, [`Run ${interrupted!.run_id} is finished: nothing to resume`]);
  }));

Deno.test("runExperiment() begins no second run beside one that has finished no epoch yet", () =>
  withFolder({}, async (out) => {
    const alive = Promise.withResolvers<void>();
    const ending = Promise.withResolvers<Measured>();
    const first = attempt({
      out,
      body: () => {
        alive.resolve();
        return ending.promise;
      },
    });
    await alive.promise;
    const { message } = await assertRejects(() => attempt({ out, resume: true }), StudyError);
    assertStringIncludes(message, "it is going on in another process");
    ending.resolve(OK);
    const { run_id } = await first;
    // Nor once it is finished, whether or not it has left a checkpoint.
    assertEquals((await attempt({ out, resume: true })).run_id, run_id);
    assertEquals((await rowsIn(out)).length, 1);
  }));

Deno.test("runExperiment() of two that resume at once lets one go on", () =>
  withFolder({}, async (out) => {
    await assertRejects(() => attempt({ out, body: trained(interrupt) }), InterruptedError);
    let bodies = 0;
    const body = async () => {
      bodies++;
      await new Promise((resolve) => setTimeout(resolve, 3000));
      return OK;
    };
    const ends = await Promise.allSettled([1, 2].map(() => attempt({ out, resume: true, body })));
    assertEquals(ends.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    assertEquals([bodies, (await rowsIn(out)).length], [1, 1]);
  }));

Deno.test("runExperiment() counts what a run uses once its weights are there, as the report says", () =>
  withFolder({}, async (out) => {
    let [started, ended] = [0, 0];
    const weights = async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      started = performance.now();
      return { label: "random", sha256: "", path: undefined };
    };
    const body = () => {
      ended = performance.now();
      return done();
    };
    const { run_id } = await attempt({ out, plan: { weights }, body });
    const { wall_seconds } = resourcesOf(await readManifest(runFolder(out, run_id)));
    const passed = (ended - started) / 1000;
    assert(wall_seconds! < passed + 0.2, `${wall_seconds} s of ${passed}`);
  }));

Deno.test("runExperiment() says and notes that a run goes on with another processor or TensorFlow", () =>
  withFolder({}, async (out) => {
    const folder = await leaveEpoch(out);
    const manifest = await readManifest(folder);
    assertEquals(manifest.machine.cores, schedulableCpus());
    const said: string[] = [];
    await assertRejects(() => attempt({ out, resume: true, said, body: trained(interrupt) }));
    assert(!said.some((line) => line.includes("last bits")), `${said}`);

    const machine = { ...manifest.machine, cores: 64, processor_model: "family 1" };
    const versions = { ...manifest.versions, tensorflow: "2.20.0" };
    await writeManifest(folder, { ...manifest, machine, versions });
    await attempt({ out, resume: true, said });
    const model = processorModel();
    const changes = [
      ...model === undefined ? [] : [`processor of ${model}, not family 1`],
      `cores ${schedulableCpus()}, not 64`,
      "TensorFlow 2.21.0, not 2.20.0",
    ];
    assertEquals(said.filter((line) => line.includes("last bits")), [
      `Run ${manifest.run_id} is resumed with ${
        changes.join(", ")
      }: its results may differ in their ` +
      "last bits from those of an uninterrupted run",
    ]);
    assertEquals((await readManifest(folder)).changes, [changes.join("; ")]);
  }));

Deno.test("runExperiment() says and notes that a run goes on by another version of the code", () =>
  withFolder({}, async (out) => {
    const folder = await leaveEpoch(out);
    const { used: _, ...manifest } = await readManifest(folder);
    // Outside of a repository no version is known.
    if (manifest.git === null) return;
    const now = `${manifest.git.commit.slice(0, 7)}${
      manifest.git.clean ? "" : " with local changes"
    }`;
    const [older, oldest] = ["f", "e"].map((digit) => ({ commit: digit.repeat(40), clean: true }));
    const versions = { ...manifest.versions, tfjs: "4.0.0" };
    const earlier = { ...manifest, git: older!, earlier_git: [oldest!, null], versions };
    await writeManifest(folder, earlier);
    const said: string[] = [];
    // Once it is noted it stays so, whatever stops the run.
    await assertRejects(() => attempt({ out, resume: true, said, body: interrupt }));
    await attempt({ out, resume: true });
    const changes = [`code ${now}, not fffffff`, `tfjs ${manifest.versions.tfjs}, not 4.0.0`];
    assertEquals(said.filter((line) => line.includes("is resumed with")), [
      `Run ${manifest.run_id} is resumed with ${changes.join(", ")}: its results may differ from ` +
      "those of an uninterrupted run",
    ]);
    const noted = await readManifest(folder);
    assertEquals(noted.changes, [changes.join("; ")]);
    assertEquals([noted.git, noted.earlier_git], [manifest.git, [oldest, null, older]]);
  }));

Deno.test("runExperiment() counts what all sittings of a run have used, or says nothing of it", () =>
  withFolder({}, async (out) => {
    const measuredOf = async (run: Promise<{ run_id: string }>) => {
      const { used, measured } = await readManifest(runFolder(out, (await run).run_id));
      assertEquals(used, undefined);
      return measured?.resources as Record<string, number> | undefined;
    };
    let folder = "";
    const body = trained((run) => {
      folder = run.folder;
      return interrupt();
    });
    await assertRejects(() => attempt({ out, body }), InterruptedError);
    const { used, measured } = await readManifest(folder);
    assertEquals(measured, undefined);
    assert(Number(used!.wall_seconds) > 0 && Number(used!.peak_memory_bytes) > 0);
    const before = { cpu_seconds: 1000, wall_seconds: 2000, peak_memory_bytes: 3e15 };
    await writeManifest(folder, { ...await readManifest(folder), used: before });
    const all = (await measuredOf(attempt({ out, resume: true, body: trained(done, 3) })))!;
    assertEquals([all.cpu_seconds, all.wall_seconds].map((s) => Math.floor(s! / 100)), [10, 20]);
    assertEquals(all.peak_memory_bytes, 3e15);
    // So does a run that goes on where this one ended.
    const plan = { columns: { ...PLAN.columns, epochs: 5 } };
    const more = (await measuredOf(attempt({ out, plan, resume: true })))!;
    assert(more.wall_seconds! > all.wall_seconds! && more.wall_seconds! < 2100);

    // Earlier versions kept nothing.
    const seed = { plan: { seed: 2 } };
    await assertRejects(() => attempt({ out, ...seed, body }), InterruptedError);
    await writeManifest(folder, { ...await readManifest(folder), used: undefined });
    assertEquals(await measuredOf(attempt({ out, ...seed, resume: true })), undefined);
  }));

Deno.test("runExperiment() calls no run ok whose results are not finite", () =>
  withFolder({}, async (out) => {
    const cases = [{ test_loss: NaN }, { test_loss: Infinity }, { accuracy: NaN }, { f1: NaN }];
    for (const wrong of cases) {
      const { message } = await assertRejects(
        () => attempt({ out, body: () => Promise.resolve({ ...OK, ...wrong }) }),
        StudyError,
      );
      const [[column, value]] = Object.entries(wrong) as [[string, number]];
      assertEquals(
        message,
        `The run ended with ${column} ${value}, so it is not ok: lower the learning rate with --lr`,
      );
    }
    const rows = await rowsIn(out);
    assertEquals(rows.map(({ status }) => status), cases.map(() => "error"));
    // A detector has no loss.
    await attempt({ out, body: () => Promise.resolve({ ...OK, test_loss: null }) });
    assertEquals((await rowsIn(out)).at(-1)!.status, "ok");
  }));

Deno.test("runExperiment() lets go of a run that it has passed over", () =>
  withFolder({}, async (out) => {
    const shorter = { epochs: 2, batch_size: 128 };
    const body = trained(() => Promise.resolve(OK), 2);
    const finished = await attempt({ out, plan: { columns: shorter }, body });
    const damaged = await leaveEpoch(out);
    await Deno.writeTextFile(join(damaged, CHECKPOINT), "");
    const said: string[] = [];
    const later = await attempt({
      ...{ out, said, resume: true },
      body: async ({ folder }) => {
        assertEquals([await isRunning(damaged), await isRunning(folder)], [false, true]);
        return OK;
      },
    });
    assertStringIncludes(said[0]!, "Passed over: Cannot resume ");
    assertStringIncludes(said[1]!, `Run ${finished.run_id} finished after 2 epochs: a new run`);
    assertEquals(later.status, "ok");
  }));

Deno.test("runExperiment() says after a full disk that the run can go on", () =>
  withFolder({}, async (out) => {
    const full = new Error("No space left on device (os error 28)");
    const body = trained(() => Promise.reject(new WriteError("/x/history.csv", full)));
    const { message } = await assertRejects(() => attempt({ out, body }), StudyError);
    assertEquals(
      message,
      "Cannot write /x/history.csv (No space left on device (os error 28)): free space on its " +
        "disk, or choose a folder on another one; then add --resume to the same command to go on",
    );
    const [row] = await rowsIn(out);
    assertEquals([row!.status, row!.epochs], ["error", 1]);
    assertStringIncludes(row!.error, "Cannot write /x/history.csv");
    const said: string[] = [];
    assertEquals((await attempt({ out, resume: true, said })).run_id, row!.run_id);
  }));

const GO_ON = "add --resume to the same command to go on";

/** Leaves a run of two epochs and 5 s of features; returns its id. */
async function leaveTwoEpochs(out: string): Promise<string> {
  const body = trained(async (run) => {
    run.featureSeconds = 5;
    const row = { train_loss: 0.5, train_accuracy: 100 };
    await writeHistory(run.folder, [5, 2, 2].map((time_s, epoch) => ({ epoch, ...row, time_s })));
    return await interrupt();
  }, 2);
  await assertRejects(() => attempt({ out, body }), InterruptedError);
  return (await rowsIn(out))[0]!.run_id;
}

Deno.test("runExperiment() leaves a resumed run as it is on disk, wherever that is stopped", async () => {
  const full = new WriteError("/x/features", new Error("No space left on device"));
  const stops: { by: Error; status: string; time: number | string; told: string }[] = [
    {
      ...{ by: new InterruptedError("Interrupted"), status: "interrupted", time: 9 },
      told: `SimpleCNN (seed 1) was interrupted after epoch 2 of 3, which is kept: ${GO_ON}`,
    },
    { by: new StudyError("No room"), status: "error", time: "N/A (Error)", told: "No room" },
    { by: full, status: "error", time: "N/A (Error)", told: `${full.message}; then ${GO_ON}` },
  ];
  for (const { by, status, time, told } of stops) {
    const fail = () => Promise.reject(by);
    // Before the model has what it started from, and before its checkpoint is restored.
    const places: Pick<Try, "plan" | "body">[] = [{ plan: { weights: fail } }, { body: fail }];
    for (const stopped of places) {
      await withFolder({}, async (out) => {
        const runId = await leaveTwoEpochs(out);
        const { message } = await assertRejects(
          () => attempt({ out, resume: true, ...stopped }),
          Error,
        );
        assertEquals(message, told);
        assertEquals(
          (await rowsIn(out)).map((row) => [
            row.run_id,
            row.status,
            row.epochs,
            row.training_time_s,
          ]),
          [[runId, status, 2, time]],
        );
        assertEquals((await attempt({ out, resume: true })).run_id, runId);
      });
    }
  }
});

Deno.test("runExperiment() names the test images that a resumed run has done before", () =>
  withFolder({}, async (out) => {
    const resume = { file: "manifest.json", check: () => Promise.resolve(1) } as const;
    const plan = { columns: { batch_size: 1 }, resume };
    await assertRejects(() => attempt({ out, plan, body: interrupt }), InterruptedError);
    const again = { out, plan, resume: true, body: interrupt };
    const { message } = await assertRejects(() => attempt(again), InterruptedError);
    assertEquals(
      message,
      "SimpleCNN (seed 1) was interrupted after 1 of 1 test images; what is done is kept: " + GO_ON,
    );
  }));

Deno.test("runExperiment() that takes over a shorter run's epochs says so, wherever it is stopped", async () => {
  const places: Pick<Try, "plan" | "body">[] = [
    { plan: { weights: interrupt } },
    { body: interrupt },
  ];
  for (const stopped of places) {
    await withFolder({}, async (out) => {
      await attempt({ out, body: trained(done, 3) });
      const plan = { columns: { ...PLAN.columns, epochs: 5 }, ...stopped.plan };
      const { message } = await assertRejects(
        () => attempt({ out, resume: true, ...stopped, plan }),
        InterruptedError,
      );
      assertStringIncludes(message, `after epoch 3 of 5, which is kept: ${GO_ON}`);
    });
  }
});

Deno.test("runExperiment() keeps evaluations of as many test images as before, and of no others", () =>
  withFolder({}, async (out) => {
    const folder = await leaveEpoch(out);
    const rows = [{ epoch: 1, test_loss: 0.5, test_accuracy: 90 }];
    await writeEvaluations(folder, rows);
    const said: string[] = [];
    const again = { out, resume: true, said, body: trained(interrupt) };
    await assertRejects(() => attempt(again), InterruptedError);
    assertEquals(await readEvaluations(folder), rows);

    const manifest = await readManifest(folder);
    const settings = { ...manifest.settings, test_images: 500 };
    await writeManifest(folder, { ...manifest, settings });
    await assertRejects(() => attempt(again), InterruptedError);
    assertEquals(said.filter((line) => line.includes("evaluations")), [
      "evaluations.csv begins anew: so far it was of 500 test images, not 1",
    ]);
    assertEquals(await exists(join(folder, "evaluations.csv")), false);
  }));

Deno.test("runExperiment() keeps where a file of weights is, which is found from any folder", () =>
  withFolder({ "own.pth": "weights" }, async (out) => {
    const path = join(out, "own.pth");
    const sha256 = sha256Hex(new TextEncoder().encode("weights"));
    const options = { source: FASTER_RCNN_WEIGHTS, cache: out, reporter: silentReporter };
    const labels = ["file:own.pth", `torchvision:${FASTER_RCNN_WEIGHTS.file}`];
    for (const label of labels) {
      const weights = () => Promise.resolve({ label, sha256, path, isOwn: true });
      const command = ["--weights", "own.pth"];
      const { run_id: runId } = await attempt({ out, command, plan: { weights } });
      const folder = runFolder(out, runId);
      const run = { runId, folder, manifest: await readManifest(folder), row: undefined };
      assertEquals(await weightsOfRun(run, options), { label, path });
    }
    // One of the cache is found by its name.
    const weights = () => Promise.resolve({ label: labels[1]!, sha256, path });
    const { run_id } = await attempt({ out, plan: { weights } });
    assertEquals((await readManifest(runFolder(out, run_id))).settings.weights_file, undefined);
  }));

Deno.test("runExperiment() adds no row where the weights of a finished run were interrupted", () =>
  withFolder({}, async (out) => {
    const { run_id } = await attempt({ out, body: trained(done, 3) });
    const again = { out, resume: true, plan: { weights: interrupt } };
    const { message } = await assertRejects(() => attempt(again), InterruptedError);
    assertEquals(
      message,
      `SimpleCNN (seed 1) was interrupted; its run ${run_id} is finished already`,
    );
    assertEquals((await rowsIn(out)).map(({ status }) => status), ["ok"]);
  }));

Deno.test("runExperiment() leaves runs alone that were begun with other weights than those that failed", async () => {
  const weights = (word: string) => ["--weights", word];
  const fail = () => Promise.reject(new StudyError("No weights"));
  for (const end of [interrupt, done]) {
    for (const stop of [interrupt, fail]) {
      await withFolder({}, async (out) => {
        const first = { out, command: weights("convolutions"), body: trained(end, 3) };
        await attempt(first).catch(() => {});
        const before = await Deno.readTextFile(resultsPath(out, 1));
        for (const command of [weights("pretrained"), ["--weights=pretrained"], ["--fake"]]) {
          const other = { out, resume: true, command, plan: { weights: stop } };
          const { message } = await assertRejects(() => attempt(other), Error);
          assert(
            !message.includes("finished already") && !message.includes("after epoch"),
            message,
          );
        }
        const after = await Deno.readTextFile(resultsPath(out, 1));
        assertEquals(after.slice(0, before.length), before);
        const same = { ...first, resume: true, command: ["--weights=convolutions"] };
        const again = { ...same, plan: { weights: stop } };
        await assertRejects(() => attempt(again), Error);
        const [own] = await rowsIn(out);
        assertEquals(own!.run_id, (await attempt(same).catch(() => own!)).run_id);
      });
    }
  }
});
