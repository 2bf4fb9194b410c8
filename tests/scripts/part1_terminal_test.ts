/** Part 1 on a terminal, which util-linux's `script` plays. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { runFolder } from "../../report/record/run_folder.ts";
import { ENDLESS, filesIn, part1, Program, rowsOf, SMALL, TASK, TINY } from "./part1_process.ts";
import { withFolder } from "../report/result_rows.ts";

const hasScript = await new Deno.Command("script", { args: ["--version"] }).output()
  .then(({ stdout }) => new TextDecoder().decode(stdout).includes("util-linux"), () => false);
if (!hasScript) console.log("skipped: part1 on a terminal (there is no util-linux script)");

/** Part 1 on a terminal of so many columns. */
function onTerminal(columns: number, args: readonly string[]): Program {
  const command = [
    `stty cols ${columns} rows 30 -echo;`,
    "exec",
    Deno.execPath(),
    ...TASK,
    ...args,
  ];
  return new Program("script", ["-qefc", command.join(" "), "/dev/null"]);
}

/** What was drawn on the live line, each time. */
function drawnIn(stdout: string): string[] {
  return stdout.split("\n").flatMap((line) => line.split("\r\x1b[2K").slice(0, -1))
    .filter((text) => text !== "");
}

for (const columns of [40, 120]) {
  Deno.test({
    name: `part1 on a terminal of ${columns} columns has bar, loss and time left on one line`,
    ignore: !hasScript,
    fn: () =>
      withFolder({}, async (out) => {
        const args = [...SMALL, "--epochs=2", "--out", out];
        const { code, stdout } = await onTerminal(columns, args).end();
        assertEquals(code, 0, stdout);
        const drawn = drawnIn(stdout);
        for (const text of drawn) assert(text.length < columns, text);
        const training = drawn.filter((text) => text.includes("loss"));
        assert(training.length > 1, stdout);
        for (const text of training) {
          assertMatch(text, /^(Epoch )?[12]\/2 .*loss \d+\.\d{4} .*[█░]{8,} {2}[\d.]+ (s|min)/);
          assertEquals(text.includes("images/s"), columns > 100, text);
        }
        assert(drawn.some((text) => /^(Evaluating {2})?\d+\/40 images .*[█░]{8,}/.test(text)));
        // Lines in between stay whole.
        const whole = stdout.replaceAll("\r\x1b[2K", "\n");
        assertMatch(whole, /^Train Epoch: 1 \[100\/101 \(99%\)\] {2}Loss: \d\.\d{6}\r$/m);
      }),
  });
}

Deno.test({
  name: "part1 on a terminal redraws one line, and keeps nothing of a first epoch interrupted",
  ignore: !hasScript,
  fn: () =>
    withFolder({}, async (out) => {
      const args = [...SMALL.with(1, "--limit=8000"), ...ENDLESS, "--out", out];
      const terminal = onTerminal(100, args);
      await terminal.until(/Epoch 1\/1000 .* left[^]*Train Epoch: 1 \[100\/8000/);
      await terminal.type("\x03");
      const { code, stdout } = await terminal.end();
      assertEquals(code, 130, stdout);
      assertMatch(stdout, /stopping after this batch…\r\n[^]*error: SimpleCNN/);
      const lines = stdout.split("\n").map((line) => line.split("\r\x1b[2K"));
      const drawn = drawnIn(stdout);
      assert(drawn.length > 1);
      for (const text of drawn) {
        assertMatch(
          text,
          /^Epoch 1\/1000 {2}batch \d+\/8000 {2}loss \d+\.\d{4} {2}\d+ images\/s {2}.* left$/,
        );
      }
      assertMatch(
        lines.at(-2)!.at(-1)!,
        /^error: SimpleCNN \(seed 1\) was interrupted before the first epoch was finished: /,
      );
      const [row] = await rowsOf(out);
      assertEquals([row!.status, row!.epochs], ["interrupted", 0]);
      const folder = runFolder(out, row!.run_id);
      // Its lock is not in use any more.
      assertEquals(filesIn(folder).sort(), [".lock", "manifest.json"].map((f) => join(folder, f)));

      const other = await part1([...TINY, "--out", out, "--resume"]);
      assertEquals([other.code, other.stderr], [0, ""]);
      assertMatch(other.stdout, /^No run of SimpleCNN with seed 1 to resume: starting a new one$/m);
      assertEquals((await rowsOf(out)).map(({ status }) => status), ["interrupted", "ok"]);
    }),
});
