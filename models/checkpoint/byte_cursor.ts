/**
 * Reads a part of a checkpoint file byte by byte, for pickles.
 *
 * @module
 */

import type { FileBytes } from "./file_bytes.ts";

/** Reads a part of a file from its start to its end. */
export class ByteCursor {
  static readonly #BLOCK = 1 << 16;
  readonly #file: FileBytes;
  readonly #end: number;
  readonly #what: string;
  #block = new Uint8Array(0);
  #blockStart = 0;
  #position: number;

  /**
   * @param file File to read.
   * @param part First byte, end (exclusive, cut to the file's end), and a name for error messages.
   */
  constructor(file: FileBytes, part: { start: number; end: number; what: string }) {
    this.#file = file;
    this.#position = part.start;
    this.#end = Math.min(part.end, file.size);
    this.#what = part.what;
  }

  /** Position in the file of the next byte. */
  get position(): number {
    return this.#position;
  }

  refuse(reason: string, remedy?: string): never {
    this.#file.refuse(`${this.#what} ${reason}`, remedy);
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
      this.#block = this.#file.read(
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
      this.refuse(`does not end by byte ${this.#end} of the file`);
    }
  }
}
