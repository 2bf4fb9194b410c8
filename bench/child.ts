/**
 * Programs that the bench starts and listens to, line by line.
 *
 * @module
 */

import { repositoryRoot } from "../io/cache.ts";
import { signalChild } from "../io/child_signal.ts";
import { StudyError } from "../io/errors.ts";

/** What is to be started. */
export interface Program {
  /** What messages call it. */
  name: string;
  command: string;
  args: readonly string[];
  /** Environment variables that it gets besides ours. */
  env?: Readonly<Record<string, string>>;
}

export interface Child {
  readonly pid: number;
  /** Its standard output; ends with it. */
  readonly lines: AsyncGenerator<string>;
  /** Sends it a line. */
  write(line: string): Promise<void>;
  /** Ends it now, if it still runs. */
  kill(): Promise<void>;
  /** Waits for its end; a {@linkcode StudyError} with its last words if that was not a success. */
  ended(): Promise<void>;
}

const running = new Set<Deno.ChildProcess>();

/** Ends every program that still runs: who asked the bench alone to stop wants them gone too. */
export function killChildren(): void {
  for (const child of running) signalChild(child, "SIGKILL");
}

/** A script of the suite, run by this Deno with the permissions of the parts of the study. */
export function denoScript(
  name: string,
  script: string,
  args: readonly string[],
  runtimeFlags: readonly string[] = [],
): Program {
  return {
    name,
    command: Deno.execPath(),
    args: ["run", "-q", "-P=engine", ...runtimeFlags, script, ...args],
  };
}

/**
 * Starts a program in the repository's folder.
 *
 * @throws {StudyError} If it is not there.
 */
export function startChild(program: Program): Child {
  const { name } = program;
  const child = spawn(program);
  running.add(child);
  child.status.finally(() => running.delete(child));
  const lastWords = lastLine(child.stderr);
  const writer = child.stdin.getWriter();
  const encoder = new TextEncoder();
  return {
    pid: child.pid,
    lines: linesOf(child.stdout),
    write: (line) => writer.write(encoder.encode(`${line}\n`)),
    async kill() {
      signalChild(child, "SIGKILL");
      await child.status;
      await writer.close().catch(() => {});
      await lastWords;
    },
    async ended() {
      const { success, code, signal } = await child.status;
      await writer.close().catch(() => {});
      const words = await lastWords;
      if (success) return;
      throw new StudyError(`${name} ended with ${signal ?? `status ${code}`}: ${words}`);
    },
  };
}

function spawn({ name, command, args, env = {} }: Program): Deno.ChildProcess {
  try {
    return new Deno.Command(command, {
      args: [...args],
      env: { ...env },
      cwd: repositoryRoot(),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new StudyError(`Cannot start ${name}: there is no program ${command}`);
    }
    throw error;
  }
}

/** The lines of a stream of UTF-8 text. */
async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    rest = parts.pop()!;
    yield* parts;
  }
  if (rest !== "") yield rest;
}

async function lastLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let last = "it said nothing";
  for await (const line of linesOf(stream)) {
    if (line.trim() !== "") last = line.trim();
  }
  return last;
}
