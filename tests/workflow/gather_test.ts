/** workflow/scripts/gather.py, which makes one results folder of many. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { compareResults } from "../../report/compare.ts";
import { appendRow } from "../../report/record/results.ts";
import { recordRun, resultRow, withFolder } from "../report/result_rows.ts";
import { command, WORKFLOW, works } from "./sweeps.ts";

const hasPython = await works("python3", "--version");
if (!hasPython) console.log("skipped: gather.py (there is no python3)");

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !hasPython, fn });
}

/** Gathers these folders into `gathered`. */
function gather(folder: string, names: readonly string[]) {
  const program = "import sys; from pathlib import Path; from gather import gather; " +
    "paths = [Path(p) for p in sys.argv[1:]]; gather(paths[1:], paths[0])";
  const paths = ["gathered", ...names].map((name) => join(folder, name));
  return command(["env", `PYTHONPATH=${WORKFLOW}/scripts`, "python3", "-Bc", program, ...paths]);
}

function record(folder: string, name: string, seed: number) {
  const row = { run_id: `run-${seed}`, seed, error: 'a "quoted", text' };
  return recordRun(join(folder, name), { images: 10, answer: (target) => target, row });
}

test("gather() takes the row of each run that ended well, and its folder", () =>
  withFolder({}, async (folder) => {
    await record(folder, "a", 1);
    // An attempt that failed, before the one that did not.
    await appendRow(join(folder, "b"), resultRow({ run_id: "failed", status: "error", seed: 2 }));
    await record(folder, "b", 2);
    const { code, output } = await gather(folder, ["a", "b"]);
    assertEquals(code, 0, output);
    const { models, problems } = await compareResults([join(folder, "gathered")]);
    assertEquals(problems, []);
    assertEquals(models[0]!.settings.map(({ seeds }) => seeds), [2]);
    assertEquals(models[0]!.seedHistories.length, 1);
    assertEquals(models[0]!.row!.error, 'a "quoted", text');
  }));

test("gather() loses no run and counts none twice", () =>
  withFolder({}, async (folder) => {
    await record(folder, "a", 1);
    await record(folder, "twice", 2);
    await record(folder, "twice", 3);
    await record(folder, "copy", 1);
    await appendRow(join(folder, "failed"), resultRow({ status: "interrupted" }));
    const told = async (...names: string[]) => {
      const { code, output } = await gather(folder, names);
      assertEquals(code, 1, output);
      return output;
    };
    assertStringIncludes(
      await told("a", "twice"),
      "twice has 2 finished runs where one is expected",
    );
    assertStringIncludes(await told("a", "failed"), "failed has 0 finished runs");
    assertStringIncludes(await told("a", "copy"), "Run run-1 is in two folders");
  }));
