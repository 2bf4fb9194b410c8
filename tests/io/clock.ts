/**
 * Time that passes at once.
 *
 * @module
 */

/** Runs `action` when it is so many milliseconds later by the clock that intervals are measured with. */
export async function later<T>(milliseconds: number, action: () => Promise<T>): Promise<T> {
  const own = performance.now.bind(performance);
  performance.now = () => own() + milliseconds;
  try {
    return await action();
  } finally {
    performance.now = own;
  }
}
