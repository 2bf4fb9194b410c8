/**
 * Environment variables that are good to know, but not needed.
 *
 * @module
 */

/** Reads a variable; `undefined` if it is not set. */
export type ReadVariable = (name: string) => string | undefined;

/** A variable's value; `undefined` too where this process may not read it, for which it does not ask. */
export function variableIfAllowed(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

/** Sets a variable for this process and the libraries that it loads, unless the user has. */
export function setUnlessGiven(name: string, value: string): void {
  if (Deno.env.get(name) === undefined) Deno.env.set(name, value);
}
