/**
 * Strict reader of IDX files, the format in which MNIST is published: a big-endian magic number and
 * dimensions, then unsigned bytes. Gzip is known by its content.
 *
 * Nothing is believed before it is checked, and nothing is allocated on a header's word: a file that
 * is not exactly what it should be is refused with what was found and what was expected.
 *
 * @module
 */

import { constants, gunzipSync } from "node:zlib";
import { StudyError } from "../io/errors.ts";
import { IMAGE_PIXELS, IMAGE_SIDE, type ImageSet } from "./dataset.ts";

export { IMAGE_PIXELS, IMAGE_SIDE };

/** More than any set of digits holds; a header that claims more is damaged or hostile. */
const MAX_COUNT = 1_000_000;

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
    const most = 16 + MAX_COUNT * IMAGE_PIXELS;
    if (!isFile) throw refusal(path, "a folder or device", `a file of ${kind}`);
    if (size > most) throw refusal(path, `${size} bytes`, `at most ${most}`);
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (error instanceof StudyError) throw error;
    throw new StudyError(
      `Cannot read ${path}: ${(error as Error).message}. Expected an IDX file of ${kind}.`,
      { cause: error },
    );
  }
  return decodeIdx(path, bytes, kind);
}

/**
 * Unpacks and checks the bytes of an IDX file.
 *
 * @param path Name for messages; one that ends in `.gz` must hold gzip.
 * @param bytes The file's bytes, gzip or not.
 * @param kind What it is to hold.
 * @throws {StudyError} Naming the file, what was found, what was expected, and the remedy.
 */
export function decodeIdx(path: string, bytes: Uint8Array, kind: IdxKind): IdxData {
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!packed && path.endsWith(".gz")) {
    throw refusal(path, describe(bytes), "gzip (it starts with 1f 8b), as the name says");
  }
  const content = packed ? unpack(path, bytes, kind) : bytes;
  const { count, start, length } = readHeader(path, content, kind);
  if (content.length !== length) {
    const how = content.length < length ? "truncated" : "padded";
    throw wrongLength(path, `${content.length} bytes (${how})`, length);
  }
  const values = content.subarray(start);
  if (kind === "labels") {
    const bad = values.findIndex((label) => label > 9);
    if (bad >= 0) throw refusal(path, `label ${values[bad]} at index ${bad}`, "labels 0 to 9");
  }
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

/** Checks magic and dimensions; says where the values start and how long the file must be. */
function readHeader(
  path: string,
  content: Uint8Array,
  kind: IdxKind,
): { count: number; start: number; length: number } {
  const dimensions = kind === "images" ? 3 : 1;
  const magic = 0x0800 + dimensions;
  const start = 4 + 4 * dimensions;
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  if (content.length < 4 || view.getUint32(0) !== magic) {
    throw refusal(path, describe(content), `an IDX file of ${kind} (magic ${hex(magic)})`);
  }
  if (content.length < start) {
    throw refusal(path, `${content.length} bytes`, `a header of ${start} bytes`);
  }
  const count = view.getUint32(4);
  if (kind === "images") {
    const rows = view.getUint32(8);
    const columns = view.getUint32(12);
    if (rows !== IMAGE_SIDE || columns !== IMAGE_SIDE) {
      throw refusal(path, `images of ${rows}x${columns} pixels`, "28x28");
    }
  }
  if (count < 1 || count > MAX_COUNT) {
    throw refusal(path, `a header of ${count} ${kind}`, `1 to ${MAX_COUNT}`);
  }
  return { count, start, length: start + count * (kind === "images" ? IMAGE_PIXELS : 1) };
}

/** Unpacks gzip, never beyond the length that the header inside it states. */
function unpack(path: string, bytes: Uint8Array, kind: IdxKind): Uint8Array {
  const gunzip = (input: Uint8Array, options: object): Uint8Array => {
    try {
      const output = gunzipSync(input, options);
      return new Uint8Array(output.buffer, output.byteOffset, output.byteLength);
    } catch (error) {
      if (error instanceof RangeError) throw error;
      throw refusal(
        path,
        `gzip that is damaged or cut off (${(error as Error).message})`,
        `${bytes.length} bytes of sound gzip`,
      );
    }
  };
  const head = gunzip(bytes.subarray(0, 4096), { finishFlush: constants.Z_SYNC_FLUSH });
  const length = head.length < 16 ? 16 : readHeader(path, head, kind).length;
  let content: Uint8Array;
  try {
    content = gunzip(bytes, { maxOutputLength: length });
  } catch (error) {
    if (error instanceof RangeError) throw wrongLength(path, "more bytes (padded)", length);
    throw error;
  }
  // zlib passes over zeros behind the end. Gzip ends with its content's length; where that does not
  // fit, the file may have several members, or be padded: then it is whole without its last byte.
  const last = bytes.subarray(-4);
  const stated = new DataView(last.buffer, last.byteOffset, 4).getUint32(0, true);
  if (stated !== content.length && isWholeGzip(bytes.subarray(0, -1))) {
    throw refusal(path, "zeros after the end of the gzip data", "nothing there");
  }
  return content;
}

function isWholeGzip(bytes: Uint8Array): boolean {
  try {
    gunzipSync(bytes);
    return true;
  } catch {
    return false;
  }
}

function wrongLength(path: string, found: string, expected: number): StudyError {
  return refusal(path, found, `exactly ${expected} bytes by its own header`);
}

function refusal(path: string, found: string, expected: string): StudyError {
  return new StudyError(
    `Cannot use ${path}: found ${found}, expected ${expected}. Replace it with an intact copy.`,
  );
}

/** What bytes look like that are not the expected ones. */
function describe(bytes: Uint8Array): string {
  if (bytes.length === 0) return "an empty file";
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 200)).replace(/^(ï»¿)?\s*/, "");
  if (head.startsWith("<")) return "an HTML or XML page";
  if (/^[\t\n\r\x20-\x7e]{4,}$/.test(head)) {
    return `text that begins ${JSON.stringify(head.slice(0, 30))}`;
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return "gzip within gzip";
  if (bytes.length < 4) return `${bytes.length} bytes`;
  const magic = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  if (magic === 0x0801) return `an IDX file of labels (magic ${hex(magic)})`;
  if (magic === 0x0803) return `an IDX file of images (magic ${hex(magic)})`;
  return `magic ${hex(magic)}`;
}

function hex(magic: number): string {
  return `0x${magic.toString(16).padStart(8, "0")}`;
}
