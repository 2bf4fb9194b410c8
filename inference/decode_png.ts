/**
 * PNG files of every kind: grey or colour, with a palette or alpha, of 1 to 16 bits, interlaced or not.
 *
 * @module
 */

import { convertIndexedToRgb, decode, type DecodedPng } from "fast-png";
import { constants, inflateSync } from "node:zlib";
import { type ChannelPicture, type GreyPicture, greyPicture } from "../data/grey_picture.ts";
import { exifOrientation } from "./exif_orientation.ts";
import { PictureError } from "./picture_error.ts";

/** Bytes before the first chunk. */
const SIGNATURE = 8;

/** A chunk's length and type before its data, and the checksum behind it. */
const AROUND = 12;

/** Channels of each type of colour. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/**
 * Unpacks a PNG.
 *
 * @returns The picture as it is stored, and how it is to be turned, 1 to 8 as in EXIF.
 * @throws {PictureError} If it is damaged, cut off or an animation.
 */
export function decodePng(bytes: Uint8Array): { picture: GreyPicture; orientation: number } {
  const { exif } = checkChunks(bytes);
  let png: DecodedPng;
  try {
    png = decode(bytes, { checkCrc: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PictureError(`it is damaged (${reason})`, { cause: error });
  }
  const orientation = exif === undefined ? 1 : exifOrientation(exif);
  return { picture: greyPicture(channelsOf(png)), orientation };
}

/**
 * Makes sure that all chunks are there and unpack to what the header says, and to no more.
 *
 * @returns What the camera wrote, which may be in front of the pixels or behind them.
 */
function checkChunks(bytes: Uint8Array): { exif: Uint8Array | undefined } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packed: Uint8Array[] = [];
  let exif: Uint8Array | undefined;
  let type = "";
  for (let at = SIGNATURE; type !== "IEND";) {
    if (at + AROUND > bytes.length) throw new PictureError("it is cut off");
    const length = view.getUint32(at);
    type = new TextDecoder("latin1").decode(bytes.subarray(at + 4, at + 8));
    if (at + AROUND + length > bytes.length) throw new PictureError("it is cut off");
    if (type === "acTL") {
      throw new PictureError("it is an animation (APNG): save one of its pictures as PNG");
    }
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (type === "IDAT") packed.push(data);
    if (type === "eXIf") exif = data;
    at += AROUND + length;
  }
  checkLength(packed, rowBytes(view));
  return { exif };
}

function checkLength(packed: readonly Uint8Array[], expected: number): void {
  let length: number;
  try {
    const whole = new Uint8Array(packed.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of packed) {
      whole.set(piece, at);
      at += piece.length;
    }
    const options = { maxOutputLength: expected + 1, finishFlush: constants.Z_FINISH };
    ({ length } = inflateSync(whole, options));
  } catch (error) {
    if (error instanceof RangeError) throw new PictureError("it unpacks to more than its pixels");
    throw new PictureError("its pixels are damaged or cut off", { cause: error });
  }
  if (length < expected) throw new PictureError("it is cut off");
}

/** Bytes of all rows, each with the number of its filter, by the header; of an interlaced one at least. */
function rowBytes(view: DataView): number {
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, colour, interlace] = [24, 25, 28].map((at) => view.getUint8(at));
  const bits = depth! * (CHANNELS[colour!] ?? 0);
  const rows = (columns: number, lines: number) =>
    columns === 0 ? 0 : lines * (1 + Math.ceil(columns * bits / 8));
  if (interlace === 0) return rows(width, height);
  // Adam7: first column and row of each pass, and the steps to the next.
  const passes = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ] as const;
  const count = (length: number, first: number, step: number) =>
    Math.max(0, Math.ceil((length - first) / step));
  return passes.reduce(
    (sum, [x, y, right, down]) => sum + rows(count(width, x, right), count(height, y, down)),
    0,
  );
}

/** A decoded PNG's pixels, a value for each channel; a palette is looked up, packed bits are spread. */
function channelsOf(png: DecodedPng): ChannelPicture {
  const { width, height, depth, channels, palette, transparency } = png;
  if (palette !== undefined && channels === 1) {
    return { width, height, data: convertIndexedToRgb(png), channels: palette[0]!.length };
  }
  const max = 2 ** depth - 1;
  const greys = Array.from({ length: depth < 8 ? max + 1 : 0 }, (_, level) => [level]);
  const data = depth < 8 ? convertIndexedToRgb({ ...png, palette: greys }) : png.data;
  const picture = { width, height, channels, data, max };
  return transparency === undefined ? picture : withAlpha(picture, transparency);
}

/** A picture in which one colour is transparent. */
function withAlpha(
  { width, height, channels, data, max }: Required<ChannelPicture>,
  key: Uint16Array,
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
