/**
 * Another of the suite's scripts, run as a process of its own.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { repositoryRoot } from "./cache.ts";
import { InterruptedError } from "./errors.ts";
import { writeText } from "./reporter.ts";

/** Options of {@linkcode runChildScript}. */
export interface ChildScriptOptions {
  args: readonly string[];
  /** Name of its permissions in `deno.json`. */
  permissions: string;
  /**
   * Its lock file.
   *
   * @default {"deno.lock"}
   */
  lock?: string;
  /**
   * Where its standard output goes: where ours does, or into the result.
   *
   * @default {"inherit"}
   */
  stdout?: "inherit" | "piped";
  /** Interrupts it, which leaves it the time to keep what it has. */
  signal: AbortSignal;
}

/** How a script ended. */
export interface ChildScriptEnd {
  /** What went wrong, in its own last words; undefined if nothing did. */
  failure: string | undefined;
  /** Its standard output, if that was piped. */
  output: string;
}

/**
 * Runs a script of this repository to its end; what it says on standard error is said on ours.
 *
 * @throws {InterruptedError} If it or we were interrupted.
 */
export async function runChildScript(
  script: string,
  { args, permissions, lock = "deno.lock", stdout = "inherit", signal }: ChildScriptOptions,
): Promise<ChildScriptEnd> {
  signal.throwIfAborted();
  const root = repositoryRoot();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-q", `--config=${join(root, "deno.json")}`, `--lock=${join(root, lock)}`],
      `-P=${permissions}`,
      resolve(root, script),
      ...args,
    ],
    stdin: "null",
    stdout,
    stderr: "piped",
  }).spawn();
  const interrupt = () => interruptNow(child);
  signal.addEventListener("abort", interrupt);
  try {
    const [status, lastWords, output] = await Promise.all([
      child.status,
      passOn(child.stderr),
      stdout === "piped" ? new Response(child.stdout).text() : "",
    ]);
    signal.throwIfAborted();
    if (status.code === 130) throw new InterruptedError("Interrupted");
    return { failure: status.success ? undefined : describe(status, lastWords), output };
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}

/** On a terminal Ctrl-C reaches it by itself too, at the same moment, which counts as one. */
function interruptNow(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGINT");
  } catch {
    // It has ended by itself.
  }
}

/** Copies a child's standard error to ours; resolves to its last line. */
async function passOn(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let last = "";
  let line = "";
  for await (const bytes of stream) {
    const text = decoder.decode(bytes, { stream: true });
    writeText(Deno.stderr, text);
    const lines = (line + text).split("\n");
    line = lines.pop()!;
    last = lines.findLast((text) => text.trim() !== "") ?? last;
  }
  return (line.trim() || last.trim()).replace(/^error: /, "");
}

function describe({ code, signal }: Deno.CommandStatus, lastWords: string): string {
  if (signal === "SIGKILL") return "it was killed, which the system does where memory runs out";
  if (signal !== null) return `it was ended by ${signal}`;
  return lastWords || `it ended with status ${code}`;
}
