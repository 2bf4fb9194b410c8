/**
 * SHA-256 of bytes and of files, as lower-case hexadecimal.
 *
 * @module
 */

import { createHash } from "node:crypto";

/**
 * SHA-256 of the given byte arrays, taken as if they were one after the other.
 *
 * @returns 64 lower-case hexadecimal digits.
 */
export function sha256Hex(...parts: Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/**
 * SHA-256 of a file, read piece by piece, so that its size does not matter.
 *
 * @returns 64 lower-case hexadecimal digits.
 */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash("sha256");
  const file = await Deno.open(path);
  try {
    const buffer = new Uint8Array(1 << 20);
    for (let count; (count = await file.read(buffer)) !== null;) {
      hash.update(buffer.subarray(0, count));
    }
  } finally {
    file.close();
  }
  return hash.digest("hex");
}
