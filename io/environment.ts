/**
 * Environment variables that are good to know, but not needed.
 *
 * @module
 */

import { isNotPermitted } from "./system_reason.ts";

/** Reads a variable; `undefined` if it is not set. */
export type ReadVariable = (name: string) => string | undefined;

/** A variable's value; `undefined` too where this process may not read it. */
export function variableIfAllowed(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (isNotPermitted(error)) return undefined;
    throw error;
  }
}

/** Sets a variable for this process and the libraries that it loads, unless the user has. */
export function setUnlessGiven(name: string, value: string): void {
  if (Deno.env.get(name) === undefined) Deno.env.set(name, value);
}
