/** The peak of a process' memory, whoever has started it. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { peakBytes } from "../../io/peak_memory.ts";

Deno.test("peakMemory() is the process' own, however much the one that started it has", async () => {
  // Touched, so that all of it is resident while the other process begins.
  const mine = new Uint8Array(512 * 2 ** 20).fill(1);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["eval", "--no-lock", `--config=${join(repositoryRoot(), "deno.json")}`],
      `import { peakMemory } from "${new URL("../../io/peak_memory.ts", import.meta.url)}";
       console.log(peakMemory());`,
    ],
  }).output();
  const peak = Number(new TextDecoder().decode(stdout));
  assert(peak > 20e6, `${peak} bytes`);
  if (Deno.build.os === "linux") assert(peak < mine.length, `${peak} bytes`);
});

Deno.test("peakBytes() knows what Deno counts in, by system and version", () => {
  const bytes = (os: string, deno: string, maxRSS: number) => peakBytes({ os, deno, maxRSS });
  const peak = 300 * 2 ** 20;
  assertEquals(bytes("darwin", "2.9.6", peak), peak);
  assertEquals(bytes("darwin", "2.9.7", peak / 1024), peak);
  assertEquals(bytes("darwin", "2.10.0", peak / 1024), peak);
  for (const os of ["linux", "windows"]) assertEquals(bytes(os, "2.9.6", peak / 1024), peak);
  assert(peakBytes() > 20e6 && peakBytes() < 1e12, `${peakBytes()} bytes`);
});
