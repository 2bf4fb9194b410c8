/** What a part may no longer do once it is set up. */

import { assertEquals } from "@std/assert";
import { gitState } from "../../experiment/provenance.ts";
import { runCommand } from "../../io/run_command.ts";
import { withFolder } from "../report/result_rows.ts";

Deno.test("setUp() gives up starting programs, unless a run may need one", () =>
  withFolder({}, async (out) => {
    const script = `${import.meta.dirname}/set_up_and_ask.ts`;
    const command = [Deno.execPath(), "run", "-q", "--no-check", "-P=engine", "--no-prompt"];
    const commit = (await gitState())?.commit;
    for (const [kept, state] of [["false", "prompt"], ["true", "granted"]] as const) {
      const result = await runCommand([...command, script, out, kept]);
      assertEquals([result?.stdout, result?.stderr], [`${state} ${commit}\n`, ""]);
    }
  }));
