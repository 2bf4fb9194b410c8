/**
 * Another program, run to its end.
 *
 * @module
 */

import type { Failure } from "./errors.ts";

/** Options of {@linkcode runCommand}. */
export interface RunCommandOptions {
  /** Environment variables besides this process's own. */
  env?: Record<string, string>;
  /**
   * Time after which the program is ended.
   *
   * @default {no limit}
   */
  timeoutMs?: number;
  /** Ends the program when it is aborted. */
  signal?: AbortSignal;
}

/** What a program left. */
export interface CommandResult {
  success: boolean;
  stdout: string;
  stderr: string;
  /** See {@linkcode StartedProgram.withheld}. */
  withheld: readonly string[];
}

/** A program that was started. */
export interface StartedProgram {
  child: Deno.ChildProcess;
  /** Variables that were emptied for it. */
  withheld: readonly string[];
}

/**
 * Starts a program. For a script that may start certain programs only, Deno starts none while any
 * variable is set that loaders go by (`LD_LIBRARY_PATH` and its like): those that it names are emptied.
 *
 * @throws {Error} If it cannot be started; {@linkcode cannotStart} says whether there is none to start.
 */
export function startProgram(program: string, options: Deno.CommandOptions): StartedProgram {
  try {
    return { child: new Deno.Command(program, options).spawn(), withheld: [] };
  } catch (error) {
    const withheld = refusedVariables(error);
    if (withheld.length === 0) throw error;
    const env = { ...options.env, ...Object.fromEntries(withheld.map((name) => [name, ""])) };
    return { child: new Deno.Command(program, { ...options, env }).spawn(), withheld };
  }
}

/** The variables of loaders for which Deno refused to start a program. */
function refusedVariables(error: unknown): string[] {
  if (!(error instanceof Deno.errors.NotCapable)) return [];
  const [, names = ""] = /subprocess with (.+?) environment variable/s.exec(error.message) ?? [];
  return names.split(",").map((name) => name.trim()).filter((name) => /^(LD|DYLD)_/i.test(name));
}

/** Gives up, for the rest of the process, the right to start programs. */
export async function giveUpPrograms(): Promise<void> {
  await Deno.permissions.revoke({ name: "run" });
}

/**
 * Runs a command with nothing on its standard input.
 *
 * @param command The program and its arguments.
 * @returns `undefined` if the command cannot be started: there is none, or it may not be run.
 */
export async function runCommand(
  command: readonly string[],
  { env = {}, timeoutMs, signal }: RunCommandOptions = {},
): Promise<CommandResult | undefined> {
  const [program = "", ...args] = command;
  const signals = [
    ...(signal === undefined ? [] : [signal]),
    ...(timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)]),
  ];
  try {
    const { child, withheld } = startProgram(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env,
      ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
    });
    const { success, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr), withheld };
  } catch (error) {
    if (cannotStart(error)) return undefined;
    throw error;
  }
}

/** Whether a program failed to start because there is none or it may not be run. */
export function cannotStart(error: unknown): boolean {
  const { NotFound, PermissionDenied, NotCapable } = Deno.errors;
  return [NotFound, PermissionDenied, NotCapable].some((kind) => error instanceof kind);
}

/** What loaders say, of Linux, musl and macOS, and Python where a module of its own is refused. */
const UNLOADED =
  /shared librar|shared object|Library not loaded|symbol lookup error|version [`'"]\S+ not found/i;

/** Why a program that was started came to nothing, to be said after its name. */
export function programFailure(
  { stdout, stderr, withheld }: Omit<CommandResult, "success">,
): Failure {
  const reason = ownWords(stderr) ?? ownWords(stdout) ?? "without a message";
  if (withheld.length === 0 || !UNLOADED.test(stderr)) return { what: "does not run", reason };
  const variables = withheld.join(" and ");
  return {
    what: `fails without ${variables}, which Deno does not pass on here`,
    reason,
    remedy: `put one that runs without ${variables} first in PATH and run again`,
  };
}

/** The line that says what is wrong: the first one, but of a Python's traceback the last. */
function ownWords(text: string): string | undefined {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines[0]?.startsWith("Traceback") ? lines.at(-1) : lines[0];
}
