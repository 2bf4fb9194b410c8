/**
 * What the user sees while work goes on: lines, warnings and one live line.
 *
 * On a terminal the live line is redrawn in place; piped, and on one that is called dumb because it
 * cannot do that, it is left out and only lines are printed;
 * quiet prints nothing but warnings. Output that cannot be written is lost, and work goes on.
 *
 * @module
 */

import { variableIfAllowed } from "./environment.ts";
import { type Failure, failureLines, StudyError } from "./errors.ts";
import { terminalText } from "./printable.ts";
import { systemReason } from "./system_reason.ts";

/** Where progress and messages go. */
export interface Reporter {
  /** True when nothing but warnings is to be shown. */
  readonly quiet: boolean;
  /** True when a live line can be redrawn in place. */
  readonly terminal: boolean;
  /** Width of the live line at this moment; `undefined` where there is none. */
  readonly columns?: number | undefined;
  /** True when details of failures are to be shown. */
  readonly verbose?: boolean;
  /** Prints one line, unless quiet. */
  line(text: string): void;
  /** Prints one line on standard error, even when quiet. */
  warn(text: string): void;
  /** Redraws the live line; nothing when not on a terminal. An empty text clears it. */
  live(text: string): void;
}

/** Options of {@linkcode createReporter}. */
export interface ReporterOptions {
  /**
   * Print warnings only.
   *
   * @default {false}
   */
  quiet?: boolean;
  /**
   * Stream for lines and the live line.
   *
   * @default {"stdout"}
   */
  stream?: "stdout" | "stderr";
  /**
   * Show details of failures.
   *
   * @default {false}
   */
  verbose?: boolean;
}

/** A reporter on one of the process's standard streams. */
export function createReporter(options: ReporterOptions = {}): Reporter {
  const { quiet = false, stream = "stdout", verbose = false } = options;
  const out = Deno[stream];
  const terminal = !quiet && canRedraw(out);
  let live = "";
  let drawnAt = 0;
  let told = false;
  const write = (to: typeof out, text: string) => {
    const failure = writeText(to, text);
    if (told || failure === undefined) return;
    told = true;
    writeText(Deno.stderr, `Some output is lost (${failure.message}): work goes on without it\n`);
  };
  const clear = () => {
    if (live !== "") write(out, "\r\x1b[2K");
    live = "";
  };
  return {
    quiet,
    terminal,
    verbose,
    get columns() {
      return terminal ? columns() : undefined;
    },
    line(text) {
      if (quiet) return;
      clear();
      write(out, terminalText(text) + "\n");
    },
    warn(text) {
      clear();
      write(Deno.stderr, terminalText(text) + "\n");
    },
    live(text) {
      if (!terminal) return;
      if (text === "") return clear();
      const now = performance.now();
      if (live !== "" && now - drawnAt < 100) return;
      drawnAt = now;
      live = terminalText(text).slice(0, columns() - 1);
      write(out, "\r\x1b[2K" + live);
    },
  };
}

/** A reporter that shows nothing: for library use and tests. */
export const silentReporter: Reporter = {
  quiet: true,
  terminal: false,
  line() {},
  warn() {},
  live() {},
};

/** Warns of a failure that work goes on after: what happened and, where that is long, what to do. */
export function warnOf(reporter: Reporter, failure: Failure, prefix = ""): void {
  const { verbose = false } = reporter;
  reporter.warn(failureLines(failure, { prefix, verbose }).join("\n"));
}

/**
 * Writes text to one of the process's standard streams. A log on a full disk or a closed terminal is
 * no reason to end what is logged.
 *
 * @returns Why not all of it could be written, if so; nothing if nobody reads it any more.
 */
export function writeText(
  to: Pick<typeof Deno.stdout, "writeSync">,
  text: string,
): Error | undefined {
  const failure = writeAll(to, text);
  return failure instanceof Deno.errors.BrokenPipe ? undefined : failure;
}

function writeAll(to: Pick<typeof Deno.stdout, "writeSync">, text: string): Error | undefined {
  try {
    const bytes = new TextEncoder().encode(text);
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(to.writeSync(rest));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/**
 * Prints what was asked for, which comes even when quiet.
 *
 * @throws {StudyError} If not all of it could be written.
 */
export function print(text: string): void {
  printWhileRead(text);
}

/**
 * The same, for what takes long enough to be stopped.
 *
 * @returns Whether anybody may still read: not where the program that did has ended.
 * @throws {StudyError} If not all of it could be written.
 */
export function printWhileRead(text: string): boolean {
  const failure = writeAll(Deno.stdout, `${text}\n`);
  if (failure === undefined) return true;
  if (failure instanceof Deno.errors.BrokenPipe) return false;
  throw new StudyError(`Standard output cannot be written (${systemReason(failure)})`, {
    cause: failure,
  });
}

/** Whether a line of a stream can be redrawn in place. */
export function canRedraw(stream: Pick<typeof Deno.stdout, "isTerminal">): boolean {
  return stream.isTerminal() && !isDumb();
}

/** Whether the terminal is one without control sequences, as far as we may know. */
function isDumb(): boolean {
  return variableIfAllowed("TERM") === "dumb";
}

/** Columns of a page of text on standard output: at most 100. */
export function pageColumns(): number {
  return Deno.stdout.isTerminal() ? Math.min(100, columns()) : 100;
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

/** Seconds as a person reads them: `8.2 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** Bytes as a person reads them, in decimal units: `1.2 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  const rounded = () => value.toFixed(unit === 0 ? 0 : 1);
  while (Number(rounded()) >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${rounded()} ${units[unit]}`;
}
