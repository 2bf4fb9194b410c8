/**
 * What JSON calls an object.
 *
 * @module
 */

/** Whether a value that was read from outside has named fields: no array, and not `null`. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
