/**
 * Errors meant for the person at the terminal.
 *
 * A {@linkcode StudyError} message is one line that names what is wrong and what fixes it; the
 * scripts print it without a stack and exit with {@linkcode StudyError.exitCode}.
 *
 * @module
 */

/** A failure whose message is complete for the user: what happened, and the remedy. */
export class StudyError extends Error {
  /** Name of the class, as in a stack. */
  override name = "StudyError";
  /** Process exit status the scripts use for this error. */
  readonly exitCode: number = 1;
}

/** A wrong command line: an unknown flag or a bad value. Exit status 2. */
export class UsageError extends StudyError {
  /** Name of the class, as in a stack. */
  override name = "UsageError";
  /** That of a wrong command line, 2. */
  override readonly exitCode = 2;
}

/** The user pressed Ctrl-C; what was finished is kept. Exit status 130. */
export class InterruptedError extends StudyError {
  /** Name of the class, as in a stack. */
  override name = "InterruptedError";
  /** That of an interrupted program, 130. */
  override readonly exitCode = 130;
}
