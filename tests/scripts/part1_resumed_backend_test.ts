/** Part 1 goes on where it was, although `auto` would take another backend by itself. */

import { assertEquals, assertMatch } from "@std/assert";
import { withFolder } from "../report/result_rows.ts";
import { part1, rowsOf } from "./part1_process.ts";

/** Without a library that is named: `auto` may take any backend. */
const FREE = { LIBTENSORFLOW_PATH: "" };

Deno.test("part1 --resume takes the backend of the run that goes on", () =>
  withFolder({}, async (out) => {
    const small = ["--data=mnist", "--limit=32", "--batch-size=32", "--test-limit=8", "--out", out];
    const first = await part1([...small, "--epochs=1", "--backend=wasm"], FREE);
    assertEquals(first.code, 0, first.stderr);
    const longer = await part1([...small, "--epochs=2", "--resume"], FREE);
    assertEquals(longer.code, 0, longer.stderr);
    assertMatch(
      longer.stdout,
      /^Engine: wasm \(as run \S+ has it, which --resume goes on with\),/m,
    );
    assertEquals((await rowsOf(out)).map(({ backend, epochs }) => [backend, epochs]), [
      ["wasm", 1],
      ["wasm", 2],
    ]);
  }));
