/**
 * Whether a process is to outlive its terminal.
 *
 * @module
 */

import { readSystemFile } from "./libc.ts";

/**
 * Whether this process ignores SIGHUP, as one started by `nohup` does: listening to any signal
 * undoes that. Where the system does not tell, one without a terminal is taken for such.
 */
export async function ignoresHangUp(): Promise<boolean> {
  const ignored = /^SigIgn:\s*[0-9a-f]*([0-9a-f])$/m.exec(await processStatus() ?? "")?.[1];
  // Signal 1 is the lowest bit.
  return ignored === undefined ? !Deno.stdout.isTerminal() : parseInt(ignored, 16) % 2 === 1;
}

/** What Linux says of this process, read in the way that its permissions allow. */
async function processStatus(): Promise<string | undefined> {
  const path = "/proc/self/status";
  const may = (name: "ffi" | "run") => Deno.permissions.querySync({ name }).state === "granted";
  if (Deno.build.os !== "linux") return undefined;
  if (may("ffi")) return readSystemFile(path);
  if (!may("run")) return undefined;
  // A program that is started ignores what we ignore.
  const cat = new Deno.Command("cat", { args: [path], stdin: "null", stderr: "null" });
  try {
    return new TextDecoder().decode((await cat.output()).stdout);
  } catch {
    return undefined;
  }
}
