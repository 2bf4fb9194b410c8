/**
 * The few characters that labels in a bitmap need, seven pixels high, drawn here.
 *
 * @module
 */

/** Rows of a glyph. */
export const GLYPH_HEIGHT = 7;

const GLYPHS: Readonly<Record<string, readonly string[]>> = {
  "0": [".###.", "#...#", "#..##", "#.#.#", "##..#", "#...#", ".###."],
  "1": ["..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###."],
  "2": [".###.", "#...#", "....#", "...#.", "..#..", ".#...", "#####"],
  "3": ["#####", "...#.", "..#..", "...#.", "....#", "#...#", ".###."],
  "4": ["...#.", "..##.", ".#.#.", "#..#.", "#####", "...#.", "...#."],
  "5": ["#####", "#....", "####.", "....#", "....#", "#...#", ".###."],
  "6": ["..##.", ".#...", "#....", "####.", "#...#", "#...#", ".###."],
  "7": ["#####", "....#", "...#.", "..#..", "..#..", "..#..", "..#.."],
  "8": [".###.", "#...#", "#...#", ".###.", "#...#", "#...#", ".###."],
  "9": [".###.", "#...#", "#...#", ".####", "....#", "...#.", ".##.."],
  "→": [".....", "..#..", "...#.", "#####", "...#.", "..#..", "....."],
  ".": [".", ".", ".", ".", ".", ".", "#"],
  " ": ["...", "...", "...", "...", "...", "...", "..."],
};

export interface GreyImage {
  width: number;
  height: number;
  /** Grey values 0..255, `[height * width]`, row after row. */
  data: Uint8Array;
}

export interface TextStyle {
  /** Left edge of the first glyph. */
  x: number;
  y: number;
  /** Side of a font pixel, in pixels of the image. */
  scale: number;
  /** Grey value, 0..255. */
  grey: number;
}

/**
 * Width of a text in pixels: a font pixel lies between two glyphs.
 *
 * @throws {RangeError} If the font lacks a character; it has digits, `→`, `.` and space.
 */
export function textWidth(text: string, scale: number): number {
  const widths = [...text].map((character) => glyph(character)[0]!.length + 1);
  return scale * Math.max(0, widths.reduce((sum, width) => sum + width, 0) - 1);
}

/**
 * Draws a text into an image; what lies beyond its edges is left out.
 *
 * @throws {RangeError} If the font lacks a character; it has digits, `→`, `.` and space.
 */
export function drawText(image: GreyImage, text: string, style: TextStyle): void {
  const { scale, grey } = style;
  let { x } = style;
  for (const character of text) {
    const rows = glyph(character);
    for (const [row, pixels] of rows.entries()) {
      for (const [column, pixel] of [...pixels].entries()) {
        if (pixel !== "#") continue;
        fillSquare(image, { x: x + column * scale, y: style.y + row * scale, size: scale, grey });
      }
    }
    x += scale * (rows[0]!.length + 1);
  }
}

/** Fills a square of an image; what lies beyond its edges is left out. */
export function fillSquare(
  image: GreyImage,
  square: { x: number; y: number; size: number; grey: number },
): void {
  const { width, height, data } = image;
  const { x, y, size, grey } = square;
  for (let row = Math.max(0, y); row < Math.min(height, y + size); row++) {
    data.fill(grey, row * width + Math.max(0, x), row * width + Math.min(width, x + size));
  }
}

function glyph(character: string): readonly string[] {
  const rows = GLYPHS[character];
  if (rows === undefined) {
    throw new RangeError(
      `Cannot draw ${JSON.stringify(character)} as the font has digits, →, . and space only`,
    );
  }
  return rows;
}
