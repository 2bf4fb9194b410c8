/**
 * Counts that callers give.
 *
 * @module
 */

/**
 * Refuses what is no count of at least one.
 *
 * @param action What cannot be done, as in `load data`.
 * @param name The value's.
 * @throws {RangeError} If `value` is not a positive whole number.
 */
export function requirePositiveWhole(action: string, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value > 0) return;
  throw new RangeError(
    `Cannot ${action} as ${name} must be a positive whole number: current value is ${value}`,
  );
}
