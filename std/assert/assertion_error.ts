/** What every failed assertion throws. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

/** Ends a message the way the originals do: `.`, or `: <the caller's words>`. */
export function ending(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}
