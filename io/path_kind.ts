/**
 * What lies at a path, where that can be told.
 *
 * @module
 */

import { dirname } from "node:path";
import { StudyError, type StudyErrorOptions } from "./errors.ts";
import { isNotPermitted, PERMISSION_REMEDY, systemReason } from "./system_reason.ts";

/** What lies at a path; links are followed. */
export type PathKind = "file" | "folder" | "other" | "nothing";

/** Whether something lies at a path cannot be told: as a rule, a folder may not be entered. */
export class PathAccessError extends StudyError {
  override name = "PathAccessError";

  constructor(path: string, options: StudyErrorOptions & { reason: string }) {
    super(`Cannot look at ${path}`, options);
  }

  /** Why: `permission denied, …`. */
  override get reason(): string {
    return super.reason!;
  }
}

/**
 * What lies at `path`.
 *
 * @throws {PathAccessError} If that cannot be told.
 */
export async function pathKind(path: string): Promise<PathKind> {
  try {
    return kindOf(await Deno.stat(path));
  } catch (error) {
    return nothingOrThrow(path, error);
  }
}

/** {@linkcode pathKind}, at once. */
export function pathKindSync(path: string): PathKind {
  try {
    return kindOf(Deno.statSync(path));
  } catch (error) {
    return nothingOrThrow(path, error);
  }
}

/** Whether something lies at `path`; fails as {@linkcode pathKind} does. */
export async function exists(path: string): Promise<boolean> {
  return await pathKind(path) !== "nothing";
}

/** Whether a folder lies at `path`; fails as {@linkcode pathKind} does. */
export async function isFolder(path: string): Promise<boolean> {
  return await pathKind(path) === "folder";
}

/** Whether a regular file lies at `path`; fails as {@linkcode pathKind} does. */
export async function isFile(path: string): Promise<boolean> {
  return await pathKind(path) === "file";
}

function kindOf({ isFile, isDirectory }: Deno.FileInfo): PathKind {
  return isFile ? "file" : isDirectory ? "folder" : "other";
}

function nothingOrThrow(path: string, error: unknown): "nothing" {
  const { NotFound, NotADirectory } = Deno.errors;
  if (error instanceof NotFound || error instanceof NotADirectory) return "nothing";
  if (!(error instanceof Deno.errors.PermissionDenied)) {
    const remedy = isNotPermitted(error) ? PERMISSION_REMEDY : undefined;
    throw new PathAccessError(path, { reason: systemReason(error), remedy, cause: error });
  }
  throw new PathAccessError(path, {
    reason: `permission denied, as this user may not enter ${closedFolder(path)}`,
    remedy: "give it the permission, or name another path",
    cause: error,
  });
}

/** The folder above `path` that may not be entered: the last one that can still be looked at. */
function closedFolder(path: string): string {
  const folder = dirname(path);
  if (folder === path) return folder;
  try {
    Deno.statSync(folder);
    return folder;
  } catch {
    return closedFolder(folder);
  }
}
