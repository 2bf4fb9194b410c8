/**
 * Reads parts of a checkpoint file, and refuses to read past its end.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";

/** Most bytes asked of the system at once. */
const READ_BYTES = 1 << 26;

/** What to do about a file that breaks its own format. */
const DAMAGED = "the file is damaged: fetch or save it again";

/** A file open for reading at any position. */
export class FileBytes {
  readonly #file: Deno.FsFile;

  private constructor(
    /** The file's path. */
    readonly path: string,
    /** The file's length in bytes. */
    readonly size: number,
    file: Deno.FsFile,
  ) {
    this.#file = file;
  }

  /**
   * Opens a regular file.
   *
   * @throws {StudyError} If it is missing, not a file, or not readable.
   */
  static async open(path: string): Promise<FileBytes> {
    try {
      const { isFile, size } = await Deno.stat(path);
      if (!isFile) throw new StudyError(`Cannot read checkpoint ${path}: it is not a file`);
      return new FileBytes(path, size, await Deno.open(path));
    } catch (error) {
      if (error instanceof StudyError || !(error instanceof Error)) throw error;
      const reason = error instanceof Deno.errors.NotFound
        ? "there is no such file"
        : error.message;
      throw new StudyError(`Cannot read checkpoint ${path}: ${reason}`);
    }
  }

  /** Throws the one-line {@linkcode StudyError} that says why this checkpoint is not read. */
  refuse(reason: string, remedy: string = DAMAGED): never {
    throw new StudyError(`Cannot read checkpoint ${this.path}: ${reason}; ${remedy}`);
  }

  /** Memory for `length` bytes of `what`; a {@linkcode StudyError} if there is not enough. */
  allocate(length: number, what: string): ArrayBuffer {
    try {
      return new ArrayBuffer(length);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.refuse(`${what} needs ${length} bytes of memory`, "this process cannot have as much");
    }
  }

  /** Fills `target` with the bytes from `position` on. */
  readInto(target: Uint8Array, position: number): void {
    if (position + target.length > this.size) this.#refuseEnd(position + target.length);
    this.#file.seekSync(position, Deno.SeekMode.Start);
    for (let done = 0; done < target.length;) {
      const read = this.#file.readSync(target.subarray(done, done + READ_BYTES));
      if (read === null) this.#refuseEnd(position + target.length);
      done += read;
    }
  }

  /** The `length` bytes from `position` on. Nothing is allocated if the file is shorter. */
  read(position: number, length: number): Uint8Array<ArrayBuffer> {
    if (position + length > this.size) this.#refuseEnd(position + length);
    const bytes = new Uint8Array(this.allocate(length, "a part"));
    this.readInto(bytes, position);
    return bytes;
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }

  #refuseEnd(needed: number): never {
    this.refuse(`it ends at byte ${this.size} where at least ${needed} are needed`);
  }
}

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

  /** See {@linkcode FileBytes.refuse}. */
  refuse(reason: string, remedy?: string): never {
    this.#file.refuse(`${this.#what} ${reason}`, remedy);
  }

  /** The next byte. */
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

/** A name from a file as it may be shown: quoted, on one line, not too long. */
export function quoted(name: string): string {
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  return JSON.stringify(shown).replace(/[\x7f-\x9f\u2028\u2029]/g, "?");
}
