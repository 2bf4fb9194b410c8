/** How much memory a large model takes to be trained and saved. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { findLibrary } from "../../engine/library/find_library.ts";
import { repositoryRoot } from "../../io/cache.ts";
import { silentReporter } from "../../io/reporter.ts";
import { withFolder } from "../report/result_rows.ts";
import { taskArgs } from "../task.ts";

Deno.test({
  name: "training and saving a large layer take a few times its own memory",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withFolder({}, async (folder) => {
      const library = await findLibrary({ reporter: silentReporter });
      const args = taskArgs("part1").map((arg) =>
        arg === "scripts/part1.ts" ? join("tests", "training", "training_memory.ts") : arg
      );
      const { code, stdout } = await new Deno.Command(Deno.execPath(), {
        args: [...args, join(folder, "checkpoint.safetensors")],
        cwd: repositoryRoot(),
        env: { NO_COLOR: "1", LIBTENSORFLOW_PATH: library.path },
        stderr: "inherit",
      }).output();
      assertEquals(code, 0);
      const { training, saving } = JSON.parse(new TextDecoder().decode(stdout));
      // Parameter, both moments, what the library needs, and of gradient and penalty a block: 3.9 of
      // them. With those as wholes it was 4.7, and more as the library's threads happened to meet.
      assert(training < 4.5, `${training} times the layer's bytes`);
      // Tensors are written in parts: 0.3. As wholes it was 1.9.
      assert(saving < 1, `${saving} times the layer's bytes`);
    }),
});
