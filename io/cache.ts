/**
 * Where downloads live.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The suite's cache folder: `MNIST_STUDY_CACHE` when set, else `data/cache` beside `deno.json`.
 *
 * @returns An absolute path; the folder need not exist.
 */
export function cacheDir(): string {
  const override = Deno.env.get("MNIST_STUDY_CACHE");
  return override ? resolve(override) : join(repositoryRoot(), "data", "cache");
}

/** The folder that holds `deno.json`. */
export function repositoryRoot(): string {
  return fileURLToPath(new URL("..", import.meta.url));
}
