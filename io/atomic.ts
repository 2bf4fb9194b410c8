/**
 * Files appear whole or not at all: written under a temporary name in the same folder, then renamed.
 *
 * @module
 */

import { dirname } from "node:path";

/**
 * Writes `data` to `path` so that no reader ever sees half of it.
 *
 * The folder is made if missing. An existing file is replaced in one step; if anything fails it is
 * left as it was and the temporary file is removed.
 *
 * @param path File to create or replace.
 * @param data Bytes, the pieces of a file too large to be put together, or text to be stored as
 *   UTF-8.
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | Iterable<Uint8Array> | string,
): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  const pieces = typeof data === "string"
    ? [new TextEncoder().encode(data)]
    : data instanceof Uint8Array
    ? [data]
    : data;
  try {
    const file = await Deno.open(temporary, { write: true, createNew: true });
    try {
      for (const piece of pieces) {
        for (let done = 0; done < piece.length;) done += await file.write(piece.subarray(done));
      }
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

/** A name beside `path`, unique to this process and call, that readers of `path` do not look for. */
function temporaryName(path: string): string {
  return `${path}.${Deno.pid}-${crypto.randomUUID().slice(0, 8)}.tmp`;
}
