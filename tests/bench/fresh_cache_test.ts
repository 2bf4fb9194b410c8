/** The cache that a run is measured with. */

import { assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { inFreshCache, withCache } from "../../bench/fresh_cache.ts";
import { exists } from "../../io/path_kind.ts";
import { withFolder } from "../report/result_rows.ts";

/** The names in a folder, in order. */
function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("inFreshCache() has all that is in the suite's cache but features, and leaves it as it was", () =>
  withFolder({ "backends.json": "{}" }, async (shared) => {
    for (const name of ["features", "fashion-mnist", "libtensorflow", "weights", "bench-other"]) {
      await Deno.mkdir(join(shared, name));
      await Deno.writeTextFile(join(shared, name, "file"), name);
    }
    const before = namesIn(shared);
    const cache = await inFreshCache(async (cache) => {
      assertEquals(namesIn(cache), ["backends.json", "fashion-mnist", "libtensorflow", "weights"]);
      assertEquals(await Deno.readTextFile(join(cache, "weights/file")), "weights");
      assertEquals(await Deno.readTextFile(join(cache, "backends.json")), "{}");
      await Deno.mkdir(join(cache, "features"));
      return cache;
    }, shared);
    assertEquals([await exists(cache), namesIn(shared)], [false, before]);
    assertEquals(await Deno.readTextFile(join(shared, "weights/file")), "weights");
    await assertRejects(() => inFreshCache(() => Promise.reject(new Error("failed")), shared));
    assertEquals(namesIn(shared), before);
  }));

Deno.test("inFreshCache() leaves weights that are fetched meanwhile where they are found again", () =>
  withFolder({}, async (shared) => {
    await inFreshCache((cache) => Deno.writeTextFile(join(cache, "weights/new"), "new"), shared);
    assertEquals(await Deno.readTextFile(join(shared, "weights/new")), "new");
  }));

Deno.test("withCache() gives a program another cache beside what it is given", () => {
  const program = { name: "a run", command: "deno", args: [], env: { A: "1" } };
  assertEquals(withCache(program, "there").env, { A: "1", MNIST_STUDY_CACHE: "there" });
});
