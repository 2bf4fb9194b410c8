/**
 * What is said of an engine that has been disposed of, whatever is asked of it.
 *
 * @module
 */

/** @throws {Error} Whenever it is called. */
export function engineIsGone(): never {
  throw new Error("This engine has been disposed of: start another with startEngine()");
}
