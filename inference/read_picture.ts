/**
 * Pictures out of the bytes of PNG and JPEG files, in grey and upright. What a file claims to be is
 * looked at before anything is unpacked.
 *
 * @module
 */

import { imageSize } from "image-size";
import { decode as decodeJpeg } from "jpeg-js";
import { type GreyPicture, greyPicture } from "../data/grey_picture.ts";
import { decodePng } from "./decode_png.ts";
import { PictureError } from "./picture_error.ts";

/** Most pixels that are unpacked: those of the largest photographs. */
const MOST_PIXELS = 50e6;

/** Most pixels of a side, as JPEG has it: a PNG's decoder keeps each row by itself. */
const LONGEST_SIDE = 65_535;

/** Megabytes that a JPEG of so many pixels takes while it is unpacked. */
const JPEG_MEGABYTES = 2048;

/** What other kinds of pictures are called. */
const OTHERS: Readonly<Record<string, string>> = {
  gif: "a GIF, which may be an animation",
  webp: "a WebP, which may be an animation",
  heif: "a HEIF or AVIF",
  svg: "an SVG drawing",
  tiff: "a TIFF",
  bmp: "a BMP",
};

/**
 * Unpacks a picture.
 *
 * @param bytes The whole file.
 * @throws {PictureError} If it is no still PNG or JPEG, is damaged or cut off, or has too many pixels.
 */
export function readPicture(bytes: Uint8Array): GreyPicture {
  if (bytes.length === 0) throw new PictureError("it is empty");
  const { width, height, type, orientation = 1 } = headerOf(bytes);
  if (type !== "png" && type !== "jpg") {
    const kind = OTHERS[type] ?? `a picture of the kind ${type}`;
    throw new PictureError(`it is ${kind}: save it as PNG or JPEG`);
  }
  if (width * height > MOST_PIXELS) {
    throw new PictureError(
      `it has ${width}×${height} pixels, more than ${MOST_PIXELS / 1e6} million: make it smaller`,
    );
  }
  if (Math.max(width, height) > LONGEST_SIDE) {
    throw new PictureError(
      `it has ${width}×${height} pixels, more than ${LONGEST_SIDE} of a side: make it smaller`,
    );
  }
  const decoded = type === "png"
    ? decodePng(bytes)
    : { picture: greyPicture({ ...jpegPixels(bytes), channels: 4 }), orientation };
  return upright(decoded);
}

/** What a file's first bytes say. */
function headerOf(bytes: Uint8Array) {
  try {
    const { width, height, type = "", orientation } = imageSize(bytes);
    // Many a file that is none begins as a TGA does.
    if (type === "tga") throw new TypeError("unsupported file type");
    if (width > 0 && height > 0) return { width, height, type, orientation };
  } catch (error) {
    if (!isPng(bytes) && !isJpeg(bytes)) {
      throw new PictureError("it is not a picture that is known here: give a PNG or JPEG", {
        cause: error,
      });
    }
    throw new PictureError("it is damaged or cut off in its header", { cause: error });
  }
  throw new PictureError("it has no pixels");
}

function isPng(bytes: Uint8Array): boolean {
  return bytes[0] === 0x89 && bytes[1] === 0x50;
}

function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8;
}

function jpegPixels(bytes: Uint8Array): { width: number; height: number; data: Uint8Array } {
  // The decoder takes what is missing at the end for zeros.
  if (!endsInMarker(bytes)) throw new PictureError("it is cut off");
  try {
    return decodeJpeg(bytes, {
      ...(isRgbJpeg(bytes) && { colorTransform: false }),
      useTArray: true,
      tolerantDecoding: false,
      maxResolutionInMP: MOST_PIXELS / 1e6,
      maxMemoryUsageInMB: JPEG_MEGABYTES,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PictureError(`it is damaged or a kind of JPEG that is not read here (${reason})`, {
      cause: error,
    });
  }
}

/**
 * Whether the end of image comes, behind which cameras and editors may leave what they like. A small
 * picture in the header has an end of its own, so it is looked for behind the first scan's beginning.
 */
function endsInMarker(bytes: Uint8Array): boolean {
  let scan = 2;
  for (const { end } of jpegHeader(bytes)) scan = end;
  for (let at = bytes.length - 2; at > scan; at--) {
    if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return true;
  }
  return false;
}

/**
 * Whether a JPEG has red, green and blue instead of brightness and colour. As libjpeg sees it, JFIF has
 * the latter alone, Adobe's note says which it is, and else the channels' names do.
 */
function isRgbJpeg(bytes: Uint8Array): boolean {
  for (const { marker, data } of jpegHeader(bytes)) {
    const text = (start: number, end: number) => String.fromCharCode(...data.subarray(start, end));
    if (marker === 0xe0 && text(0, 5) === "JFIF\0") return false;
    if (marker === 0xee && text(0, 5) === "Adobe") return data[11] === 0;
    if (marker >= 0xc0 && marker <= 0xc2) {
      return data[5] === 3 && text(6, 7) + text(9, 10) + text(12, 13) === "RGB";
    }
  }
  return false;
}

/** The parts of a JPEG's header: the second byte of the marker, what is in it, and where it ends. */
function* jpegHeader(
  bytes: Uint8Array,
): Generator<{ marker: number; data: Uint8Array; end: number }> {
  for (let at = 2; bytes[at] === 0xff && bytes[at + 1] !== 0xda;) {
    const marker = bytes[at + 1]!;
    // Each part says its length; a marker may be preceded by more of 0xff.
    const end = marker === 0xff ? at + 1 : at + 2 + 256 * bytes[at + 2]! + bytes[at + 3]!;
    yield { marker, data: bytes.subarray(at + 4, end), end };
    at = end;
  }
}

/** Turns and mirrors a picture as EXIF's orientation says, 1 for as it is to 8. */
function upright(
  { picture, orientation }: { picture: GreyPicture; orientation: number },
): GreyPicture {
  if (!(orientation > 1 && orientation <= 8)) return picture;
  const { width, height, pixels } = picture;
  const isTurned = orientation >= 5;
  const [newWidth, newHeight] = isTurned ? [height, width] : [width, height];
  const fromRight = [2, 3, 7, 8].includes(orientation);
  const fromBottom = [3, 4, 6, 7].includes(orientation);
  const result = new Float32Array(width * height);
  for (let y = 0, at = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++, at++) {
      const [u, v] = isTurned ? [y, x] : [x, y];
      const column = fromRight ? width - 1 - u : u;
      const row = fromBottom ? height - 1 - v : v;
      result[at] = pixels[row * width + column]!;
    }
  }
  return { width: newWidth, height: newHeight, pixels: result };
}
