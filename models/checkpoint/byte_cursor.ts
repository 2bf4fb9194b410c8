/**
 * Reads a part of a checkpoint byte by byte, for pickles.
 *
 * @module
 */

import type { RandomBytes } from "./file_bytes.ts";

/** Reads a part of a checkpoint from its start to its end. */
export class ByteCursor {
  static readonly #BLOCK = 1 << 16;
  readonly #bytes: RandomBytes;
  readonly #end: number;
  readonly #what: string;
  #block = new Uint8Array(0);
  #blockStart = 0;
  #position: number;

  /**
   * @param bytes What to read from.
   * @param part First byte, end (exclusive, cut to that of `bytes`), and a name for error messages.
   */
  constructor(bytes: RandomBytes, part: { start: number; end: number; what: string }) {
    this.#bytes = bytes;
    this.#position = part.start;
    this.#end = Math.min(part.end, bytes.size);
    this.#what = part.what;
  }

  /** Position of the next byte. */
  get position(): number {
    return this.#position;
  }

  refuse(reason: string, remedy?: string): never {
    this.#bytes.refuse(`${this.#what} ${reason}`, remedy);
  }

  byte(): number {
    const at = this.#position - this.#blockStart;
    const byte = this.#block[at];
    if (byte === undefined) return this.take(1)[0]!;
    this.#position++;
    return byte;
  }

  /** Passes over the next `length` bytes without reading them. */
  skip(length: number): void {
    this.#requireRoom(length);
    this.#position += length;
  }

  /** The next `length` bytes; valid until the next call. */
  take(length: number): Uint8Array {
    this.#requireRoom(length);
    if (this.#position + length > this.#blockStart + this.#block.length) {
      const wanted = Math.max(length, ByteCursor.#BLOCK);
      this.#blockStart = this.#position;
      this.#block = this.#bytes.read(
        this.#position,
        Math.min(wanted, this.#end - this.#position),
      );
    }
    const at = this.#position - this.#blockStart;
    this.#position += length;
    return this.#block.subarray(at, at + length);
  }

  /** The next `length` bytes, for reading numbers; valid until the next call. */
  view(length: number): DataView {
    const bytes = this.take(length);
    return new DataView(bytes.buffer, bytes.byteOffset, length);
  }

  #requireRoom(length: number): void {
    if (length > this.#end - this.#position) {
      this.refuse(`does not end by byte ${this.#end}`);
    }
  }
}
