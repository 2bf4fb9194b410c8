/** What the study's scripts need before they are timed. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { missingForStudyScripts, PART4_PACKAGES } from "../../bench/program_times.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { withFolder } from "../report/result_rows.ts";

Deno.test({
  name: "missingForStudyScripts() says of part 4 that torchvision is not there",
  ignore: Deno.build.os === "windows", // A shell script stands in for Python.
  fn: () =>
    withFolder({}, async (folder) => {
      const python = join(folder, "python");
      const script =
        "#!/bin/sh\ncase \"$2\" in *torchvision*) echo 'No module' >&2; exit 1;; esac\n";
      await Deno.writeTextFile(python, script, { mode: 0o755 });
      assertEquals(await missingForStudyScripts({ python }), undefined);
      const missing = await missingForStudyScripts({ python }, PART4_PACKAGES);
      assertStringIncludes(missing!, "No module");
      assertStringIncludes(missing!, "pip install torch numpy pillow scikit-learn torchvision");
    }),
});

Deno.test("what the study's scripts import is looked for before they are timed", async () => {
  const folder = join(repositoryRoot(), "bench/reference");
  const imported = async (file: string) => {
    const source = await Deno.readTextFile(join(folder, file));
    return [...source.matchAll(/^(?:import|from) (\w+)/gm)].map(([, name]) => name!);
  };
  const common = [...await imported("study_part1.py"), ...await imported("study_run.py")];
  assertEquals(common.includes("torchvision"), false);
  assertEquals((await imported("study_part4.py")).includes("torchvision"), true);
});
