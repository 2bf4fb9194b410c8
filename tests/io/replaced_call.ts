/**
 * Calls of the system that fail, or take their time.
 *
 * @module
 */

/** Runs `action` with one of Deno's functions replaced; what replaces it is given the function itself. */
export async function withReplaced<Name extends "lstat" | "readDir">(
  name: Name,
  replace: (own: typeof Deno[Name]) => typeof Deno[Name],
  action: () => Promise<void>,
): Promise<void> {
  const own = Deno[name];
  Object.assign(Deno, { [name]: replace(own) });
  try {
    await action();
  } finally {
    Object.assign(Deno, { [name]: own });
  }
}
