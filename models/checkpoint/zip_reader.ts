/**
 * The part of the zip format that PyTorch writes, and what zip programs make of it: entries stored as
 * they are or deflated, read at random.
 *
 * Everything is checked before it is used: a directory that does not fit the file, encrypted,
 * overlapping or twice-named entries are refused, so no stored entry can be larger than the file, nor
 * all entries together many times as large. Zip64 fields are understood; checksums are compared.
 *
 * @module
 */

import type { FileBytes } from "./file_bytes.ts";
import { quoted } from "./state_dict.ts";
import { DEFLATED, STORED, ZipEntry, type ZipEntryInfo } from "./zip_entry.ts";

const LOCAL_HEADER = 0x04034b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_END = 0x06054b50;
const ZIP64_DIRECTORY_END = 0x06064b50;
const ZIP64_LOCATOR = 0x07064b50;

/** Longest directory read, enough for some 200,000 tensors. */
const MAX_DIRECTORY_BYTES = 1 << 24;

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What deflate can make of a byte, at most. */
const MAX_INFLATION = 1032;

interface DirectoryEntry extends ZipEntryInfo {
  /** Position of the entry's local header. */
  header: number;
  /** Where the next entry or the directory begins. */
  end: number;
}

/** The entries of a zip file. */
export class ZipReader {
  readonly #file: FileBytes;
  readonly #entries = new Map<string, DirectoryEntry>();
  readonly #opened = new Map<string, ZipEntry>();
  /** The entry whose inflated data is in memory. */
  #inflated: ZipEntry | undefined;

  /**
   * Reads the directory.
   *
   * @throws {StudyError} If it is missing or wrong.
   */
  constructor(file: FileBytes) {
    this.#file = file;
    const directory = findDirectory(file);
    const bytes = file.read(directory.start, directory.size);
    for (let at = 0; at < bytes.length;) {
      const { entry, length } = readEntry(file, bytes, at);
      if (this.#entries.has(entry.name)) {
        file.refuse(`its zip directory names ${quoted(entry.name)} twice`);
      }
      this.#entries.set(entry.name, entry);
      at += length;
    }
    if (this.#entries.size !== directory.count) {
      file.refuse(
        `its zip directory has ${this.#entries.size} entries and says ${directory.count}`,
      );
    }
    this.#setEnds(directory.start);
    this.#refuseBombs();
  }

  /** The entries' names in the directory's order. */
  names(): string[] {
    return [...this.#entries.keys()];
  }

  /**
   * An entry's data, which is not read yet.
   *
   * @returns `undefined` if there is no such entry.
   * @throws {StudyError} If the entry's own header contradicts the directory.
   */
  open(name: string): ZipEntry | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    let opened = this.#opened.get(name);
    if (opened === undefined) {
      const onInflate = (inflated: ZipEntry) => {
        this.#inflated?.release();
        this.#inflated = inflated;
      };
      opened = new ZipEntry(this.#file, entry, { start: this.#startOf(entry), onInflate });
      this.#opened.set(name, opened);
    }
    return opened;
  }

  /** Position of an entry's data, behind its own header. */
  #startOf({ name, header, compressed, method, end }: DirectoryEntry): number {
    const file = this.#file;
    const local = dataView(file.read(header, 30));
    if (local.getUint32(0, true) !== LOCAL_HEADER) {
      file.refuse(`its zip entry ${quoted(name)} has no header where the directory says`);
    }
    const nameLength = local.getUint16(26, true);
    const start = header + 30 + nameLength + local.getUint16(28, true);
    if (local.getUint16(8, true) !== method || this.#text(header + 30, nameLength) !== name) {
      file.refuse(`the header of its zip entry ${quoted(name)} differs from the directory`);
    }
    if (start + compressed > end) {
      file.refuse(`its zip entry ${quoted(name)} overlaps what follows it`);
    }
    return start;
  }

  #text(position: number, length: number): string {
    return decodeName(this.#file, this.#file.read(position, length));
  }

  /** Gives each entry the position at which the next begins, and refuses overlaps. */
  #setEnds(directoryStart: number): void {
    const sorted = [...this.#entries.values()].sort((a, b) => a.header - b.header);
    sorted.forEach((entry, i) => {
      entry.end = sorted[i + 1]?.header ?? directoryStart;
      if (entry.header + 30 + entry.compressed > entry.end) {
        this.#file.refuse(`its zip entry ${quoted(entry.name)} overlaps what follows it`);
      }
    });
  }

  /** Refuses deflated entries that claim to hold what no tensors of such a file would. */
  #refuseBombs(): void {
    const limit = 4 * this.#file.size + (1 << 24);
    let bytes = 0;
    for (const { name, size, compressed, method } of this.#entries.values()) {
      bytes += size;
      if (method === DEFLATED && (size > MAX_INFLATION * compressed || bytes > limit)) {
        this.#file.refuse(
          `its zip entry ${
            quoted(name)
          } is compressed from ${size} bytes to ${compressed}, which ` +
            "no weights are",
          "unpack it yourself if you trust it, and save it again with torch.save",
        );
      }
    }
  }
}

interface Directory {
  start: number;
  size: number;
  count: number;
}

/** Finds the directory from the record at the file's end. */
function findDirectory(file: FileBytes): Directory {
  const tailStart = Math.max(0, file.size - 22 - 0xffff);
  const tail = dataView(file.read(tailStart, file.size - tailStart));
  let at = tail.byteLength - 22;
  while (
    at >= 0 && !(tail.getUint32(at, true) === DIRECTORY_END &&
      at + 22 + tail.getUint16(at + 20, true) === tail.byteLength)
  ) at--;
  if (at < 0) file.refuse("the zip directory at its end is missing, so it is cut short");
  const locator = at - 20;
  const directory = locator >= 0 && tail.getUint32(locator, true) === ZIP64_LOCATOR
    ? readZip64End(file, wide(file, tail, { at: locator + 8 }))
    : {
      end: tailStart + at,
      start: tail.getUint32(at + 16, true),
      size: tail.getUint32(at + 12, true),
      count: tail.getUint16(at + 10, true),
    };
  if (directory.start + directory.size !== directory.end) {
    file.refuse("its zip directory does not lie where its end record says");
  }
  if (directory.size > MAX_DIRECTORY_BYTES) {
    file.refuse(`its zip directory of ${directory.size} bytes is too large for a checkpoint's`);
  }
  return directory;
}

function readZip64End(file: FileBytes, position: number): Directory & { end: number } {
  const record = dataView(file.read(position, 56));
  if (record.getUint32(0, true) !== ZIP64_DIRECTORY_END) {
    file.refuse("its zip64 end record does not lie where its locator says");
  }
  return {
    end: position,
    start: wide(file, record, { at: 48 }),
    size: wide(file, record, { at: 40 }),
    count: wide(file, record, { at: 32 }),
  };
}

/** Reads the directory's entry at `at`; `length` is what it takes there. */
function readEntry(
  file: FileBytes,
  bytes: Uint8Array,
  at: number,
): { entry: DirectoryEntry; length: number } {
  const cut = () => file.refuse("its zip directory ends within an entry");
  if (at + 46 > bytes.length) cut();
  const fixed = new DataView(bytes.buffer, bytes.byteOffset + at, 46);
  if (fixed.getUint32(0, true) !== DIRECTORY_ENTRY) {
    file.refuse("its zip directory has something that is not an entry");
  }
  const nameLength = fixed.getUint16(28, true);
  const extraLength = fixed.getUint16(30, true);
  const length = 46 + nameLength + extraLength + fixed.getUint16(32, true);
  if (at + length > bytes.length) cut();
  const name = decodeName(file, bytes.subarray(at + 46, at + 46 + nameLength));
  const extra = dataView(bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength));
  const { size, compressed, header } = zip64Values(file, extra, {
    size: fixed.getUint32(24, true),
    compressed: fixed.getUint32(20, true),
    header: fixed.getUint32(42, true),
  });
  if ((fixed.getUint16(8, true) & 1) !== 0) {
    file.refuse(`its zip entry ${quoted(name)} is encrypted`);
  }
  const method = fixed.getUint16(10, true);
  if (method !== STORED && method !== DEFLATED) {
    file.refuse(
      `its zip entry ${quoted(name)} is compressed by method ${method}, not by deflate`,
      "unpack it and pack it again with zip -0 -r",
    );
  }
  if (method === STORED && size !== compressed) {
    file.refuse(`its zip entry ${quoted(name)} of ${size} bytes is stored in ${compressed}`);
  }
  const crc32 = fixed.getUint32(16, true);
  return { entry: { name, size, compressed, method, crc32, header, end: 0 }, length };
}

type EntryNumbers = Pick<DirectoryEntry, "size" | "compressed" | "header">;

/** Takes each value that is all ones from the zip64 extra field, in this order. */
function zip64Values(
  file: FileBytes,
  extra: DataView,
  { size, compressed, header }: EntryNumbers,
): EntryNumbers {
  let at = 0;
  while (at + 4 <= extra.byteLength && extra.getUint16(at, true) !== 1) {
    at += 4 + extra.getUint16(at + 2, true);
  }
  let next = at + 4;
  const end = at + 4 <= extra.byteLength ? next + extra.getUint16(at + 2, true) : 0;
  const take = (value: number, most: number) => {
    if (value !== 0xffffffff) return value;
    if (next + 8 > end || end > extra.byteLength) {
      file.refuse("its zip directory lacks a zip64 size or position");
    }
    next += 8;
    return wide(file, extra, { at: next - 8, most });
  };
  // What is deflated may be larger than the file.
  return {
    size: take(size, Number.MAX_SAFE_INTEGER),
    compressed: take(compressed, file.size),
    header: take(header, file.size),
  };
}

/** A 64-bit number: a position in the file or the size of a part of it, unless `most` is another. */
function wide(
  file: FileBytes,
  view: DataView,
  { at, most = file.size }: { at: number; most?: number },
): number {
  const value = Number(view.getBigUint64(at, true));
  if (value > most) file.refuse("its zip directory points outside the file");
  return value;
}

function decodeName(file: FileBytes, bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes);
  } catch {
    file.refuse("its zip directory has a name that is not UTF-8");
  }
}

function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
