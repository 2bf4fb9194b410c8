/**
 * PNG files of every kind: grey or colour, with a palette or alpha, of 1 to 16 bits, interlaced or not.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { constants, crc32, inflateSync } from "node:zlib";
import { type ChannelPicture, type GreyPicture, greyPicture } from "../data/grey_picture.ts";
import { exifOrientation } from "./exif_orientation.ts";
import { PictureError } from "./picture_error.ts";
import { type PngHeader, rowBytes, unpackRows } from "./png_rows.ts";

/** Bytes before the first chunk. */
const SIGNATURE = 8;

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

/** What is read of a PNG. Its other chunks, such as a profile of its colours, are not unpacked. */
interface Content {
  header: PngHeader & { colour: number };
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
  const { header, packed, exif } = content;
  const values = unpackRows(unpack(packed, rowBytes(header)), header);
  const orientation = exif === undefined ? 1 : exifOrientation(exif);
  return { picture: greyPicture(channelsOf(values, content)), orientation };
}

/** Makes sure that all chunks are there and as they were written. */
function readChunks(bytes: Uint8Array): Content {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let content: Content | undefined;
  let type = "";
  for (let at = SIGNATURE; type !== "IEND";) {
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
function readHeader(type: string, data: Uint8Array): Content["header"] {
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
  return { width, height, depth: depth!, colour: colour!, channels, isInterlaced: interlace === 1 };
}

/** Unpacks the pixels to as many bytes as the header says, and to no more. */
function unpack(packed: readonly Uint8Array[], expected: number): Uint8Array {
  let bytes: Uint8Array;
  try {
    const options = { maxOutputLength: expected + 1, finishFlush: constants.Z_FINISH };
    bytes = inflateSync(Buffer.concat(packed), options);
  } catch (error) {
    if (error instanceof RangeError) throw new PictureError("it unpacks to more than its pixels");
    throw new PictureError("its pixels are damaged or cut off", { cause: error });
  }
  if (bytes.length < expected) throw new PictureError("it is cut off");
  return bytes;
}

/** The pixels, a value for each channel. */
function channelsOf(
  data: Uint8Array | Uint16Array,
  { header, palette, transparency }: Content,
): ChannelPicture {
  const { width, height, depth, channels, colour } = header;
  const max = 2 ** depth - 1;
  const picture = { width, height, channels, data, max };
  if (colour === INDEXED) return lookedUp(picture, palette, transparency);
  // What has alpha, or says of its colour less than it has, has no colour that is transparent.
  if (channels % 2 === 0 || transparency?.length !== 2 * channels) return picture;
  const view = new DataView(transparency.buffer, transparency.byteOffset);
  const key = Array.from({ length: channels }, (_, i) => view.getUint16(2 * i) & max);
  return withAlpha(picture, key);
}

/** A picture whose values are indices of a palette. */
function lookedUp(
  { width, height, data }: ChannelPicture,
  palette: Uint8Array = new Uint8Array(),
  alphas?: Uint8Array,
): ChannelPicture {
  const channels = alphas === undefined ? 3 : 4;
  const result = new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    const index = data[i]!;
    if (3 * index + 3 > palette.length) {
      throw new PictureError(`it is damaged (its palette has no colour ${index})`);
    }
    for (let channel = 0; channel < 3; channel++) {
      result[i * channels + channel] = palette[3 * index + channel]!;
    }
    if (alphas !== undefined) result[i * channels + 3] = alphas[index] ?? 255;
  }
  return { width, height, channels, data: result };
}

/** A picture in which one colour is transparent. */
function withAlpha(
  { width, height, channels, data, max }: Required<ChannelPicture>,
  key: readonly number[],
): ChannelPicture {
  const result = new Uint16Array(width * height * (channels + 1));
  for (let i = 0; i < width * height; i++) {
    let isKey = true;
    for (let channel = 0; channel < channels; channel++) {
      const value = data[i * channels + channel]!;
      result[i * (channels + 1) + channel] = value;
      isKey &&= value === key[channel];
    }
    result[i * (channels + 1) + channels] = isKey ? 0 : max;
  }
  return { width, height, channels: channels + 1, data: result, max };
}
