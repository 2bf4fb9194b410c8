/**
 * A gzip file unpacked as it is read, so that packed and unpacked bytes are not in memory together.
 *
 * @module
 */

import { Duplex } from "node:stream";
import { createGunzip } from "node:zlib";

/** What a gzip file holds, and how long it is itself. */
export interface Unpacked {
  /** The bytes in it. */
  output: Uint8Array;
  /** Bytes of the gzip data; zlib passes over zeros behind their end. */
  taken: number;
}

/** Bytes unpacked at a time. */
const PIECE = 1 << 20;

/**
 * Unpacks a file of at most `length` bytes, which are allocated at once.
 *
 * @throws {RangeError} If it holds more.
 * @throws {Error} If it is damaged or cut off.
 */
export async function gunzipFile(path: string, length: number): Promise<Unpacked> {
  const bytes = new Uint8Array(length);
  let done = 0;
  const unpacking = createGunzip({ chunkSize: PIECE });
  const file = await Deno.open(path);
  const pieces = file.readable.pipeThrough(
    Duplex.toWeb(unpacking) as unknown as ReadableWritablePair<Uint8Array, Uint8Array>,
  );
  for await (const piece of pieces) {
    if (done + piece.length > length) throw new RangeError(`It holds more than ${length} bytes`);
    bytes.set(piece, done);
    done += piece.length;
  }
  return { output: bytes.subarray(0, done), taken: unpacking.bytesWritten };
}
