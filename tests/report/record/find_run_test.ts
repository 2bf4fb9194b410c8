/** Runs are found by what people call them. */

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../../io/cache.ts";
import { StudyError } from "../../../io/errors.ts";
import {
  BEST_ORDER,
  bestRuns,
  locateRun,
  modelNamed,
  trainingCommand,
} from "../../../report/record/find_run.ts";
import { appendRow, type ResultRow } from "../../../report/record/results.ts";
import { runFolder, writeManifest } from "../../../report/record/run_folder.ts";
import { ALEXNET, ALEXNET_ONE_CHANNEL, MODELS, SIMPLE_CNN } from "../../../study.ts";
import { resultRow, withFolder } from "../result_rows.ts";

/** Puts a run's row and folder into a results folder. */
async function addRun(results: string, given: Partial<ResultRow>): Promise<string> {
  const row = resultRow({ part: 1, model: SIMPLE_CNN.name, dataset: "mnist", ...given });
  await appendRow(results, row);
  const { run_id, started_at, part, model } = row;
  const rest = { settings: {}, versions: {}, machine: {}, git: null };
  await writeManifest(runFolder(results, run_id), { run_id, started_at, part, model, ...rest });
  return run_id;
}

Deno.test("locateRun() finds a run by folder, id and beginning, also among the suite's own", () =>
  withFolder({}, async (results) => {
    await addRun(results, { run_id: "2026a-one", accuracy: 90 });
    await addRun(results, { run_id: "2026a-one-more", accuracy: 91 });
    await addRun(join(results, "reference"), { run_id: "2025-kept", accuracy: 99 });
    const folder = runFolder(results, "2026a-one");
    for (const name of ["2026a-one", folder, `${folder}/`]) {
      const run = await locateRun(name, { results });
      assertEquals([run.runId, run.folder, run.row?.accuracy], ["2026a-one", folder, 90]);
    }
    assertEquals((await locateRun("2026a-one-", { results })).runId, "2026a-one-more");
    assertEquals((await locateRun("2025", { results })).row?.accuracy, 99);
    for (
      const [name, words] of [
        ["2026", '"2026" may be any of 2 runs: say more of 2026a-one, 2026a-one-more'],
        ["2027", 'There is no run "2027"'],
        ["../x", 'There is no run "../x"'],
        ["", 'There is no run ""'],
      ] as const
    ) {
      const error = await assertRejects(() => locateRun(name, { results }), StudyError);
      assertStringIncludes(error.message, words);
    }
  }));

Deno.test("bestRuns() ranks digits before other data, more test images, then accuracy", () =>
  withFolder({}, async (results) => {
    const add = (run_id: string, row: Partial<ResultRow>) => addRun(results, { run_id, ...row });
    await add("few", { accuracy: 100, test_images: 10 });
    await add("good", { accuracy: 99, test_images: 1000 });
    await add("poor", { accuracy: 98, test_images: 1000 });
    await add("clothes", { accuracy: 99.9, test_images: 10_000, dataset: "fashion-mnist" });
    await add("failed", { accuracy: NaN, test_images: 1000, status: "error", error: "x" });
    await add("alexnet", { part: 4, model: ALEXNET.name, accuracy: 97, test_images: 1000 });
    const ids = (runs: { runId: string }[]) => runs.map(({ runId }) => runId);
    assertEquals(ids(await bestRuns(results)), ["good", "alexnet"]);
    assertEquals(ids(await bestRuns(results, { model: ALEXNET.name })), ["alexnet"]);
    const usable = ({ runId }: { runId: string }) => Promise.resolve(runId !== "good");
    assertEquals(ids(await bestRuns(results, { usable })), ["poor", "alexnet"]);
    await Deno.remove(runFolder(results, "good"), { recursive: true });
    assertEquals((await locateRun("best", { results })).runId, "poor");
    const none = () => locateRun("best", { results, model: "vgg16_FineTuned" });
    const { message } = await assertRejects(none, StudyError);
    assertStringIncludes(message, "no finished run of vgg16_FineTuned");
    assertStringIncludes(message, "deno task part4 --models vgg16");
  }));

Deno.test("the guide says wherever it names the best run what it is the best by", async () => {
  const guide = await Deno.readTextFile(join(repositoryRoot(), "docs", "guide.md"));
  const sections = guide.replace(/\s+/g, " ").split(" ## ");
  const naming = sections.filter((section) => /\bbest run\b/.test(section));
  assertEquals(naming.map((section) => section.includes(BEST_ORDER)), [true, true]);
});

Deno.test("modelNamed() takes a name or the beginning of one; every model has its command", () => {
  assertEquals(modelNamed("AlexNet"), ALEXNET.name);
  assertEquals(modelNamed("simplecnn"), SIMPLE_CNN.name);
  // A variation's name begins with that of what it varies.
  assertEquals(modelNamed("simple"), SIMPLE_CNN.name);
  assertEquals(modelNamed("alexnet_finetuned_one"), ALEXNET_ONE_CHANNEL.name);
  for (const word of ["", "fasterrcnn", "lenet"]) assertThrows(() => modelNamed(word), StudyError);
  const commands = MODELS.map(({ name }) => trainingCommand(name));
  assertEquals(new Set(commands).size, MODELS.length);
});
