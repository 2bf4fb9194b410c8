/** The report where Deno's own folder takes nothing new, as in a container that only reads. */

import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { runCommand } from "../../io/run_command.ts";
import { REFERENCE_RESULTS } from "../../report/record/reference_results.ts";
import { withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";

Deno.test("compare and readme work where DENO_DIR cannot be written", () =>
  withFolder({}, async (folder) => {
    const info = await runCommand([Deno.execPath(), "info", "--json"]);
    const { denoDir } = JSON.parse(info!.stdout);
    const own = join(folder, "deno");
    await Deno.mkdir(own);
    await Deno.symlink(join(denoDir, "npm"), join(own, "npm"));
    // The tests may be run by root, to whom no folder is closed: files in the way are.
    for (const name of ["location_data", "gen", "v8_code_cache_v2", "dep_analysis_cache_v2"]) {
      await Deno.writeTextFile(join(own, name), "in the way");
    }
    const results = join(repositoryRoot(), REFERENCE_RESULTS);
    const tasks = [
      ["compare", "--results", results, "--out", join(folder, "report"), "--quiet"],
      ["readme", "--check"],
    ] as const;
    for (const [name, ...flags] of tasks) {
      const root = repositoryRoot();
      const command = taskArgs(name).map((arg) => arg.replace("--lock=", `--lock=${root}/`));
      const script = command.pop()!;
      const config = `--config=${join(root, "deno.json")}`;
      const result = await runCommand(
        [Deno.execPath(), ...command, config, join(root, script), ...flags],
        { env: { DENO_DIR: own } },
      );
      // What the report has to say of the runs themselves is none of this.
      const complaints = result?.stderr
        .replace(/^(The rows shown were made by|\w+ is not comparable with) .*\n/gm, "");
      assertEquals([name, result?.success, complaints], [name, true, ""]);
    }
  }));
