import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { Program } from "../scripts/part1_process.ts";

/** Blocks for 0.3 s again and again, as slow calls do, until Ctrl-C is noticed. */
const SLOW_CALLS = `
import { eventTurn } from ${JSON.stringify(join(repositoryRoot(), "io", "event_turn.ts"))};
let turns = -1;
Deno.addSignalListener("SIGINT", () => {
  console.log(turns, "turns");
  Deno.exit();
});
const cell = new Int32Array(new SharedArrayBuffer(4));
console.log("ready");
for (let i = 0; i < 100; i++) {
  Atomics.wait(cell, 0, 0, 300);
  if (turns >= 0 || i === 3) {
    if (i === 3) Deno.kill(Deno.pid, "SIGINT");
    turns++;
  }
  await eventTurn();
}
`;

Deno.test({
  name: "eventTurn() lets Ctrl-C through within a turn of a slow call",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const program = new Program(Deno.execPath(), ["eval", "--no-lock", SLOW_CALLS], {});
    const { code, stdout, stderr } = await program.end();
    assertEquals([code, stdout], [0, "ready\n0 turns\n"], stderr);
  },
});
