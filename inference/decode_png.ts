/**
 * PNG files of every kind: grey or colour, with a palette or alpha, of 1 to 16 bits, interlaced or not.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { constants, crc32, deflateSync, inflateSync } from "node:zlib";
// @ts-types="npm:@types/pngjs@6.0.5"
import { PNG } from "pngjs";
import { type ChannelPicture, type GreyPicture, greyPicture } from "../data/grey_picture.ts";
import { exifOrientation } from "./exif_orientation.ts";
import { PictureError } from "./picture_error.ts";
import { pngChunk } from "./png_chunk.ts";

/** What comes before the first chunk. */
const SIGNATURE = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");

/** A chunk's length and type before its data, and the checksum behind it. */
const AROUND = 12;

/** The type of colour whose values are indices of a palette. */
const INDEXED = 3;

/** Channels of each type of colour, and the bits that they may have. */
const COLOURS: Readonly<Record<number, { channels: number; depths: readonly number[] }>> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  [INDEXED]: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
};

/** First column and row of each pass of an interlaced picture, and the steps to the next. */
const ADAM7 = [
  { left: 0, top: 0, right: 8, down: 8 },
  { left: 4, top: 0, right: 8, down: 8 },
  { left: 0, top: 4, right: 4, down: 8 },
  { left: 2, top: 0, right: 4, down: 4 },
  { left: 0, top: 2, right: 2, down: 4 },
  { left: 1, top: 0, right: 2, down: 2 },
  { left: 0, top: 1, right: 1, down: 2 },
] as const;

/** The one pass of a picture that is not. */
const WHOLE = [{ left: 0, top: 0, right: 1, down: 1 }] as const;

/** What a PNG's header says. */
interface Header {
  /** As it is in the file. */
  bytes: Uint8Array;
  width: number;
  height: number;
  /** Bits of a value: 1, 2, 4, 8 or 16. */
  depth: number;
  /** The type of colour. */
  colour: number;
  /** Values of a pixel, 1 to 4. */
  channels: number;
  /** Whether rows come as Adam7 has them. */
  isInterlaced: boolean;
}

/** What is read of a PNG. Its other chunks, such as a profile of its colours, are not unpacked. */
interface Content {
  header: Header;
  /** Its pixels, packed. */
  packed: Uint8Array[];
  palette?: Uint8Array;
  /** Of a palette the alpha of each colour; else the colour that is transparent. */
  transparency?: Uint8Array;
  /** What the camera wrote, which may be in front of the pixels or behind them. */
  exif?: Uint8Array;
}

/**
 * Unpacks a PNG.
 *
 * @returns The picture as it is stored, and how it is to be turned, 1 to 8 as in EXIF.
 * @throws {PictureError} If it is damaged, cut off or an animation.
 */
export function decodePng(bytes: Uint8Array): { picture: GreyPicture; orientation: number } {
  const content = readChunks(bytes);
  const { exif } = content;
  const orientation = exif === undefined ? 1 : exifOrientation(exif);
  return { picture: greyPicture(unpack(content)), orientation };
}

/** Makes sure that all chunks are there and as they were written. */
function readChunks(bytes: Uint8Array): Content {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let content: Content | undefined;
  let type = "";
  for (let at = SIGNATURE.length; type !== "IEND";) {
    if (at + AROUND > bytes.length) throw new PictureError("it is cut off");
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) throw new PictureError("it is cut off");
    type = new TextDecoder("latin1").decode(bytes.subarray(at + 4, at + 8));
    if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end)) {
      throw new PictureError(
        `${type === "IDAT" ? "its pixels are" : "it is"} damaged (a checksum is wrong)`,
      );
    }
    const data = bytes.subarray(at + 8, end);
    content ??= { header: readHeader(type, data), packed: [] };
    if (type === "acTL") {
      throw new PictureError("it is an animation (APNG): save one of its pictures as PNG");
    }
    if (type === "IDAT") content.packed.push(data);
    if (type === "PLTE") content.palette = data;
    if (type === "tRNS") content.transparency = data;
    if (type === "eXIf") content.exif = data;
    at = end + 4;
  }
  return content!;
}

/** @param type That of the first chunk, which must be the header. */
function readHeader(type: string, data: Uint8Array): Header {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [depth, colour, compression, filters, interlace] = data.subarray(8);
  const { channels, depths } = COLOURS[colour ?? -1] ?? {};
  if (
    type !== "IHDR" || data.length !== 13 || channels === undefined || !depths?.includes(depth!) ||
    compression !== 0 || filters !== 0 || interlace! > 1
  ) {
    throw new PictureError("it is damaged in its header");
  }
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const isInterlaced = interlace === 1;
  return { bytes: data, width, height, depth: depth!, colour: colour!, channels, isInterlaced };
}

/**
 * The pixels packed anew, after they have been found to unpack to as many bytes as the header says and
 * to no more: the decoder sets itself no limit, and fails at bytes behind their end.
 */
function repacked({ header, packed }: Content): Uint8Array {
  const expected = rowBytes(header);
  let bytes: Uint8Array;
  try {
    const options = { maxOutputLength: expected + 1, finishFlush: constants.Z_FINISH };
    bytes = inflateSync(Buffer.concat(packed), options);
  } catch (error) {
    if (error instanceof RangeError) throw new PictureError("it unpacks to more than its pixels");
    throw new PictureError("its pixels are damaged or cut off", { cause: error });
  }
  if (bytes.length > expected) throw new PictureError("it unpacks to more than its pixels");
  if (bytes.length < expected) throw new PictureError("it is cut off");
  return deflateSync(bytes, { level: constants.Z_NO_COMPRESSION });
}

/** Bytes of all rows, each with the number of its filter. */
function rowBytes({ width, height, depth, channels, isInterlaced }: Header): number {
  return (isInterlaced ? ADAM7 : WHOLE).reduce((sum, { left, top, right, down }) => {
    const columns = Math.ceil((width - left) / right);
    const rows = Math.ceil((height - top) / down);
    const hasPixels = columns > 0 && rows > 0;
    return hasPixels ? sum + rows * (1 + Math.ceil(columns * channels * depth / 8)) : sum;
  }, 0);
}

/** The pixels in red, green, blue and alpha, out of a PNG of nothing besides. */
function unpack(content: Content): ChannelPicture {
  const { header, palette } = content;
  const { width, height, depth, colour } = header;
  const isIndexed = colour === INDEXED;
  if (isIndexed && !(palette && palette.length >= 3)) {
    throw new PictureError("it is damaged (its palette has no colour 0)");
  }
  const pixels = repacked(content);
  const bytes = Buffer.concat([
    SIGNATURE,
    pngChunk("IHDR", header.bytes),
    ...(isIndexed ? [pngChunk("PLTE", palette!)] : []),
    ...transparencyOf(content).map((data) => pngChunk("tRNS", data)),
    pngChunk("IDAT", pixels),
    pngChunk("IEND", new Uint8Array()),
  ]);
  try {
    const { data } = PNG.sync.read(bytes, { skipRescale: true, checkCRC: true });
    return { width, height, channels: 4, data, max: isIndexed ? 255 : 2 ** depth - 1 };
  } catch (error) {
    throw new PictureError(`it is damaged (${reasonOf(error)})`, { cause: error });
  }
}

/** What the decoder takes for transparent: a chunk's bytes, or nothing. */
function transparencyOf({ header, palette, transparency }: Content): Uint8Array[] {
  const { depth, colour, channels } = header;
  if (transparency === undefined) return [];
  if (colour === INDEXED) return [transparency.subarray(0, Math.floor(palette!.length / 3))];
  // What has alpha, or says of its colour less than it has, has no colour that is transparent.
  if (channels % 2 === 0 || transparency.length !== 2 * channels) return [];
  const max = 2 ** depth - 1;
  return [transparency.map((byte, i) => byte & (i % 2 === 0 ? max >> 8 : max))];
}

/** What the decoder says, in our words where it names a row or a colour. */
function reasonOf(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return reason.replace("Unrecognised filter type -", "a row has the filter")
    .replace(/index (\d+) not in palette/, "its palette has no colour $1");
}
