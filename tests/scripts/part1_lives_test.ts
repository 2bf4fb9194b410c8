/** Part 1 in processes that meet each other, or lose what started them. */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { tryLock } from "../../io/lock.ts";
import { runFolder } from "../../report/record/run_folder.ts";
import { isRunning } from "../../report/record/run_lock.ts";
import { withFolder } from "../report/result_rows.ts";
import { ENDLESS, filesIn, part1, Program, rowsOf, start } from "./part1_process.ts";

/** One step in each epoch. */
const SHORT = ["--data=mnist", "--limit=8", "--batch-size=8", "--test-limit=4"];

const ignore = Deno.build.os === "windows";
if (ignore) console.log("skipped: part1 and its signals (no signals can be sent on Windows)");

Deno.test({
  name: "part1 --resume does not join a run that is alive, which a closed terminal interrupts",
  ignore,
  fn: () =>
    withFolder({}, async (out) => {
      const alive = start([...SHORT, ...ENDLESS, "--out", out]);
      await alive.until(/^Epoch 1: /m);
      const second = await part1([...SHORT, ...ENDLESS, "--out", out, "--resume"]);
      assertEquals(second.code, 1);
      assertMatch(
        second.stderr,
        /^error: Cannot resume \S+: it is going on in another process\. [^\n]*\n$/,
      );
      alive.kill("SIGHUP");
      const { code, stderr } = await alive.end();
      assertEquals(code, 130, stderr);
      const [row, ...more] = await rowsOf(out);
      assertEquals([row!.status, more], ["interrupted", []]);
      assertEquals(await isRunning(runFolder(out, row!.run_id)), false);
    }),
});

Deno.test({
  name: "part1 ends with its row when the deno task that started it is killed",
  ignore,
  fn: () =>
    withFolder({}, async (out) => {
      const args = ["task", "-q", "part1", ...SHORT, ...ENDLESS, "--out", out];
      const task = new Program(Deno.execPath(), args);
      await task.until(/^Train Epoch: 1 \[0/m);
      task.kill("SIGKILL");
      // Its output is closed when the run has ended too.
      await task.end();
      assertEquals((await rowsOf(out)).map(({ status }) => status), ["interrupted"]);
    }),
});

Deno.test("part1 calls a run with no finite test loss an error", () =>
  withFolder({}, async (out) => {
    const flags = ["--data=mnist", "--limit=128", "--test-limit=40", "--epochs=1", "--lr=1e30"];
    const { code, stderr } = await part1([...flags, "--out", out]);
    assertEquals(code, 1);
    assertMatch(stderr, /^error: [^\n]*: lower the learning rate with --lr\n$/);
    const [row] = await rowsOf(out);
    assertEquals([row!.status, row!.accuracy], ["error", NaN]);
  }));

Deno.test("part1 --resume adds the row that a finished run could not", () =>
  withFolder({}, async (out) => {
    const flags = [...SHORT, "--epochs=1", "--out", out];
    const run = start(flags);
    await run.until(/^Train Epoch: 1 \[0/m);
    const lock = (await tryLock(join(out, ".lock")))!;
    await run.until(/^Test set: /m);
    while (!/^Waiting for another process/m.test(run.stderr)) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    run.kill("SIGINT");
    const { code, stderr } = await run.end();
    assertEquals(code, 130, stderr);
    assertMatch(stderr, /^error: Run \S+ is finished, but its row is not in .*add --resume /m);
    assertEquals(filesIn(out).includes(join(out, "part1.csv")), false);
    lock[Symbol.dispose]();
    const again = await part1([...flags, "--resume"]);
    assertEquals([again.code, again.stderr], [0, ""]);
    assertMatch(again.stdout, /^Run \S+ was finished: its row is now in /m);
    assertMatch(again.stdout, /^Run \S+ is finished: nothing to resume$/m);
    assertEquals((await rowsOf(out)).map(({ status }) => status), ["ok"]);
  }));
