/**
 * Commands that people copy.
 *
 * @module
 */

/** The argument as a POSIX shell reads it back; as it is where that needs nothing. */
export function shellQuote(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}
