/**
 * Whether something lies at a path.
 *
 * @module
 */

/** Whether there is a file or folder at `path`. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
