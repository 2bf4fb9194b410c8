/**
 * How much room a disk has.
 *
 * @module
 */

import { statfs } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Bytes that this user can still write at `path`, which need not exist yet; `undefined` where the
 * system does not say, or Deno would have to ask the user whether we may know.
 */
export async function freeSpace(path: string): Promise<number | undefined> {
  const { state } = await Deno.permissions.query({ name: "sys", kind: "statfs" });
  if (state !== "granted") return undefined;
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return missing && dirname(path) !== path ? await freeSpace(dirname(path)) : undefined;
  }
}
