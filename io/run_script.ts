/**
 * How a script ends: well, or with a line that says why not and one on what to do.
 *
 * @module
 */

import { inspect } from "node:util";
import { denoProblem } from "./deno_version.ts";
import { type Failure, failureLines, InterruptedError, StudyError } from "./errors.ts";
import { ignoresHangUp } from "./hang_up.ts";
import { watchParent } from "./parent_watch.ts";
import { terminalText } from "./printable.ts";
import { canRedraw } from "./reporter.ts";

/** Options of {@linkcode runScript}. */
export interface RunScriptOptions {
  /**
   * Show the stack of what failed.
   *
   * @default {whether `--verbose` is on the command line}
   */
  verbose?: boolean;
  /**
   * Run on a Deno that is too old for the suite as well.
   *
   * @default {false}
   */
  anyDeno?: boolean;
}

/**
 * Runs a script's `main`, and ends the process with {@linkcode failureLines} on standard error where
 * it fails, or where Deno is too old for it.
 *
 * A {@linkcode StudyError} is complete for the user and has its own exit status; anything else is a
 * fault of ours: status 1 and a hint at `--verbose`, which adds details and the stack. A promise that nobody
 * waits for counts too.
 */
export async function runScript(
  main: () => Promise<void>,
  { verbose = Deno.args.includes("--verbose"), anyDeno = false }: RunScriptOptions = {},
): Promise<void> {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    exitWith(event.reason, verbose);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    exitWith(event.error, verbose);
  });
  try {
    const problem = anyDeno ? undefined : denoProblem();
    if (problem !== undefined) throw problem;
    await main();
  } catch (error) {
    exitWith(error, verbose);
  }
}

/** Signals this close together are one Ctrl-C: the terminal's and that of a program that passes it on. */
const SAME_CTRL_C_MS = 300;

/**
 * Runs `action` with Ctrl-C turned into an aborted signal, so that it can keep what is finished; so
 * are SIGTERM, the end of the terminal and, where `deno task` was started, its end. A second Ctrl-C
 * ends the process at once. The signal's reason is an {@linkcode InterruptedError}.
 */
export async function interruptible<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let abortedAt = 0;
  const interrupt = () => {
    if (controller.signal.aborted) return;
    abortedAt = performance.now();
    controller.abort(new InterruptedError("Interrupted; what was finished before is kept"));
  };
  const end = () => {
    const isSecond = controller.signal.aborted && performance.now() - abortedAt > SAME_CTRL_C_MS;
    if (isSecond) Deno.exit(130);
    interrupt();
  };
  // Deno listens to SIGHUP itself once there is any listener.
  const hasNohup = Deno.build.os !== "windows" && await ignoresHangUp();
  using stack = new DisposableStack();
  const listen = (signal: Deno.Signal, listener: () => void) => {
    Deno.addSignalListener(signal, listener);
    stack.defer(() => Deno.removeSignalListener(signal, listener));
  };
  listen("SIGINT", end);
  if (Deno.build.os !== "windows") {
    listen("SIGTERM", end);
    // A terminal that closes may say so more than once.
    listen("SIGHUP", hasNohup ? () => {} : interrupt);
  }
  stack.use(watchParent(interrupt));
  return await action(controller.signal);
}

function exitWith(error: unknown, verbose: boolean): never {
  const hint = error instanceof StudyError || verbose
    ? ""
    : " (run again with --verbose for the stack)";
  const [first, ...more] = failureLines(describe(error), { prefix: "error: ", verbose })
    .map(oneLine);
  const stack = verbose ? [inspect(error)] : [];
  // A live line may stand where the message is to be.
  const clear = canRedraw(Deno.stderr) ? "\r\x1b[2K" : "";
  const text = clear + [first + hint, ...more, ...stack].join("\n");
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
  } finally {
    Deno.exit(error instanceof StudyError ? error.exitCode : 1);
  }
}

function describe(error: unknown): Failure {
  if (error instanceof StudyError) return error;
  return { what: error instanceof Error ? `${error.name}: ${error.message}` : inspect(error) };
}

function oneLine(text: string): string {
  return terminalText(text.trimEnd().replace(/\s*\n\s*/g, " "));
}
