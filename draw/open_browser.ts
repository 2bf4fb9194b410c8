/**
 * A page in the browser of whoever sits at the machine.
 *
 * @module
 */

import { cannotStart, startProgram } from "../io/run_command.ts";

/** The system's own program that opens an address, and what it is called with. */
const OPENERS: Readonly<Partial<Record<typeof Deno.build.os, readonly string[]>>> = {
  darwin: ["open"],
  linux: ["xdg-open"],
  windows: ["explorer"],
};

/** How long a program may take to say that it cannot open anything, in milliseconds. */
const PATIENCE_MS = 1500;

/**
 * Opens an address in the browser, which goes on when this process ends.
 *
 * @returns `false` where that cannot be done.
 */
export async function openBrowser(address: string): Promise<boolean> {
  const opener = OPENERS[Deno.build.os];
  if (opener === undefined) return false;
  const [program = "", ...args] = [...opener, address];
  try {
    const streams = { stdin: "null", stdout: "null", stderr: "null" } as const;
    const { child } = startProgram(program, { args, ...streams, detached: true });
    child.unref();
    // Explorer says that it failed whatever happens; others may end only when the browser does.
    if (Deno.build.os === "windows") return true;
    const failed = child.status.then(({ success }) => !success);
    return !await Promise.race([failed, delay(PATIENCE_MS)]);
  } catch (error) {
    if (cannotStart(error)) return false;
    throw error;
  }
}

/** Resolves with `false` after a while, for which nothing waits at the process's end. */
function delay(milliseconds: number): Promise<false> {
  return new Promise((resolve) => Deno.unrefTimer(setTimeout(() => resolve(false), milliseconds)));
}
