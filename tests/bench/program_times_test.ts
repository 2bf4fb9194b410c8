/** What the study's scripts need before they are timed. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { missingForStudyScripts, PACKAGES, PART4_PACKAGES } from "../../bench/program_times.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { exists } from "../../io/path_kind.ts";
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

/** What comes with Python. */
const STANDARD = new Set(
  "argparse datetime gzip hashlib json os pathlib platform re struct sys time".split(" "),
);

Deno.test("what the study's scripts import is looked for before they are timed", async () => {
  const folder = join(repositoryRoot(), "bench/reference");
  /** The packages that a script and all it imports of the folder need. */
  const needed = async (file: string): Promise<string[]> => {
    const source = await Deno.readTextFile(join(folder, `${file}.py`));
    const names = [...source.matchAll(/^(?:import|from) (\w+)/gm)].map(([, name]) => name!);
    const found = await Promise.all(
      names.map(async (name) =>
        STANDARD.has(name) ? [] : await exists(join(folder, `${name}.py`)) ? needed(name) : [name]
      ),
    );
    return [...new Set(found.flat())].toSorted();
  };
  assertEquals(await needed("study_part1"), Object.keys(PACKAGES).toSorted());
  const all = { ...PACKAGES, ...PART4_PACKAGES };
  assertEquals(await needed("study_part4"), Object.keys(all).toSorted());
});
