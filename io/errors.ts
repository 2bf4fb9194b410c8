/**
 * Errors meant for the person at the terminal.
 *
 * A {@linkcode StudyError} says what is wrong and what fixes it; the scripts print it without a stack,
 * as {@linkcode failureLines} has it, and exit with {@linkcode StudyError.exitCode}.
 *
 * @module
 */

/** What a failure is told with. */
export interface Failure {
  /** What happened, without a full stop. */
  what: string;
  /** Why, in a few words. */
  reason?: string | undefined;
  /** What to do about it. */
  remedy?: string | undefined;
  /** All that was tried and how each attempt failed, for who asks with `--verbose`. */
  details?: readonly string[] | undefined;
}

/** What a {@linkcode StudyError} says besides what happened. */
export type StudyErrorOptions = ErrorOptions & Omit<Failure, "what">;

/**
 * A failure that is complete for the user: what happened, and the remedy. Its `message` has all of it
 * on one line.
 */
export class StudyError extends Error {
  /** Name of the class, as in a stack. */
  override name = "StudyError";
  /** Process exit status the scripts use for this error. */
  readonly exitCode: number = 1;
  readonly #failure: Failure;

  /**
   * Makes an error whose message says all of it.
   *
   * @param what What happened, with the remedy in it where `options` has none.
   */
  constructor(what: string, options: StudyErrorOptions = {}) {
    const { cause, ...rest } = options;
    super(wholeMessage({ what, ...rest }), "cause" in options ? { cause } : {});
    this.#failure = { what, ...rest };
  }

  /** What happened, without reason, remedy and details. */
  get what(): string {
    return this.#failure.what;
  }

  /** Why, in a few words. */
  get reason(): string | undefined {
    return this.#failure.reason;
  }

  /** What to do about it, where that is not part of {@linkcode StudyError.what}. */
  get remedy(): string | undefined {
    return this.#failure.remedy;
  }

  /** All that was tried. */
  get details(): readonly string[] {
    return this.#failure.details ?? [];
  }
}

/** A wrong command line: an unknown flag or a bad value. Exit status 2. */
export class UsageError extends StudyError {
  /** Name of the class, as in a stack. */
  override name = "UsageError";
  /** That of a wrong command line, 2. */
  override readonly exitCode = 2;
}

/**
 * The user pressed Ctrl-C, or a signal was aborted, whose reason is the `cause`; what was finished is
 * kept. Exit status 130.
 */
export class InterruptedError extends StudyError {
  /** Name of the class, as in a stack. */
  override name = "InterruptedError";
  /** That of an interrupted program, 130. */
  override readonly exitCode = 130;
}

/** The error of work that stops because its signal, if it has one, was aborted. */
export function interruptedBy(signal: AbortSignal | undefined): InterruptedError {
  return new InterruptedError("Interrupted", signal?.aborted ? { cause: signal.reason } : {});
}

/** Options of {@linkcode failureLines}. */
export interface FailureLinesOptions {
  /** What the first line begins with. */
  prefix?: string;
  /** Whether details are shown. */
  verbose?: boolean;
}

/** Characters that a line of the terminal may have, about. */
const LINE_LENGTH = 165;

/**
 * A failure as the terminal has it: a line on what happened and what to do or, where that is long, a
 * line on each. With `verbose` its details follow, a line for each.
 */
export function failureLines(
  failure: Failure,
  { prefix = "", verbose = false }: FailureLinesOptions = {},
): string[] {
  const { remedy, details = [] } = failure;
  const more = verbose ? details.map((detail) => `  ${detail}`) : [];
  const line = prefix + failureLine(failure);
  if (line.length <= LINE_LENGTH) return [line, ...more];
  if (remedy === undefined) return [...sentences(line), ...more];
  const hint = details.length > more.length ? " (--verbose shows what was tried)" : "";
  return [prefix + headline(failure), capitalized(remedy) + hint, ...more];
}

/** A line without its last sentence, and that one, which is the remedy of a message that has its own. */
function sentences(line: string): string[] {
  const at = line.search(/\. [A-Z](?!.*\. [A-Z])/s);
  return at < 0 ? [line] : [line.slice(0, at), line.slice(at + 2)];
}

/** A failure on one line, without its details. */
export function failureLine(failure: Failure): string {
  const { remedy } = failure;
  return headline(failure) + (remedy === undefined ? "" : `: ${remedy}`);
}

function headline({ what, reason }: Failure): string {
  return reason === undefined ? what : `${what} (${reason})`;
}

function wholeMessage(failure: Failure): string {
  const { what, remedy, details = [] } = failure;
  if (details.length === 0) return failureLine(failure);
  const why = `${what}: ${details.join("; ").replace(/\.$/, "")}`;
  return remedy === undefined ? why : `${why}. ${capitalized(remedy)}.`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
