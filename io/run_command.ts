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

/** What loaders go by, on Linux (`ld.so(8)`) and macOS (`dyld(1)`). */
const LOADER_VARIABLES = [
  ...["AUDIT", "BIND_NOT", "BIND_NOW", "DEBUG", "DEBUG_OUTPUT", "DYNAMIC_WEAK", "HWCAP_MASK"],
  ...["LIBRARY_PATH", "ORIGIN_PATH", "POINTER_GUARD", "PREFER_MAP_32BIT_EXEC", "PRELOAD"],
  ...["PROFILE", "PROFILE_OUTPUT", "SHOW_AUXV", "TRACE_LOADED_OBJECTS", "USE_LOAD_BIAS"],
  ...["VERBOSE", "WARN"],
].map((name) => `LD_${name}`).concat(
  [
    ...["FALLBACK_FRAMEWORK_PATH", "FALLBACK_LIBRARY_PATH", "FRAMEWORK_PATH", "IMAGE_SUFFIX"],
    ...["INSERT_LIBRARIES", "LIBRARY_PATH", "PRINT_LIBRARIES", "ROOT_PATH", "SHARED_REGION"],
    ...["VERSIONED_FRAMEWORK_PATH", "VERSIONED_LIBRARY_PATH"],
  ].map((name) => `DYLD_${name}`),
);

/**
 * The loader's own variables that are set (`LD_LIBRARY_PATH` and its like), emptied: where they are
 * set, Deno starts nothing for a script that may run certain programs only.
 */
export function emptiedLoaderVariables(): Record<string, string> {
  return Object.fromEntries(
    LOADER_VARIABLES.filter((name) => Deno.env.get(name)).map((name) => [name, ""]),
  );
}

/** Gives up, for the rest of the process, the right to start programs. */
export async function giveUpPrograms(): Promise<void> {
  await Deno.permissions.revoke({ name: "run" });
}

/**
 * Runs a command with nothing on its standard input, {@linkcode emptiedLoaderVariables} emptied.
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
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { ...emptiedLoaderVariables(), ...env },
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
