/**
 * How a camera was held, out of what it wrote about a picture.
 *
 * @module
 */

/** What precedes EXIF in other files than pictures of the kind TIFF, and by mistake in a PNG. */
const PREFIX = "Exif\0\0";

/** The tag of the orientation, and the type of its value: 16 bits. */
const [ORIENTATION, SHORT] = [0x0112, 3];

/** A directory's entry: tag, type, count, and the value or its place. */
const ENTRY_BYTES = 12;

/**
 * The orientation in EXIF, which has the layout of a TIFF: the order of bytes, 42, the place of the
 * first directory, and there its entries.
 *
 * @param exif Its bytes; damaged ones say nothing.
 * @returns 1 to 8, and 1 where there is none: the picture is upright as it is.
 */
export function exifOrientation(exif: Uint8Array): number {
  const text = new TextDecoder("latin1").decode(exif.subarray(0, PREFIX.length));
  if (text === PREFIX) return exifOrientation(exif.subarray(PREFIX.length));
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const isLittle = text.startsWith("II");
  if (!isLittle && !text.startsWith("MM")) return 1;
  try {
    if (view.getUint16(2, isLittle) !== 42) return 1;
    const directory = view.getUint32(4, isLittle);
    const count = view.getUint16(directory, isLittle);
    for (let i = 0; i < count; i++) {
      const entry = directory + 2 + i * ENTRY_BYTES;
      if (view.getUint16(entry, isLittle) !== ORIENTATION) continue;
      const value = view.getUint16(entry + 8, isLittle);
      const isValid = view.getUint16(entry + 2, isLittle) === SHORT && value >= 1 && value <= 8;
      return isValid ? value : 1;
    }
  } catch (error) {
    // It ends too early.
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}
