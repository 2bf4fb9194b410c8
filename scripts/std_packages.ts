/**
 * Whose `@std` packages the suite uses: `deno task jsr` takes JSR's own, `deno task stand-ins` those in
 * `std/`, as it is cloned.
 *
 * Nothing here imports one of them, as what reads the other tasks' flags does: from JSR's own there is a
 * way back where JSR cannot be reached.
 *
 * @module
 */

import { StudyError, UsageError } from "../io/errors.ts";
import { runScript } from "../io/run_script.ts";

const PACKAGES = ["std/assert", "std/cli", "std/csv"] as const;
const LOCKS = ["deno.lock", "deno.full.lock"] as const;
const CHANGED = ["deno.json", ...LOCKS] as const;

/** What each task does, and the commands that do it. */
const TASKS: Readonly<Record<string, { description: string; commands: readonly string[][] }>> = {
  "jsr": {
    description:
      "Uses JSR's own @std packages in place of the stand-ins in std/, and has git pass " +
      "over\nthe files that this changes. Back with: deno task stand-ins",
    commands: [
      ["deno", "unlink", "-q", ...PACKAGES],
      ["git", "restore", "deno.lock"],
      ["git", "update-index", "--skip-worktree", ...CHANGED],
    ],
  },
  "stand-ins": {
    description: "Uses the stand-ins in std/ for JSR's @std packages again, as the suite comes.",
    commands: [
      ["git", "update-index", "--no-skip-worktree", ...CHANGED],
      ["deno", "link", "-q", ...PACKAGES],
      ["git", "restore", ...LOCKS],
    ],
  },
};

async function main(): Promise<void> {
  const [name = "", ...words] = Deno.args;
  const { description, commands } = TASKS[name]!;
  if (words.some((word) => word === "--help" || word === "-h")) {
    console.log(`Usage: deno task ${name}\n\n${description}`);
    return;
  }
  if (words.length > 0) {
    throw new UsageError(`deno task ${name} takes nothing but --help, not ${words.join(" ")}`);
  }
  for (const [program = "", ...args] of commands) {
    const path = program === "deno" ? Deno.execPath() : program;
    const { code } = await new Deno.Command(path, { args, stdin: "null" }).spawn().status;
    if (code === 0) continue;
    throw new StudyError(`${program} ${args.join(" ")} ended with status ${code}`);
  }
}

if (import.meta.main) await runScript(main);
