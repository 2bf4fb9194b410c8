/**
 * Reads parts of a checkpoint file, and refuses to read past its end.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";
import { isNotPermitted, unreadableReason } from "../../io/system_reason.ts";
import { describeFolder } from "./unpacked_folder.ts";

/** Most bytes asked of the system at once. */
const READ_BYTES = 1 << 26;

/** What to do about a file that breaks its own format. */
const DAMAGED = "the file is damaged: fetch or save it again";

/** Bytes of a checkpoint that can be read at any position: a file, or an entry of a zip file. */
export interface RandomBytes {
  /** How many there are. */
  readonly size: number;
  /** Throws the one-line {@linkcode StudyError} that says why this checkpoint is not read. */
  refuse(reason: string, remedy?: string): never;
  /** Memory for `length` bytes of `what`; a {@linkcode StudyError} if there is not enough. */
  allocate(length: number, what: string): ArrayBuffer;
  /** Fills `target` with the bytes from `position` on. */
  readInto(target: Uint8Array, position: number): void;
  /** The `length` bytes from `position` on. Nothing is allocated if there are fewer. */
  read(position: number, length: number): Uint8Array<ArrayBuffer>;
}

/** A file open for reading at any position. */
export class FileBytes implements RandomBytes {
  readonly #file: Deno.FsFile;

  private constructor(
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
      const { isFile, isDirectory, size } = await Deno.stat(path);
      if (!isFile) {
        const folder = isDirectory ? ` but ${await describeFolder(path)}` : "";
        throw new StudyError(`Cannot read checkpoint ${path}: it is not a file${folder}`);
      }
      return new FileBytes(path, size, await Deno.open(path));
    } catch (error) {
      if (error instanceof StudyError || !(error instanceof Error)) throw error;
      const reason = error instanceof Deno.errors.NotFound
        ? "there is no such file"
        : isNotPermitted(error)
        ? unreadableReason(error)
        : error.message;
      throw new StudyError(`Cannot read checkpoint ${path}: ${reason}`);
    }
  }

  refuse(reason: string, remedy: string = DAMAGED): never {
    throw new StudyError(`Cannot read checkpoint ${this.path}: ${reason}; ${remedy}`);
  }

  allocate(length: number, what: string): ArrayBuffer {
    try {
      return new ArrayBuffer(length);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.refuse(`${what} needs ${length} bytes of memory`, "this process may not take as much");
    }
  }

  readInto(target: Uint8Array, position: number): void {
    if (position + target.length > this.size) this.#refuseEnd(position + target.length);
    this.#file.seekSync(position, Deno.SeekMode.Start);
    for (let done = 0; done < target.length;) {
      const read = this.#file.readSync(target.subarray(done, done + READ_BYTES));
      if (read === null) this.#refuseEnd(position + target.length);
      done += read;
    }
  }

  read(position: number, length: number): Uint8Array<ArrayBuffer> {
    if (position + length > this.size) this.#refuseEnd(position + length);
    const bytes = new Uint8Array(this.allocate(length, "a part"));
    this.readInto(bytes, position);
    return bytes;
  }

  close(): void {
    this.#file.close();
  }

  #refuseEnd(needed: number): never {
    this.refuse(`it ends at byte ${this.size} where at least ${needed} are needed`);
  }
}
