/**
 * Strict reader of IDX files, the format in which MNIST is published: a big-endian magic number and
 * dimensions, then unsigned bytes. Gzip is known by its content.
 *
 * Nothing is believed before it is checked, and nothing is allocated on a header's word: a file that
 * is not exactly what it should be is refused with what was found and what was expected.
 *
 * @module
 */

import { constants, gunzipSync, type ZlibOptions } from "node:zlib";
import { StudyError } from "../io/errors.ts";
import { isNotPermitted, unreadableReason } from "../io/system_reason.ts";
import { IMAGE_PIXELS, IMAGE_SIDE, type ImageSet } from "./dataset.ts";
import { gunzipFile, type Unpacked } from "./gzip_file.ts";
import { describeBytes, hex, idxHeader } from "./idx_header.ts";

export { IMAGE_PIXELS, IMAGE_SIDE };

/** More than any set of digits holds; a header that claims more is damaged or hostile. */
const MAX_COUNT = 1_000_000;
/** So many images, with what gzip adds to bytes that it cannot make fewer. */
const MAX_BYTES = 800_000_000;

/** Bytes read at a time. */
const PIECE = 1 << 24;
/** Packed files beyond this size are unpacked as they are read. */
const LARGE = 32e6;
/** Bytes of a packed file that hold the header. */
const HEAD = 4096;

/** What a file is to hold. */
export type IdxKind = "images" | "labels";

/** A checked IDX file. */
export interface IdxData {
  /** File it came from. */
  path: string;
  /** The whole unpacked file, header included. */
  content: Uint8Array;
  /** Images `[count * 784]` in 0..255, or labels `[count]` in 0..9: a view of `content`. */
  values: Uint8Array;
  /** Number of images or labels. */
  count: number;
}

/**
 * Reads an IDX file from disk.
 *
 * @param path File, gzip or not.
 * @param kind What it is to hold.
 * @throws {StudyError} When it cannot be read or is not exactly such a file.
 */
export async function readIdx(path: string, kind: IdxKind): Promise<IdxData> {
  let bytes: Uint8Array;
  try {
    const { size, isFile } = await Deno.stat(path);
    if (!isFile) {
      throw refusal(path, "a folder or device", `a file of ${kind}`, "Put the file itself there.");
    }
    if (size > MAX_BYTES) throw refusal(path, `${size} bytes`, `at most ${MAX_BYTES}`);
    bytes = size > LARGE && isGzip(await readPart(path, 0, 2))
      ? await unpackFile(path, size, kind)
      : await readPart(path, 0, size);
  } catch (error) {
    if (error instanceof StudyError) throw error;
    const reason = isNotPermitted(error) ? unreadableReason(error) : (error as Error).message;
    throw new StudyError(`Cannot read ${path}: ${reason}. Expected an IDX file of ${kind}.`, {
      cause: error,
    });
  }
  return decodeIdx(path, bytes, kind);
}

/** Bytes of a file, as many as there are. `Deno.readFile` would take the memory twice. */
async function readPart(path: string, start: number, length: number): Promise<Uint8Array> {
  using file = await Deno.open(path);
  await file.seek(start, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const count = await file.read(bytes.subarray(done, done + PIECE));
    if (count === null) return bytes.subarray(0, done);
    done += count;
  }
  return bytes;
}

/**
 * Unpacks and checks the bytes of an IDX file.
 *
 * @param path Name for messages. What is named `.gz` may be unpacked already.
 * @param bytes The file's bytes, gzip or not.
 * @param kind What it is to hold.
 * @throws {StudyError} Naming the file, what was found, what was expected, and the remedy.
 */
export function decodeIdx(path: string, bytes: Uint8Array, kind: IdxKind): IdxData {
  const packed = isGzip(bytes);
  // Some programs unpack a download and leave it its name.
  if (!packed && path.endsWith(".gz") && idxHeader(bytes) === undefined) {
    throw refusal(path, describeBytes(bytes), "gzip (it starts with 1f 8b), as the name says");
  }
  const content = packed ? unpack(path, bytes, kind) : bytes;
  const { count, start, length } = readHeader(path, content, { kind, size: content.length });
  if (content.length !== length) {
    const how = content.length < length ? "truncated" : "padded";
    throw wrongLength(path, `${content.length} bytes (${how})`, length);
  }
  const values = content.subarray(start);
  if (kind === "labels") checkLabels(path, values);
  return { path, content, values, count };
}

/**
 * Puts images and their labels together.
 *
 * @throws {StudyError} When their numbers differ.
 */
export function pairImagesAndLabels(images: IdxData, labels: IdxData): ImageSet {
  if (images.count !== labels.count) {
    throw refusal(
      images.path,
      `${images.count} images`,
      `${labels.count}, the number of labels in ${labels.path}`,
    );
  }
  return { images: images.values, labels: labels.values, count: images.count };
}

/** Sets of more than ten classes under IDX, by their least and greatest label. */
const LARGER_SETS: Readonly<Record<string, string>> = {
  "1 to 26": "EMNIST letters",
  "0 to 46": "EMNIST balanced or bymerge",
  "0 to 61": "EMNIST byclass",
};

/** The greatest label of a published set. */
const GREATEST_LABEL = 61;

/** Labels of other sets are sound, but not of ten classes. */
function checkLabels(path: string, labels: Uint8Array): void {
  const bad = labels.findIndex((label) => label > 9);
  if (bad < 0) return;
  const [least, greatest] = labels.reduce(
    ([least, greatest], label) => [Math.min(least, label), Math.max(greatest, label)],
    [255, 0],
  );
  const found = `label ${labels[bad]} at index ${bad}`;
  if (greatest > GREATEST_LABEL) throw refusal(path, found, "labels 0 to 9");
  const range = `${least} to ${greatest}`;
  const known = LARGER_SETS[range];
  throw refusal(
    path,
    `labels ${range}${known === undefined ? "" : `, which are those of ${known}`} (${found})`,
    "labels 0 to 9",
    "The file is sound, but the study's models tell ten classes apart: take a set of ten, such as " +
      "EMNIST digits.",
  );
}

/** What is known of a file beside its first bytes. */
interface WholeFile {
  kind: IdxKind;
  /** Bytes of the whole file, unpacked. */
  size: number;
}

/** Checks magic and dimensions; says where the values start and how long the file must be. */
function readHeader(
  path: string,
  content: Uint8Array,
  { kind, size }: WholeFile,
): { count: number; start: number; length: number } {
  // A file that is whole by its own header is another one, not a damaged one.
  const isSound = idxHeader(content)?.length === size;
  const dimensions = kind === "images" ? 3 : 1;
  const magic = 0x0800 + dimensions;
  const start = 4 + 4 * dimensions;
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  if (content.length < 4 || view.getUint32(0) !== magic) {
    const expected = `an IDX file of ${kind} (magic ${hex(magic)})`;
    throw refusal(path, describeBytes(content), expected, isSound ? otherKind(content) : DAMAGED);
  }
  if (content.length < start) {
    throw refusal(path, `${content.length} bytes`, `a header of ${start} bytes`);
  }
  const count = view.getUint32(4);
  if (kind === "images") {
    const rows = view.getUint32(8);
    const columns = view.getUint32(12);
    if (rows !== IMAGE_SIDE || columns !== IMAGE_SIDE) {
      const remedy = isSound ? "The file is sound: scale its images, or take another." : DAMAGED;
      throw refusal(path, `images of ${rows}x${columns} pixels`, "28x28", remedy);
    }
  }
  if (count < 1 || count > MAX_COUNT) {
    throw refusal(path, `a header of ${count} ${kind}`, `1 to ${MAX_COUNT}`);
  }
  return { count, start, length: start + count * (kind === "images" ? IMAGE_PIXELS : 1) };
}

/** What to do about a sound file of another type or shape, from its first bytes. */
function otherKind(content: Uint8Array): string {
  const { magic } = idxHeader(content)!;
  if (magic === 0x0801 || magic === 0x0803) {
    return "The file is sound, but of another kind: see that images and labels have their own names.";
  }
  if (magic === 0x0c02) {
    return "The file is sound: QMNIST keeps its labels so, the digit in the first column. Write " +
      "that column as 8-bit labels, or take MNIST's files.";
  }
  return "The file is sound, but of another type or shape: convert it, or take another.";
}

/** Deflate packs no more into a byte. */
const GREATEST_RATIO = 1032;

/** Unpacks gzip, never beyond the length that the header inside it states. */
function unpack(path: string, bytes: Uint8Array, kind: IdxKind): Uint8Array {
  const size = bytes.length;
  const length = lengthInside(
    path,
    { head: bytes.subarray(0, HEAD), end: bytes.subarray(-4) },
    kind,
  );
  try {
    const unpacked = gunzip(bytes, {
      maxOutputLength: length,
      // All in one piece, as joining pieces would take the memory twice.
      chunkSize: Math.max(64, Math.min(length, GREATEST_RATIO * size) + 1),
    });
    return withNothingBehind(path, unpacked, size);
  } catch (error) {
    throw gzipError(path, error, { length, size });
  }
}

/** {@linkcode unpack} of a large file. */
async function unpackFile(path: string, size: number, kind: IdxKind): Promise<Uint8Array> {
  const [head, end] = [await readPart(path, 0, HEAD), await readPart(path, size - 4, 4)];
  const length = lengthInside(path, { head, end }, kind);
  try {
    return withNothingBehind(path, await gunzipFile(path, length), size);
  } catch (error) {
    throw gzipError(path, error, { length, size });
  }
}

/** The length that the header in a gzip file states, from the file's first bytes and its last four. */
function lengthInside(
  path: string,
  { head, end }: { head: Uint8Array; end: Uint8Array },
  kind: IdxKind,
): number {
  // Gzip ends with its content's length, where it has a single member.
  const { buffer, byteOffset } = end;
  const size = end.length < 4 ? 0 : new DataView(buffer, byteOffset, 4).getUint32(0, true);
  try {
    const { output } = gunzip(head, { finishFlush: constants.Z_SYNC_FLUSH });
    return output.length < 16 ? 16 : readHeader(path, output, { kind, size }).length;
  } catch (error) {
    throw gzipError(path, error, { length: 16, size: head.length });
  }
}

function gunzip(input: Uint8Array, options: ZlibOptions): Unpacked {
  // With `info` it gives both, which its type does not say.
  const { buffer, engine } = gunzipSync(input, { ...options, info: true }) as unknown as {
    buffer: Uint8Array;
    engine: { bytesWritten: number };
  };
  const output = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  return { output, taken: engine.bytesWritten };
}

function withNothingBehind(path: string, { output, taken }: Unpacked, size: number): Uint8Array {
  if (taken === size) return output;
  throw refusal(path, "zeros after the end of the gzip data", "nothing there");
}

/** What to say of gzip that cannot be unpacked. */
function gzipError(
  path: string,
  error: unknown,
  { length, size }: { length: number; size: number },
): unknown {
  if (error instanceof StudyError) return error;
  if (error instanceof RangeError) return wrongLength(path, "more bytes (padded)", length);
  const reason = error instanceof Error ? error.message : error;
  return refusal(
    path,
    `gzip that is damaged or cut off (${reason})`,
    `${size} bytes of sound gzip`,
  );
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function wrongLength(path: string, found: string, expected: number): StudyError {
  return refusal(path, found, `exactly ${expected} bytes by its own header`);
}

/** What to do about a file that is not whole. */
const DAMAGED = "Replace it with an intact copy.";

function refusal(path: string, found: string, expected: string, remedy = DAMAGED): StudyError {
  return new StudyError(`Cannot use ${path}: found ${found}, expected ${expected}. ${remedy}`);
}
