/**
 * The parts on backends other than TensorFlow, from their command lines. Part 2, and part 4 on WebGPU,
 * are run where `TEST_BACKENDS` is set: their models take half a minute or, on a software adapter,
 * minutes.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { CHECKPOINT } from "../../experiment/resume.ts";
import { ProblemList } from "../../report/record/problems.ts";
import { readResults, type ResultRow, resultsPath } from "../../report/record/results.ts";
import { runFolder } from "../../report/record/run_folder.ts";
import { WEBGPU_PROBLEM } from "../engine/webgpu/adapter.ts";
import { withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";
import { filesIn, Program } from "./part1_process.ts";

const WEBGPU = ["--backend=webgpu", "--device=software"];
const PART1 = ["--limit=8", "--test-limit=6", "--batch-size=4", "--epochs=1"];
const PART2 = ["--weights=random", "--test-limit=1", "--batch-size=1"];
const PART4 = [
  ...["--models=alexnet", "--weights=random"],
  ...["--limit=4", "--test-limit=2", "--batch-size=4", "--epochs=1"],
];

type Part = 1 | 2 | 4;

function start(part: Part, out: string, args: string[], deno: string[] = []): Program {
  const [run, ...rest] = taskArgs(`part${part}`);
  const command = [run!, ...deno, ...rest, "--data=mnist", "--out", out, ...args];
  return new Program(Deno.execPath(), command, {
    ...(part === 4 && { MNIST_STUDY_CACHE: join(out, "cache") }),
  });
}

async function rowsOf(part: Part, out: string): Promise<ResultRow[]> {
  const problems = new ProblemList();
  const rows = await readResults(resultsPath(out, part), problems);
  assertEquals(problems.list(), []);
  return rows.map(({ row }) => row);
}

/** Runs a part to its row, which it checks. */
async function check(part: Part, args: string[], backend: string): Promise<void> {
  await withFolder({}, async (out) => {
    const { code, stdout, stderr } = await start(part, out, args).end();
    assertEquals(code, 0, stderr);
    assertMatch(
      stdout,
      new RegExp(`^Engine: ${backend} \\(as asked\\), tfjs-backend-${backend} `, "m"),
    );
    // Part 4 would measure for longer than its one step takes.
    assertEquals(stdout.includes("Expected: about"), false, stdout);
    const [row, ...others] = await rowsOf(part, out);
    assertEquals([row!.status, row!.backend, row!.error, others], ["ok", backend, "", []]);
    assertEquals(row!.precision, "float32");
    if (part !== 2) assert(Number.isFinite(row!.test_loss), `${row!.test_loss}`);
    assert(row!.inference_ms_per_image === null || row!.inference_ms_per_image! > 0);
  });
}

const asked = Boolean(Deno.env.get("TEST_BACKENDS"));
const NOT_ASKED = " (skipped without TEST_BACKENDS)";

Deno.test("part 1 runs on wasm", () => check(1, [...PART1, "--backend=wasm"], "wasm"));
Deno.test({
  name: `part 2 runs on wasm${asked ? "" : NOT_ASKED}`,
  ignore: !asked,
  fn: () => check(2, [...PART2, "--backend=wasm"], "wasm"),
});
Deno.test("part 4 runs on wasm", () => check(4, [...PART4, "--backend=wasm"], "wasm"));

const problem = WEBGPU_PROBLEM === undefined ? "" : ` (skipped: ${WEBGPU_PROBLEM})`;
const large = problem === "" && !asked ? NOT_ASKED : problem;

Deno.test({
  name: `part 1 runs on webgpu${problem}`,
  ignore: problem !== "",
  fn: () => check(1, [...PART1, ...WEBGPU], "webgpu"),
});

Deno.test({
  name: `part 2 runs on webgpu${large}`,
  ignore: large !== "",
  fn: () => check(2, [...PART2, ...WEBGPU], "webgpu"),
});

Deno.test({
  name: `part 4 runs on webgpu${large}`,
  ignore: large !== "",
  fn: () => check(4, [...PART4, ...WEBGPU], "webgpu"),
});

Deno.test({
  name: `part 1 whose device is lost ends in a line, and goes on from its checkpoint${problem}`,
  ignore: problem !== "",
  fn: () =>
    withFolder({}, async (out) => {
      const preload = ["--preload", `${import.meta.dirname}/losing_device.ts`];
      const args = [...PART1.with(-1, "--epochs=3"), ...WEBGPU];
      const { code, stdout, stderr } = await start(1, out, args, preload).end();
      assertEquals(code, 1, stdout);
      assertMatch(stderr, /^error: The graphics adapter has stopped computing.*--resume/s);
      assertEquals(stderr.includes("    at "), false, stderr);
      const [lost] = await rowsOf(1, out);
      assertEquals([lost!.status, lost!.accuracy], ["error", NaN]);
      const files = filesIn(runFolder(out, lost!.run_id));
      assert(files.some((path) => path.endsWith(CHECKPOINT)), files.join(", "));
      const resumed = await start(1, out, [...args, "--resume"]).end();
      assertEquals(resumed.code, 0, resumed.stderr);
      assertMatch(resumed.stdout, /^Going on with run .* after epoch \d/m);
      const [row, ...others] = await rowsOf(1, out);
      assertEquals([row!.run_id, row!.status, row!.epochs, others], [lost!.run_id, "ok", 3, []]);
    }),
});
