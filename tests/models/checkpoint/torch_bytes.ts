/** Builds pickles and zip archives byte by byte, right and wrong ones, for the checkpoint tests. */

import { Buffer } from "node:buffer";
import { crc32, deflateRawSync } from "node:zlib";

/** Bytes put one behind the other; text is taken as Latin-1. */
export function bytes(...parts: (string | number | Uint8Array)[]): Uint8Array {
  const arrays = parts.map((part) => {
    if (typeof part === "number") return Uint8Array.of(part);
    return typeof part === "string" ? new Uint8Array(Buffer.from(part, "latin1")) : part;
  });
  const joined = new Uint8Array(arrays.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of arrays) {
    joined.set(part, position);
    position += part.length;
  }
  return joined;
}

/** `width` bytes of a little-endian whole number. */
export function little(value: number | bigint, width: number): Uint8Array {
  return Uint8Array.from(
    { length: width },
    (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 255n),
  );
}

/** Opcodes that push a string, a whole number, a tuple and a dict. */
export const text = (value: string) => {
  const encoded = new TextEncoder().encode(value);
  return bytes("X", little(encoded.length, 4), encoded);
};
export const whole = (value: number | bigint) => bytes(0x8a, 8, little(value, 8));
export const tuple = (...items: Uint8Array[]) => bytes("(", ...items, "t");
export const dict = (...items: Uint8Array[]) => bytes("}(", ...items, "u");

/** Opcodes that refer to a storage. */
export function storage(type: string, key: string, numel: number | bigint): Uint8Array {
  const id = tuple(
    text("storage"),
    bytes(`ctorch\n${type}\n`),
    text(key),
    text("cpu"),
    whole(numel),
  );
  return bytes(id, "Q");
}

/** Opcodes that make a tensor. */
export function tensor(
  of: Uint8Array,
  { offset = 0, size, stride }: {
    offset?: number | bigint;
    size: readonly (number | bigint)[];
    stride: readonly (number | bigint)[];
  },
): Uint8Array {
  const lengths = (values: readonly (number | bigint)[]) => tuple(...values.map(whole));
  const args = tuple(of, whole(offset), lengths(size), lengths(stride), bytes(0x89), bytes("}"));
  return bytes("ctorch._utils\n_rebuild_tensor_v2\n", args, "R");
}

/** A whole pickle of protocol 2. */
export function pickled(...body: (string | number | Uint8Array)[]): Uint8Array {
  return bytes(0x80, 2, ...body, ".");
}

/** One entry of {@linkcode zip}; what is not given is right. */
export interface ZipEntry {
  name: string;
  data: Uint8Array;
  localName?: string;
  method?: number;
  /** Whether the data is deflated. */
  deflate?: boolean;
  /** CRC-32 in the directory, the right one if `true`; 0, for none, as a rule. */
  crc?: number | true;
  flags?: number;
  /** Size in the directory. */
  size?: number;
  /** Position of the local header in the directory. */
  header?: number;
  /** Sizes and position in a zip64 extra field. */
  zip64?: boolean;
}

/** A zip archive of entries that are stored, as a rule. */
export function zip(entries: readonly ZipEntry[], options: { count?: number } = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let position = 0;
  for (const entry of entries) {
    const { name, deflate = false, localName = name, flags = 0, zip64 = false } = entry;
    const { size = entry.data.length, header = position, method = deflate ? 8 : 0 } = entry;
    const data = deflate ? new Uint8Array(deflateRawSync(entry.data)) : entry.data;
    const sum = little(entry.crc === true ? crc32(entry.data) : entry.crc ?? 0, 4);
    const kept = deflate ? data.length : size;
    const local = bytes(
      bytes("PK", 3, 4, little(20, 2), little(flags, 2), little(method, 2), little(0, 4), sum),
      bytes(little(data.length, 4), little(entry.data.length, 4), little(localName.length, 2)),
      bytes(little(0, 2), localName, data),
    );
    const wide = (value: number) => little(zip64 ? 0xffffffff : value, 4);
    const extra = zip64
      ? bytes(little(7, 2), little(2, 2), "xx", little(1, 2), little(24, 2), little(size, 8))
      : bytes();
    const rest = zip64 ? bytes(little(kept, 8), little(header, 8)) : bytes();
    directory.push(bytes(
      bytes("PK", 1, 2, little(20, 2), little(20, 2), little(flags, 2), little(method, 2)),
      bytes(little(0, 4), sum, wide(kept), wide(size), little(name.length, 2)),
      bytes(little(extra.length + rest.length, 2), little(0, 10), wide(header), name, extra, rest),
    ));
    parts.push(local);
    position += local.length;
  }
  const { count = entries.length } = options;
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = bytes("PK", 5, 6, little(0, 4), little(count, 2), little(count, 2), little(size, 4));
  return bytes(...parts, ...directory, end, little(position, 4), little(0, 2));
}

/** The archive of a checkpoint: a pickle and storages by key. */
export function archive(
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
): ZipEntry[] {
  const data = Object.entries(storages).map(([key, data]) => ({ name: `a/data/${key}`, data }));
  return [{ name: "a/data.pkl", data: pickle }, ...data];
}
