/**
 * Which of several commands there is.
 *
 * @module
 */

import { type Failure, failureLine } from "./errors.ts";
import { withOwnModules } from "./python.ts";
import { programFailure, runCommand } from "./run_command.ts";

/** A command that tells its version. */
export interface FoundProgram {
  command: readonly string[];
  /** Empty where what it says is none. */
  version: string;
}

/** Why none was found; of commands that were started, where there are any, what the most telling said. */
export interface NoProgram {
  failure: Failure | undefined;
}

/** What a stand-in says where there is nothing behind it, and a Python that has no pip. */
export const ABSENT = /command not found|Python was not found|No module named pip\b/;

/** The first of some commands that tells its version. */
export async function findProgram(
  commands: readonly (readonly string[])[],
  limits: { timeoutMs?: number } = {},
): Promise<FoundProgram | NoProgram> {
  const failures: Failure[] = [];
  for (const command of commands) {
    const result = await runCommand([...withOwnModules(command), "--version"], limits);
    if (result === undefined) continue;
    if (result.success) return { command, version: /\d+(\.\w+)+/.exec(result.stdout)?.[0] ?? "" };
    if (ABSENT.test(result.stdout + result.stderr)) continue;
    const failure = programFailure(result);
    failures.push({ ...failure, what: `${command.join(" ")} ${failure.what}` });
  }
  const telling = failures.find(({ remedy }) => remedy !== undefined) ?? failures[0];
  const details = failures.map(({ what, reason }) => failureLine({ what, reason }));
  return { failure: telling && { ...telling, details } };
}
