import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { ProblemList } from "../../report/record/problems.ts";
import {
  appendRow,
  readResults,
  type ResultRow,
  resultsPath,
} from "../../report/record/results.ts";
import { readManifest, runFolder, writeManifest } from "../../report/record/run_folder.ts";
import { lockRun } from "../../report/record/run_lock.ts";
import { expectedSeconds, type MachineRates, roundDuration } from "../../experiment/forecast.ts";
import { knownRows, noteFailure } from "../../experiment/failed_part.ts";
import { part1Command, PART_2, PART_4 } from "../../experiment/flags.ts";
import { parseFlags } from "../../io/parse_flags.ts";
import { silentReporter } from "../../io/reporter.ts";
import { commandLineOf, runPart } from "../../scripts/all.ts";
import { PRESETS } from "../../study.ts";
import { Program } from "./part1_process.ts";
import { resultRow, withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";

const TASK = taskArgs("all");

function start(...args: string[]): Program {
  return new Program(Deno.execPath(), [...TASK, ...args]);
}

async function rowsOf(out: string, part: number): Promise<ResultRow[]> {
  return (await readResults(resultsPath(out, part), new ProblemList())).map(({ row }) => row);
}

/** Flags of `all`, none of them the default. */
const EVERY_FLAG: Parameters<typeof commandLineOf>[1] = {
  ...{ preset: "smoke", weights: "random", seed: 3, data: "fashion", backend: "wasm" } as const,
  ...{ device: "cpu", precision: "bf16", threads: 2, libtensorflow: import.meta.dirname } as const,
  ...{
    out: "/out",
    resume: true,
    tensorboard: true,
    strict: true,
    quiet: true,
    verbose: true,
  } as const,
  ...{ dryRun: true, help: true } as const,
};

Deno.test("commandLineOf() hands each part its size and every flag that decides something in it", () => {
  const tables = { 1: part1Command("published").table, 2: PART_2.table, 4: PART_4.table } as const;
  const { preset, dryRun: _, help: __, weights, strict, ...shared } = EVERY_FLAG;
  for (const part of [1, 2, 4] as const) {
    const given: object = parseFlags(commandLineOf(part, EVERY_FLAG), tables[part]);
    // Part 1 begins from no weights.
    const ofWeights = part === 1 ? {} : { weights, strict };
    const expected = { ...PRESETS[preset][part], ...shared, ...ofWeights };
    assertEquals(given, { ...parseFlags([], tables[part]), ...expected }, `part ${part}`);
  }
});

Deno.test("commandLineOf() says nothing of flags that are as they are by default", () => {
  const flags: typeof EVERY_FLAG = {
    ...{ preset: "full", weights: "pretrained", seed: 1, data: "auto", backend: "auto" } as const,
    ...{
      device: "auto",
      precision: undefined,
      threads: undefined,
      libtensorflow: undefined,
    } as const,
    ...{ out: "results", resume: false, tensorboard: false, strict: false, quiet: false } as const,
    ...{ verbose: false, dryRun: false, help: false } as const,
  };
  assertEquals(commandLineOf(1, flags), ["--epochs=10"]);
  assertEquals(commandLineOf(2, flags), []);
  assertEquals(commandLineOf(4, flags), ["--epochs=8"]);
});

const RATES: MachineRates = {
  startSeconds: 2,
  trainImages: 60_000,
  testImages: 10_000,
  trainingImagesPerSecond: 1000,
  convolutionFlopPerSecond: 1e11,
  secondsPerParameter: 1e-9,
};

Deno.test("expectedSeconds() adds up what a part does", () => {
  const part1 = expectedSeconds(1, { epochs: 10, limit: 1000, testLimit: 300 }, RATES);
  assertEquals(part1, 2 + 10 + 0.1);
  // 134.38e9 multiplications and as many additions an image; two images before the first.
  const part2 = expectedSeconds(2, { testLimit: 10 }, RATES);
  assert(Math.abs(part2 - (2 + 12 * 2.6876)) < 1e-9);
  // Both classifiers' steps, two and the three before, and features of 50 images and 48 before.
  const part4 = expectedSeconds(4, { epochs: 1, limit: 40, testLimit: 10 }, RATES);
  const steps = 5 * (119_586_826 + 54_575_114) * 1e-9;
  assert(Math.abs(part4 - (2 + steps + 98 * 2 * (15.47 + 0.714) / 100)) < 1e-9);
});

Deno.test("expectedSeconds() goes no further than the images that there are", () => {
  const few = { ...RATES, trainImages: 100, testImages: 30 };
  assertEquals(
    expectedSeconds(1, { epochs: 1, limit: 5000, testLimit: 5000 }, few),
    expectedSeconds(1, { epochs: 1 }, few),
  );
});

Deno.test("roundDuration() is no more exact than an estimate", () => {
  const cases = [[0.2, "5 s"], [41, "40 s"], [95, "2 min"], [1000, "17 min"], [
    19_000,
    "5 h 20 min",
  ]];
  for (const [seconds, text] of cases) assertEquals(roundDuration(seconds as number), text);
});

Deno.test("noteFailure() adds a row for each model that has left none", async () => {
  await withFolder({}, async (out) => {
    const models = ["vgg16_FineTuned", "alexnet_FineTuned"];
    const part4 = { part: 4, models, seed: 3, out, resume: false, command: [] };
    const row = resultRow({ part: 4, model: "vgg16_FineTuned", run_id: "old" });
    await appendRow(out, row);
    const before = await knownRows(out, 4);
    await appendRow(out, { ...row, run_id: "new" });
    await noteFailure({ ...part4, before, failure: "it was killed" });
    const added = (await rowsOf(out, 4)).at(-1)!;
    assertEquals([added.model, added.status, added.error, added.seed], [
      "alexnet_FineTuned",
      "error",
      "it was killed",
      3,
    ]);
    assertEquals([added.accuracy, added.training_time_s], [NaN, "N/A (Error)"]);
    assertEquals((await rowsOf(out, 4)).length, 3);

    await appendRow(out, { ...row, run_id: "failed", status: "error" });
    await noteFailure({ ...part4, before, failure: "its own row says why" });
    assertEquals((await rowsOf(out, 4)).length, 4);
  });
});

Deno.test("noteFailure() adds no row where resumed runs have left the ones that were there", async () => {
  const models = ["vgg16_FineTuned", "alexnet_FineTuned"];
  const part4 = { part: 4, models, seed: 3, failure: "1 of 2 runs failed", command: [] };
  const [vgg16, alexnet] = models.map((model) =>
    resultRow({ part: 4, model, run_id: model, seed: 3 })
  ) as [ResultRow, ResultRow];
  const failed: ResultRow = { ...alexnet, status: "error", epochs: 2, error: "No room" };
  await withFolder({}, async (out) => {
    for (const row of [vgg16, failed]) await appendRow(out, row);
    const before = await knownRows(out, 4);
    // It fails again: two epochs later, or as it did before.
    for (const again of [{ ...failed, epochs: 4 }, { ...failed, epochs: 2 }, failed]) {
      await appendRow(out, again);
      await noteFailure({ ...part4, resume: true, before, out });
      assertEquals((await rowsOf(out, 4)).map(({ run_id }) => run_id), models);
    }
    // One that is begun is another than those before it.
    await noteFailure({ ...part4, resume: false, before, out });
    assertEquals((await rowsOf(out, 4)).length, 4);
  });
  // One that did not come as far as to go on keeps its row, and that which is finished is no failure.
  await withFolder({}, async (out) => {
    for (const row of [vgg16, { ...failed, status: "interrupted" } as const]) {
      await appendRow(out, row);
    }
    for (let times = 0; times < 2; times++) {
      const before = await knownRows(out, 4);
      await noteFailure({ ...part4, failure: "it was killed", resume: true, before, out });
      assertEquals((await rowsOf(out, 4)).map(({ run_id, status }) => [run_id, status]), [
        ["vgg16_FineTuned", "ok"],
        ["alexnet_FineTuned", "error"],
      ]);
    }
  });
  // With other settings the finished ones are not what failed.
  await withFolder({}, async (out) => {
    for (const row of [vgg16, alexnet]) await appendRow(out, row);
    await noteFailure({ ...part4, resume: true, before: await knownRows(out, 4), out });
    assertEquals((await rowsOf(out, 4)).filter(({ status }) => status === "error").length, 2);
  });
});

Deno.test("noteFailure() gives the row of a run that was killed its id, so that its end replaces it", async () => {
  const models = ["SimpleCNN"];
  const part1 = { part: 1, models, seed: 3, failure: "it was killed", command: [] };
  await withFolder({}, async (out) => {
    const begin = (run_id: string, seed = 3) => {
      const started_at = `2026-01-01T10:00:00.00${run_id.length}Z`;
      const rest = { settings: { seed }, versions: {}, machine: {}, git: null };
      const of = { part: 1, model: "SimpleCNN" };
      return writeManifest(runFolder(out, run_id), { run_id, started_at, ...of, ...rest });
    };
    const rows = async () => (await rowsOf(out, 1)).map(({ run_id, status }) => [run_id, status]);
    await begin("earlier");
    const before = await knownRows(out, 1);
    await begin("run");
    await begin("other-seed", 4);
    await noteFailure({ ...part1, resume: false, before, out });
    assertEquals(await rows(), [["run", "error"]]);
    assertEquals((await rowsOf(out, 1))[0]!.started_at, "2026-01-01T10:00:00.003Z");
    await appendRow(out, resultRow({ run_id: "run", seed: 3, status: "interrupted", epochs: 4 }));
    // It goes on, and is killed again.
    const resumed = await knownRows(out, 1);
    await Deno.utime(join(runFolder(out, "run"), "manifest.json"), 1, 1);
    await noteFailure({ ...part1, resume: true, before: resumed, out });
    assertEquals(await rows(), [["run", "error"]]);
    const [killed] = await rowsOf(out, 1);
    assertEquals([killed!.epochs, killed!.batch_size, killed!.device], [4, 128, "cpu"]);
    await appendRow(out, resultRow({ run_id: "run", seed: 3, status: "ok" }));
    assertEquals(await rows(), [["run", "ok"]]);
    // What another process is at was not killed.
    const beside = await knownRows(out, 1);
    await begin("another");
    using _live = await lockRun(runFolder(out, "another"));
    await noteFailure({ ...part1, resume: false, before: beside, out });
    assertEquals((await rowsOf(out, 1)).filter(({ run_id }) => run_id === "another"), []);
  });
});

Deno.test("all goes on after a part that fails, leaves rows for it and exits with 1", async () => {
  await withFolder({}, async (folder) => {
    const out = join(folder, "out");
    const { code, stdout, stderr } = await start("--quiet", "--data", folder, "--out", out).end();
    assertEquals([code, stdout], [1, ""]);
    const models: string[] = [];
    for (const part of [1, 2, 4]) {
      for (const { model, status, error } of await rowsOf(out, part)) {
        assertEquals(status, "error");
        assertStringIncludes(error, "Cannot find train-images-idx3-ubyte");
        models.push(model);
      }
    }
    assertEquals(models, [
      "SimpleCNN",
      "FasterRCNN_Adapted",
      "vgg16_FineTuned",
      "alexnet_FineTuned",
    ]);
    const last = stderr.trimEnd().split("\n").at(-1)!;
    assertMatch(last, /^error: Part 1 failed: .*; Part 2 failed: .*; Part 4 failed: /);
    await Deno.stat(join(out, "report.md"));
  });
});

Deno.test("all says how long it will take; interrupted alone it ends the part, which keeps its run", async () => {
  await withFolder({}, async (out) => {
    const all = start(
      "--preset=full",
      "--data=mnist",
      "--weights=random",
      "--strict",
      "--out",
      out,
    );
    await all.until(/Train Epoch: 1 /);
    all.kill("SIGINT");
    const { code, stdout, stderr } = await all.end();
    assertEquals(code, 130);
    assertMatch(
      stdout,
      /part 1: about \d+ (s|min) \(60000 training and 10000 test images, 10 epochs\)/,
    );
    assertMatch(
      stdout,
      /part 2: about .* \(10000 test images\)\n {2}part 4: about .*\n {2}in total /,
    );
    assertMatch(
      stderr,
      /SimpleCNN \(seed 1\) was interrupted .*\nerror: Interrupted; .*--resume/,
    );
    const rows = await rowsOf(out, 1);
    assertEquals(rows.map(({ status }) => status), ["interrupted"]);
    // What is about weights is for the parts that have any.
    const { settings: { command } } = await readManifest(runFolder(out, rows[0]!.run_id));
    assert(!(command as string[]).some((arg) => /weights|strict/.test(arg)), String(command));
    assertEquals(await rowsOf(out, 2), []);
  });
});

Deno.test("all says before anything else that the rows of a part would not be taken", () =>
  withFolder({}, async (out) => {
    await Deno.mkdir(resultsPath(out, 2));
    const { code, stdout, stderr } = await start("--out", out).end();
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, `${resultsPath(out, 2)} cannot be used (a folder, not a regular`);
    // Where that has come to be so since, the part is left out, and others go on.
    const warnings: string[] = [];
    const reporter = { ...silentReporter, warn: (text: string) => warnings.push(text) };
    const { signal } = new AbortController();
    const [failed] = await runPart(2, { flags: { ...EVERY_FLAG, out }, reporter, signal });
    assertEquals(failed?.what, "Part 2");
    assertEquals(warnings, [`Part 2 is left out: ${failed!.reason}`]);
  }));

Deno.test("all names an unknown flag, exit 2, and shows --help", async () => {
  const [unknown, help] = await Promise.all([start("--presets").end(), start("--help").end()]);
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.stderr, "did you mean --preset?");
  assertEquals(help.code, 0);
  for (const flag of ["--preset", "--weights", "--resume", "--libtensorflow"]) {
    assertStringIncludes(help.stdout, flag);
  }
});
