/**
 * What the bytes of a file look like that was to be IDX: type and dimensions, as far as there are any.
 *
 * @module
 */

/** What an IDX file says of itself, whatever its type and shape. */
export interface IdxHeader {
  /** Its first four bytes: type and number of dimensions. */
  magic: number;
  /** Type of its values, in words: `32-bit integers`. */
  type: string;
  dimensions: number[];
  /** Bytes that the whole file has, by this header. */
  length: number;
}

/** IDX's types by their code, with the bytes of a value. */
const TYPES: Readonly<Record<number, readonly [name: string, bytes: number]>> = {
  0x08: ["8-bit values", 1],
  0x09: ["signed 8-bit values", 1],
  0x0b: ["16-bit integers", 2],
  0x0c: ["32-bit integers", 4],
  0x0d: ["32-bit floats", 4],
  0x0e: ["64-bit floats", 8],
};

/** Images have three; no set known has more than four. */
const MOST_DIMENSIONS = 4;

/** The header that a file begins with; `undefined` if it begins with none. */
export function idxHeader(bytes: Uint8Array): IdxHeader | undefined {
  if (bytes.length < 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const [type, size] = TYPES[magic >> 8] ?? [];
  const rank = magic & 0xff;
  const start = 4 + 4 * rank;
  if (type === undefined || size === undefined || rank < 1 || rank > MOST_DIMENSIONS) return;
  if (bytes.length < start) return undefined;
  const dimensions = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const count = dimensions.reduce((product, side) => product * side, 1);
  return { magic, type, dimensions, length: start + count * size };
}

/** What bytes look like that are not the expected ones. */
export function describeBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return "an empty file";
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 200)).replace(/^(ï»¿)?\s*/, "");
  if (head.startsWith("<")) return "an HTML or XML page";
  if (/^[\t\n\r\x20-\x7e]{4,}$/.test(head)) {
    return `text that begins ${JSON.stringify(head.slice(0, 30))}`;
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return "gzip within gzip";
  if (bytes.length < 4) return `${bytes.length} bytes`;
  const magic = hex(new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0));
  const header = idxHeader(bytes);
  return header === undefined ? `magic ${magic}` : describeHeader(header);
}

/** A header in words: `an IDX file of images (magic 0x00000803), 60000×28×28`. */
function describeHeader({ magic, type, dimensions }: IdxHeader): string {
  const shape = dimensions.join("×");
  const [, ...sides] = dimensions;
  if (magic === 0x0801) return `an IDX file of labels (magic ${hex(magic)}), ${shape} of them`;
  if (magic === 0x0803 && sides.every((side) => side > 1)) {
    return `an IDX file of images (magic ${hex(magic)}), ${shape}`;
  }
  const rank = dimensions.length;
  return `magic ${hex(magic)}: an IDX file of ${type} in ${rank} dimension${
    rank === 1 ? "" : "s"
  }, ${shape}`;
}

/** An IDX magic as it is usually written: `0x00000803`. */
export function hex(magic: number): string {
  return `0x${magic.toString(16).padStart(8, "0")}`;
}
