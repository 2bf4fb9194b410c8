/**
 * One file of a feature cache: the features of a run of images, with a checksum.
 *
 * A file is 512 bytes of JSON, padded with spaces, and the features as little-endian float32, row
 * after row; a row that an interruption has left out is NaN. It appears whole or not at all.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { writeFileAtomic } from "../../io/atomic.ts";

/** What a file says of itself. */
export interface ShardHeader {
  /** SHA-256 of everything that decides the features. */
  key: string;
  /** Index of the first image. */
  first: number;
  /** Images whose features it holds. */
  rows: number;
  /**
   * How many of these are NaN, to be computed.
   *
   * @default {0}
   */
  missing?: number;
  /** Features of one image. */
  columns: number;
  /** Seconds it took to compute them. */
  seconds: number;
}

/** Where the features begin. */
export const HEADER_BYTES = 512;

/** Most bytes held while a file is checked. */
const BLOCK_BYTES = 1 << 22;

/** Bytes of a file of so many rows. */
export function shardBytes(rows: number, columns: number): number {
  return HEADER_BYTES + 4 * rows * columns;
}

/**
 * Writes a file.
 *
 * @param values float32 `[rows * columns]`.
 */
export async function writeShard(
  path: string,
  header: ShardHeader,
  values: Float32Array,
): Promise<void> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const sha256 = checksum(header).update(bytes).digest("hex");
  const head = new Uint8Array(HEADER_BYTES).fill(0x20);
  const text = new TextEncoder().encode(JSON.stringify({ ...header, sha256 }));
  if (text.length > HEADER_BYTES) throw new RangeError(`Cannot write a header: ${header.key}`);
  head.set(text);
  await writeFileAtomic(path, [head, bytes]);
}

/**
 * Reads a file from its start to its end, and tells whether it is what it should be.
 *
 * @param wanted Whose features, and of how many images at least.
 * @returns Its header; or why it cannot be used: it is not there, has too few rows, or is damaged
 *   (another length, other bytes or another cache's).
 */
export async function checkShard(
  path: string,
  wanted: Omit<ShardHeader, "seconds">,
): Promise<ShardHeader | "missing" | "short" | "damaged"> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return "missing";
    throw error;
  }
  try {
    const head = new Uint8Array(HEADER_BYTES);
    if (await fill(file, head) < HEADER_BYTES) return "damaged";
    const { sha256, ...header } = parseHeader(head);
    const { key, first, rows, columns, missing = 0 } = header;
    const same = key === wanted.key && first === wanted.first && columns === wanted.columns;
    if (!same || (await file.stat()).size !== shardBytes(rows, columns)) return "damaged";
    if (rows < wanted.rows || (missing > 0 && wanted.rows > 0)) return "short";
    const hash = checksum(header);
    const block = new Uint8Array(BLOCK_BYTES);
    for (let count; (count = await fill(file, block)) > 0;) hash.update(block.subarray(0, count));
    return hash.digest("hex") === sha256 ? header : "damaged";
  } finally {
    file.close();
  }
}

/** What {@linkcode readShard} reads. */
export interface ShardContent {
  /** float32 `[k * columns]`. Rows left out are among them only where the file is of as many images. */
  values: Float32Array;
  /** Seconds that they took. */
  seconds: number;
  /** Images of the file, rows left out included. */
  fileRows: number;
}

/** The features that a file has of the images wanted, however few; none if it is not there or damaged. */
export async function readShard(
  path: string,
  wanted: Omit<ShardHeader, "seconds">,
): Promise<ShardContent> {
  const header = await checkShard(path, { ...wanted, rows: 0 });
  if (typeof header === "string") return { values: new Float32Array(), seconds: 0, fileRows: 0 };
  const { columns, seconds } = header;
  let rows = Math.min(header.rows, wanted.rows);
  let values = new Float32Array(rows * columns);
  using file = await Deno.open(path);
  await file.seek(HEADER_BYTES, Deno.SeekMode.Start);
  await fill(file, new Uint8Array(values.buffer));
  if (header.rows !== wanted.rows) {
    const firstMissing = rowsMissing(values, columns)[0];
    rows = firstMissing ?? rows;
    values = values.subarray(0, rows * columns);
  }
  return { values, seconds: seconds * rows / header.rows, fileRows: header.rows };
}

/** The rows that are to be computed. */
export function rowsMissing(values: Float32Array, columns: number): number[] {
  const rows = Array.from({ length: values.length / columns }, (_, row) => row);
  return rows.filter((row) => Number.isNaN(values[row * columns]!));
}

/** A hash that has the header in it already. */
function checksum({ key, first, rows, columns, seconds, missing = 0 }: ShardHeader) {
  const fields = [key, first, rows, columns, seconds, ...(missing > 0 ? [missing] : [])];
  return createHash("sha256").update(JSON.stringify(fields));
}

/** The header's fields; ones that fit nothing where it is damaged. */
function parseHeader(head: Uint8Array): ShardHeader & { sha256: string } {
  const nothing = { key: "", first: -1, rows: -1, columns: -1, seconds: NaN, sha256: "" };
  try {
    return { ...nothing, ...JSON.parse(new TextDecoder().decode(head)) };
  } catch {
    return nothing;
  }
}

/** Reads until the buffer is full or the file ends; returns the bytes read. */
async function fill(file: Deno.FsFile, buffer: Uint8Array): Promise<number> {
  let done = 0;
  while (done < buffer.length) {
    const count = await file.read(buffer.subarray(done));
    if (count === null) break;
    done += count;
  }
  return done;
}
