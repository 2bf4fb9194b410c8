/** The page's script, as browsers get it. */

import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { bundlePage } from "../../draw/bundle.ts";

Deno.test("bundlePage() makes a classic script that a strict policy lets run", async () => {
  for (const entry of ["ask_server.ts", "read_here.ts"] as const) {
    const script = await bundlePage(entry);
    // Parsed and not run; a module's imports would be a syntax error here.
    assertEquals(typeof new Function(script), "function");
    assert(!/\bnew Function\b|\beval\(/.test(script), entry);
    assert(entry === "read_here.ts" || script.length < 100_000, `${script.length} characters`);
  }
});

Deno.test("the bundler leaves signals to whoever listens for them", () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    assertEquals(process.listenerCount(signal), 0, signal);
  }
});
