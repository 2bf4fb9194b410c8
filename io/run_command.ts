/**
 * Another program, run to its end.
 *
 * @module
 */

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
}

/**
 * Starts a program. For a script that may start certain programs only, Deno starts none while any
 * variable is set that loaders go by (`LD_LIBRARY_PATH` and its like): those that it names are emptied.
 *
 * @throws {Error} If it cannot be started; {@linkcode cannotStart} says whether there is none to start.
 */
export function startProgram(program: string, options: Deno.CommandOptions): Deno.ChildProcess {
  try {
    return new Deno.Command(program, options).spawn();
  } catch (error) {
    const names = refusedVariables(error);
    if (names.length === 0) throw error;
    const env = { ...options.env, ...Object.fromEntries(names.map((name) => [name, ""])) };
    return new Deno.Command(program, { ...options, env }).spawn();
  }
}

/** The variables of loaders for which Deno refused to start a program. */
function refusedVariables(error: unknown): string[] {
  if (!(error instanceof Deno.errors.NotCapable)) return [];
  const [, names = ""] = /subprocess with (.+?) environment variable/s.exec(error.message) ?? [];
  return names.split(", ").filter((name) => /^\s*(LD|DYLD)_/i.test(name));
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
    const { success, stdout, stderr } = await startProgram(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env,
      ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
    }).output();
    const decoder = new TextDecoder();
    return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
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
