/** What Ctrl-C on a terminal, which util-linux's `script` plays, says at once. */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { Program } from "../scripts/part1_process.ts";
import { withFolder } from "../report/result_rows.ts";

const hasScript = await new Deno.Command("script", { args: ["--version"] }).output()
  .then(({ stdout }) => new TextDecoder().decode(stdout).includes("util-linux"), () => false);
if (!hasScript) console.log("skipped: noticeStops() (there is no util-linux script)");

/** Runs one batch that leaves the event loop no turn for two seconds, and stops when told to. */
function program(unit: string): string {
  const io = (name: string) => JSON.stringify(join(repositoryRoot(), "io", name));
  return `
    import { eventTurn } from ${io("event_turn.ts")};
    import { interruptible, runScript } from ${io("run_script.ts")};
    import { noticeStops, stopsAfter } from ${io("stop_notice.ts")};
    await runScript(async () => {
      using notice = noticeStops("stdout");
      stopsAfter(${unit});
      await interruptible(async (signal) => {
        const cell = new Int32Array(new SharedArrayBuffer(4));
        await new Promise((resolve) => setTimeout(resolve, 500));
        console.log("a batch begins");
        Atomics.wait(cell, 0, 0, 2000);
        console.log("a batch ends");
        await eventTurn(signal);
        console.log("another begins");
      });
    });`;
}

for (
  const [unit, expected] of [
    ['"batch"', /begins\r\n(\^C)?\rCLEARstopping after this batch…\r\na batch ends\r\n/],
    ['"image"', /begins\r\n(\^C)?\rCLEARstopping after this image…\r\na batch ends\r\n/],
    ["undefined", /begins\r\n(\^C)?a batch ends\r\n/],
  ] as const
) {
  Deno.test({
    name: `noticeStops() answers Ctrl-C while a call holds the event loop, after ${unit}`,
    ignore: !hasScript,
    fn: () =>
      withFolder({ "program.ts": program(unit) }, async (folder) => {
        const config = join(repositoryRoot(), "deno.json");
        const path = join(folder, "program.ts");
        const command = `${Deno.execPath()} run -q -A --no-lock --config=${config} ${path}`;
        const terminal = new Program("script", ["-qefc", command, "/dev/null"]);
        await terminal.until(/a batch begins/);
        await terminal.type("\x03");
        const { code, stdout } = await terminal.end();
        assertMatch(stdout.replaceAll("\x1b[2K", "CLEAR"), expected);
        assertEquals([code, stdout.includes("another begins")], [130, false], stdout);
      }),
  });
}
