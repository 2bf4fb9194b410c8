/** The tasks of `deno.json`, for tests that run or check them. */

import { join } from "node:path";
import { repositoryRoot } from "../io/cache.ts";

/** A task as `deno.json` has it. */
export interface Task {
  description: string;
  command: string;
}

/** Every task by its name. */
export const TASKS: Readonly<Record<string, Task>> =
  JSON.parse(await Deno.readTextFile(join(repositoryRoot(), "deno.json"))).tasks;

/** What Deno is called with for `deno task NAME`: the task's own permissions and lock file. */
export function taskArgs(name: string): string[] {
  return TASKS[name]!.command.split(" ").slice(1);
}
