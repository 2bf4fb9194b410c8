/**
 * Folders: where downloads live, where the suite lies, and where its user is.
 *
 * @module
 */

import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Whether the suite lies on disk: an import from a registry does not. */
const IS_LOCAL = import.meta.url.startsWith("file:");

/**
 * The suite's cache folder: `MNIST_STUDY_CACHE` when set, else `data/cache` beside `deno.json`, or in
 * the user's folder where the suite was imported from a registry.
 *
 * @returns An absolute path; the folder need not exist.
 */
export function cacheDir(): string {
  const override = Deno.env.get("MNIST_STUDY_CACHE");
  if (override) return resolve(userFolder(), override);
  return join(IS_LOCAL ? repositoryRoot() : userFolder(), "data", "cache");
}

/** The folder that holds `deno.json`. */
export function repositoryRoot(): string {
  return fileURLToPath(new URL("..", import.meta.url));
}

/**
 * The folder that the user is in, where relative paths start. `deno task` runs its commands in the
 * folder of `deno.json` and leaves the user's own in `INIT_CWD`.
 */
export function userFolder(): string {
  const here = Deno.cwd();
  if (!IS_LOCAL || here !== resolve(repositoryRoot())) return here;
  const start = Deno.env.get("INIT_CWD");
  return start !== undefined && isAbsolute(start) ? start : here;
}
