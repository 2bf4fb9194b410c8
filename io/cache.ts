/**
 * Folders: where downloads live, where the suite lies, and where its user is.
 *
 * @module
 */

import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isDiskFull, isInTheWay } from "./disk_error.ts";
import { StudyError } from "./errors.ts";
import { writeObstacle } from "./may_write.ts";
import { systemReason, unreadableReason } from "./system_reason.ts";

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

/** A word that looks like a path, in the user's folder; any other is a name and stays as it is. */
export function userPath(word: string): string {
  return isPathWord(word) ? resolve(userFolder(), word) : word;
}

/** Whether a word looks like a path: names have no slash and no point. */
export function isPathWord(word: string): boolean {
  return /[/\\.]/.test(word);
}

/** A folder of the cache that the system does not let us use, which is the user's to fix. */
export class CacheError extends StudyError {
  override name = "CacheError";

  constructor(
    /** Is kept there, for people: `MNIST`. */
    readonly kept: string,
    readonly folder: string,
    error: unknown,
  ) {
    super(`Cannot keep ${kept} in ${folder}`, {
      reason: systemReason(error),
      remedy: isInTheWay(error)
        ? "set MNIST_STUDY_CACHE to a writable folder"
        : isDiskFull(error)
        ? "free space there, or set MNIST_STUDY_CACHE to a folder on another disk"
        : "make the cache writable, or set MNIST_STUDY_CACHE to a folder that is",
      cause: error,
    });
  }
}

/**
 * The error for a folder of the cache that the system does not let us use; any other comes as it is.
 *
 * @param what Is kept there, for people: `MNIST`.
 */
export function cacheError(error: unknown, what: string, folder: string): unknown {
  if (error instanceof StudyError || !(error instanceof Error)) return error;
  if (!("code" in error) && !(error instanceof Deno.errors.NotCapable)) return error;
  return new CacheError(what, folder, error);
}

/**
 * The same for a folder that nothing is written to yet, as far as can be told without writing;
 * `undefined` if it can be used.
 */
export async function cacheObstacle(what: string, folder: string): Promise<CacheError | undefined> {
  const obstacle = await writeObstacle(folder);
  return obstacle && new CacheError(what, folder, obstacle);
}

/** Why what is in a folder cannot be seen; `undefined` if it can, or if there is no such folder. */
export async function folderProblem(folder: string): Promise<string | undefined> {
  try {
    for await (const _ of Deno.readDir(folder)) break;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    return `${folder} cannot be read (${unreadableReason(error)})`;
  }
}
