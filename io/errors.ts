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
  override name = "StudyError";
  /** Process exit status the scripts use for this error. */
  readonly exitCode: number = 1;
}

/** A wrong command line: an unknown flag or a bad value. Exit status 2. */
export class UsageError extends StudyError {
  override name = "UsageError";
  override readonly exitCode = 2;
}

/** The user pressed Ctrl-C; what was finished is kept. Exit status 130. */
export class InterruptedError extends StudyError {
  override name = "InterruptedError";
  override readonly exitCode = 130;
}
