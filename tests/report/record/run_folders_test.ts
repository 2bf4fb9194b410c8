import { assertRejects } from "@std/assert";
import { join } from "node:path";
import { StudyError } from "../../../io/errors.ts";
import { refuseInsideRun } from "../../../report/record/run_folders.ts";
import { withFolder } from "../result_rows.ts";

Deno.test("refuseInsideRun() knows a run whose manifest is damaged from a web site with one", () =>
  withFolder({ "manifest.json": `{"name": "A site"}` }, async (site) => {
    const run = join(site, "results", "runs", "run-1");
    await Deno.mkdir(run, { recursive: true });
    await refuseInsideRun(join(run, "model.safetensors"), "--out");
    await Deno.writeTextFile(join(run, "manifest.json"), "{");
    for (const path of [run, join(run, "model.safetensors"), join(run, "a", "b")]) {
      await assertRejects(
        () => refuseInsideRun(path, "--out"),
        StudyError,
        "another place with --out",
      );
    }
    await refuseInsideRun(site, "--out");
  }));
