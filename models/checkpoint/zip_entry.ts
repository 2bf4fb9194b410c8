/**
 * The bytes of one entry of a zip file, stored or deflated, held to the entry's checksum.
 *
 * @module
 */

import { crc32, inflateRawSync } from "node:zlib";
import type { FileBytes, RandomBytes } from "./file_bytes.ts";
import { quoted } from "./state_dict.ts";

/** Ways in which an entry's bytes are kept. */
export const STORED = 0;
export const DEFLATED = 8;

/** Bytes of a stored entry read at once for its checksum. */
const CHECK_BYTES = 1 << 16;

/** What a zip file's directory says of an entry. */
export interface ZipEntryInfo {
  readonly name: string;
  /** Bytes of its data. */
  readonly size: number;
  /** Bytes that the data takes in the file. */
  readonly compressed: number;
  /** {@linkcode STORED} or {@linkcode DEFLATED}. */
  readonly method: number;
  /** CRC-32 of the data; 0 where the writer left it out, as PyTorch does on request. */
  readonly crc32: number;
}

/**
 * An entry's data.
 *
 * The checksum is compared before the first byte is given out. Deflated data is inflated as a whole
 * and kept until another entry's is, and for good when it is asked for again after that: so memory
 * holds one entry as a rule, and no order of reading takes more than inflating each one twice.
 */
export class ZipEntry implements RandomBytes {
  readonly #file: FileBytes;
  readonly #info: ZipEntryInfo;
  readonly #start: number;
  readonly #onInflate: (entry: ZipEntry) => void;
  #isChecked = false;
  #inflated: Uint8Array | undefined;
  #timesInflated = 0;

  /**
   * @param place Where in the file the data begins, and what is told that this entry was inflated.
   */
  constructor(
    file: FileBytes,
    info: ZipEntryInfo,
    place: { start: number; onInflate: (entry: ZipEntry) => void },
  ) {
    this.#file = file;
    this.#info = info;
    this.#start = place.start;
    this.#onInflate = place.onInflate;
  }

  get size(): number {
    return this.#info.size;
  }

  refuse(reason: string, remedy?: string): never {
    this.#file.refuse(reason, remedy);
  }

  allocate(length: number, what: string): ArrayBuffer {
    return this.#file.allocate(length, what);
  }

  readInto(target: Uint8Array, position: number): void {
    const end = position + target.length;
    if (end > this.size) this.#refuse(`ends at byte ${this.size} where ${end} are needed`);
    if (this.#info.method === DEFLATED) target.set(this.#inflate().subarray(position, end));
    else {
      this.#checkStored();
      this.#file.readInto(target, this.#start + position);
    }
  }

  read(position: number, length: number): Uint8Array<ArrayBuffer> {
    if (position + length > this.size) {
      this.#refuse(`ends at byte ${this.size} where ${position + length} are needed`);
    }
    const bytes = new Uint8Array(this.allocate(length, "a part"));
    this.readInto(bytes, position);
    return bytes;
  }

  /** Gives up inflated data that another entry's takes the place of. */
  release(): void {
    if (this.#timesInflated < 2) this.#inflated = undefined;
  }

  #inflate(): Uint8Array {
    if (this.#inflated !== undefined) return this.#inflated;
    const { size, compressed } = this.#info;
    let data: Uint8Array;
    try {
      data = inflateRawSync(this.#file.read(this.#start, compressed), {
        maxOutputLength: Math.max(1, size),
      });
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      this.#refuse("is compressed, and what it is compressed to is damaged");
    }
    if (data.length !== size) {
      this.#refuse(`is compressed and has ${data.length} bytes instead of ${size}`);
    }
    this.#compare(crc32(data));
    this.#onInflate(this);
    this.#timesInflated++;
    return this.#inflated = data;
  }

  #checkStored(): void {
    if (this.#isChecked || this.#info.crc32 === 0) return;
    const block = new Uint8Array(Math.min(this.size, CHECK_BYTES));
    let sum = 0;
    for (let at = 0; at < this.size; at += block.length) {
      const part = block.subarray(0, Math.min(block.length, this.size - at));
      this.#file.readInto(part, this.#start + at);
      sum = crc32(part, sum);
    }
    this.#compare(sum);
    this.#isChecked = true;
  }

  #compare(found: number): void {
    const { crc32: expected } = this.#info;
    if (expected === 0 || found === expected) return;
    const hex = (sum: number) => sum.toString(16).padStart(8, "0");
    this.#refuse(`has the CRC-32 ${hex(found)} and should have ${hex(expected)}`);
  }

  #refuse(reason: string): never {
    this.#file.refuse(`its zip entry ${quoted(this.#info.name)} ${reason}`);
  }
}
