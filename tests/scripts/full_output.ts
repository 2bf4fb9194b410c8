/** Tasks that cannot print what they are asked for, for their tests. */

import { repositoryRoot } from "../../io/cache.ts";
import { taskArgs } from "../task.ts";

/** Whether there is no such disk. */
export const noFullDisk = Deno.build.os !== "linux";
if (noFullDisk) console.log("skipped: tasks that print to a full disk (Linux has /dev/full)");

/** What such a task says when nothing of its output can be written. */
export const UNWRITTEN = "error: Standard output cannot be written (no space left on device)\n";

/** Runs a task with a full disk for its standard output. */
export async function printToFullDisk(
  task: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stderr: string }> {
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", '"$0" "$@" > /dev/full', Deno.execPath(), ...taskArgs(task), ...args],
    cwd: repositoryRoot(),
    env: { NO_COLOR: "1", ...env },
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}
