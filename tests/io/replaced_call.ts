/**
 * Calls of the system that fail, take their time, or would have Deno ask the user.
 *
 * @module
 */

/** Runs `action` with one of Deno's functions replaced; what replaces it is given the function itself. */
export async function withReplaced<Name extends "lstat" | "open" | "readDir" | "remove">(
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

/** Runs `action` in what Deno says is a process without permissions, at a terminal. */
export async function withoutPermissions(action: () => void | Promise<void>): Promise<void> {
  const { query, querySync } = Deno.permissions;
  const status = { state: "prompt" };
  Object.assign(Deno.permissions, {
    query: () => Promise.resolve(status),
    querySync: () => status,
  });
  try {
    await action();
  } finally {
    Object.assign(Deno.permissions, { query, querySync });
  }
}
