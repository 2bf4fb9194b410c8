/**
 * What the system says of a failure, in short.
 *
 * @module
 */

import { failureReason, isKeptOut, KEPT_OUT, WriteError } from "./disk_error.ts";

/**
 * What the system said, without paths and numbers: `permission denied`. Of an error of ours that is
 * about a file that could not be written, the same.
 */
export function systemReason(error: unknown): string {
  if (error instanceof WriteError) return systemReason(error.cause);
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (isKeptOut(error)) return KEPT_OUT;
  const message = failureReason(error).replace(/ \(os error \d+\).*$/s, "");
  // The rest may be a path, or a name.
  return message.charAt(0).toLowerCase() + message.slice(1);
}

/** Whether the system, or Deno, did not permit something. */
export function isNotPermitted(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable;
}

/** What helps where a file or folder may not be read. */
export const PERMISSION_REMEDY = "give this user the permission to read it, or name another";

/** What the system said of a file or folder that cannot be read, with what helps if it is known. */
export function unreadableReason(error: unknown): string {
  const reason = systemReason(error);
  return isNotPermitted(error) ? `${reason}: ${PERMISSION_REMEDY}` : reason;
}
