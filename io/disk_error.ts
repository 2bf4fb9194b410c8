/**
 * What to say of a disk that does not take a file.
 *
 * @module
 */

import { StudyError } from "./errors.ts";

/** A file that could not be written: its path, why, and what helps. */
export class WriteError extends StudyError {
  override name = "WriteError";

  constructor(path: string, cause: unknown) {
    super(`Cannot write ${path} (${failureReason(cause)}): ${diskRemedy(cause)}`, { cause });
  }
}

/**
 * What Deno's advice to give all permissions comes to: below `/proc`, `/dev` and their like it asks for
 * all of them, and a task has its own.
 */
export const KEPT_OUT = "Deno lets no task in there";

/** What the system said, without what we have said of it. */
export function failureReason(error: unknown): string {
  if (error instanceof WriteError) return failureReason(error.cause);
  if (isKeptOut(error)) return KEPT_OUT;
  return error instanceof Error ? error.message : String(error);
}

/** What helps against an error of the disk. */
export function diskRemedy(error: unknown): string {
  const { NotCapable, PermissionDenied } = Deno.errors;
  if (error instanceof WriteError) return diskRemedy(error.cause);
  if (isDiskFull(error)) return "free space on its disk, or choose a folder on another one";
  if (isReadOnly(error) || error instanceof PermissionDenied || error instanceof NotCapable) {
    return "make the folder writable, or choose another one";
  }
  if (isInTheWay(error)) {
    return "a file or folder of that name is in the way: move it, or choose another folder";
  }
  return "check its disk, or choose another folder";
}

/** Whether there was no room left, on the disk or in the user's share of it. */
export function isDiskFull(error: unknown): boolean {
  if (error instanceof WriteError) return isDiskFull(error.cause);
  return /no space left|quota exceeded|not enough space/i.test(failureReason(error));
}

/** Whether something else lies where a folder or file was to be. */
export function isInTheWay(error: unknown): boolean {
  const { AlreadyExists, IsADirectory, NotADirectory } = Deno.errors;
  if (error instanceof WriteError) return isInTheWay(error.cause);
  return [AlreadyExists, IsADirectory, NotADirectory].some((kind) => error instanceof kind);
}

/** Whether Deno keeps all programs out of a place that have not every permission. */
export function isKeptOut(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable && /^requires all access to /i.test(error.message);
}

function isReadOnly(error: unknown): boolean {
  return /read-only file system/i.test(failureReason(error));
}
