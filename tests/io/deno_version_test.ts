import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { denoProblem, OLDEST_DENO } from "../../io/deno_version.ts";

Deno.test("denoProblem() is of a Deno older than README asks for, and says what to do", async () => {
  for (const version of ["2.9.0", "2.9.6", "2.10.0-rc.1+abcdef0", "3.0.0", Deno.version.deno]) {
    assertEquals(denoProblem(version), undefined);
  }
  for (const version of ["1.46.3", "2.8.3"]) {
    const { message } = denoProblem(version)!;
    for (const part of [version, `${OLDEST_DENO} or newer is needed`, "deno upgrade"]) {
      assertStringIncludes(message, part);
    }
  }
  const readme = await Deno.readTextFile(join(repositoryRoot(), "README.md"));
  assertEquals(/\[Deno\]\([^)]*\)\s+(\S+)\s+or\s+newer/.exec(readme)?.[1], OLDEST_DENO);
});
