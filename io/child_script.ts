/**
 * Another of the suite's scripts, run as a process of its own.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { repositoryRoot } from "./cache.ts";
import { passAbortOn } from "./child_signal.ts";
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
  /**
   * Where its standard error goes: to ours and into the result, or where ours does and nowhere else,
   * as a live line on a terminal needs it.
   *
   * @default {"piped"}
   */
  stderr?: "inherit" | "piped";
  /** Interrupts it, which leaves it the time to keep what it has. */
  signal: AbortSignal;
}

/** What the line begins with that says why a script failed. */
const FAILURE = "error: ";

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
  options: ChildScriptOptions,
): Promise<ChildScriptEnd> {
  const { args, permissions, lock = "deno.lock", stdout = "inherit", signal } = options;
  const { stderr = "piped" } = options;
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
    stderr,
  }).spawn();
  // On a terminal Ctrl-C reaches it by itself too, at the same moment, which counts as one.
  using _passing = passAbortOn(signal, child);
  const [status, lastWords, output] = await Promise.all([
    child.status,
    stderr === "piped" ? passOn(child.stderr) : "",
    stdout === "piped" ? new Response(child.stdout).text() : "",
  ]);
  signal.throwIfAborted();
  if (status.code === 130) throw new InterruptedError("Interrupted");
  return { failure: status.success ? undefined : describe(status, lastWords), output };
}

/**
 * Copies a child's standard error to ours, a line at a time.
 *
 * @returns The line that says why it failed, if there is one, else its last.
 */
async function passOn(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let last = "";
  let failure: string | undefined;
  let rest = "";
  const take = (line: string, end: string) => {
    if (line.startsWith(FAILURE)) failure = line.slice(FAILURE.length);
    if (line.trim() !== "") last = line.trim();
    writeText(Deno.stderr, line + end);
  };
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) take(line, "\n");
  }
  if (rest !== "") take(rest, "");
  return (failure ?? last).trim();
}

function describe({ code, signal }: Deno.CommandStatus, lastWords: string): string {
  if (signal === "SIGKILL") return "it was killed, which the system does where memory runs out";
  if (signal !== null) return `it was ended by ${signal}`;
  return lastWords || `it ended with status ${code}`;
}
