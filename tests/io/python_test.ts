/** Whose modules a Python runs that is started in a folder with modules of its own. */

import { assert, assertEquals } from "@std/assert";
import { PYTHON_COMMANDS, withOwnModules } from "../../io/python.ts";
import { runCommand } from "../../io/run_command.ts";
import { withFolder } from "../report/result_rows.ts";
import { hasPip } from "./package_index.ts";

Deno.test("withOwnModules() leaves commands alone that start no pip of a Python's", () => {
  for (const command of [["pip3"], ["python3"], ["sh", "-c", "exit 0", "pip"], ["pip", "-m"], []]) {
    assertEquals(withOwnModules(command), command);
  }
});

Deno.test({
  name: "withOwnModules() has pip of the Python, whatever modules lie where it is started",
  ignore: Deno.build.os === "windows" || !await hasPip(),
  fn: () => {
    const own = "raise SystemExit('a module of the working folder')";
    return withFolder({ "pip.py": own, "runpy.py": own, "json.py": own }, async (folder) => {
      const there = ["sh", "-c", 'cd "$0" && exec "$@"', folder];
      const results = await Promise.all(
        PYTHON_COMMANDS.map((python) =>
          runCommand([...there, ...withOwnModules([...python, "-m", "pip"]), "--version"])
        ),
      );
      const said = results.map((result) => result!.stdout + result!.stderr).join("");
      assert(results.some((result) => result!.success && result!.stdout.startsWith("pip ")), said);
    });
  },
});
