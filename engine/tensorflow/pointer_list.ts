/**
 * Arrays of pointers, as C takes lists of strings and of shapes.
 *
 * @module
 */

import { notNull } from "./tensorflow.ts";

/** What a C array's addresses are of. */
type Pointed = Uint8Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;

/** Bytes of an address and of a length; what is pointed at begins at multiples of them. */
const WORD = 8;

/**
 * Copies of `arrays` with their addresses as a C array, and their byte lengths.
 *
 * All of it is in one piece of memory. A native call holds what it is given as an argument and nothing
 * else: had the arrays a memory of their own, they might be collected while it follows the addresses.
 */
export function pointerList(
  arrays: readonly Pointed[],
): { pointers: BigUint64Array<ArrayBuffer>; lengths: BigUint64Array<ArrayBuffer> } {
  const count = arrays.length;
  const places: number[] = [];
  let size = 2 * WORD * count;
  for (const { byteLength } of arrays) {
    places.push(size);
    size += WORD * Math.ceil(byteLength / WORD);
  }
  const memory = new ArrayBuffer(Math.max(size, WORD));
  const start = Deno.UnsafePointer.value(
    notNull(Deno.UnsafePointer.of(memory), "UnsafePointer.of"),
  );
  const pointers = new BigUint64Array(memory, 0, count);
  const lengths = new BigUint64Array(memory, WORD * count, count);
  for (const [i, { buffer, byteOffset, byteLength }] of arrays.entries()) {
    const place = places[i]!;
    new Uint8Array(memory, place, byteLength).set(new Uint8Array(buffer, byteOffset, byteLength));
    pointers[i] = byteLength === 0 ? 0n : start + BigInt(place);
    lengths[i] = BigInt(byteLength);
  }
  return { pointers, lengths };
}
