/**
 * Pictures of any size as grey values, cut and made smaller. Plain arrays: this runs in a browser too.
 *
 * @module
 */

/** A picture in grey. */
export interface GreyPicture {
  /** Pixels of a row. */
  readonly width: number;
  /** Rows of pixels. */
  readonly height: number;
  /** `[height * width]`, row after row, 0 for black to 255 for white. */
  readonly pixels: ArrayLike<number>;
}

/** A part of a picture, in its pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A picture as decoders and canvases have it. */
export interface ChannelPicture {
  width: number;
  height: number;
  /** 1 is grey, 2 grey and alpha, 3 red, green and blue, 4 these and alpha. */
  channels: number;
  /** `[height * width * channels]`, 0..max; alpha is 0 where nothing is to be seen. */
  data: ArrayLike<number>;
  /**
   * The largest value.
   *
   * @default {255}
   */
  max?: number;
}

/** How bright red, green and blue are (ITU-R BT.601, as JPEG and PIL have it). */
const LUMA = [0.299, 0.587, 0.114] as const;

/**
 * The brightness of each pixel. What is transparent is laid on white or black, whichever is further
 * from what is drawn.
 */
export function greyPicture(
  { width, height, channels, data, max = 255 }: ChannelPicture,
): GreyPicture {
  const count = width * height;
  if (![1, 2, 3, 4].includes(channels) || data.length !== count * channels) {
    throw new RangeError(
      `Cannot read a picture of ${width}×${height} pixels as its data must have ` +
        `${count} × 1 to 4 values: current value is ${data.length} for ${channels} channels`,
    );
  }
  const scale = 255 / max;
  const pixels = new Float32Array(count);
  const hasColour = channels > 2;
  for (let i = 0, at = 0; i < count; i++, at += channels) {
    const grey = hasColour
      ? LUMA[0] * data[at]! + LUMA[1] * data[at + 1]! + LUMA[2] * data[at + 2]!
      : data[at]!;
    pixels[i] = grey * scale;
  }
  if (channels % 2 === 1) return { width, height, pixels };
  const alpha = (i: number) => data[(i + 1) * channels - 1]! / max;
  let drawn = 0;
  let seen = 0;
  for (let i = 0; i < count; i++) {
    drawn += alpha(i) * pixels[i]!;
    seen += alpha(i);
  }
  const behind = drawn > seen * 127.5 ? 0 : 255;
  for (let i = 0; i < count; i++) pixels[i] = behind + alpha(i) * (pixels[i]! - behind);
  return { width, height, pixels };
}

/** A part of a picture; what lies outside of the picture is left out. */
export function cropped({ width, height, pixels }: GreyPicture, box: Box): GreyPicture {
  const left = Math.max(0, box.left);
  const top = Math.max(0, box.top);
  const right = Math.min(width, box.left + box.width);
  const bottom = Math.min(height, box.top + box.height);
  const part = new Float32Array((right - left) * (bottom - top));
  for (let y = top, at = 0; y < bottom; y++) {
    for (let x = left; x < right; x++) part[at++] = pixels[y * width + x]!;
  }
  return { width: right - left, height: bottom - top, pixels: part };
}

/** The picture with its longer side at most `side`, each pixel the mean of what it covers. */
export function shrunk(picture: GreyPicture, side: number): GreyPicture {
  const longer = Math.max(picture.width, picture.height);
  if (longer <= side) return picture;
  const size = (length: number) => Math.max(1, Math.round(length * side / longer));
  return resampled(picture, size(picture.width), size(picture.height));
}

/**
 * The picture in another size. A pixel is the mean of what it covers of the old ones; where it covers
 * less than one, it is mixed from the nearest two of each direction.
 */
export function resampled(picture: GreyPicture, width: number, height: number): GreyPicture {
  const rows = resampleRows(picture, width);
  return transposed(resampleRows(transposed(rows), height));
}

function resampleRows(
  { width, height, pixels }: GreyPicture,
  newWidth: number,
): GreyPicture {
  if (newWidth === width) return { width, height, pixels };
  const taps = Array.from({ length: newWidth }, (_, x) => tapsOf(x, width, newWidth));
  const result = new Float32Array(newWidth * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < newWidth; x++) {
      const { first, weights } = taps[x]!;
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * pixels[y * width + first + i]!;
      result[y * newWidth + x] = sum;
    }
  }
  return { width: newWidth, height, pixels: result };
}

/** Which old pixels of a row make the new pixel x, and by how much each. */
function tapsOf(x: number, width: number, newWidth: number): { first: number; weights: number[] } {
  const scale = width / newWidth;
  if (scale < 1) {
    const centre = Math.min(Math.max((x + 0.5) * scale - 0.5, 0), width - 1);
    const first = Math.min(Math.floor(centre), Math.max(0, width - 2));
    const share = centre - first;
    return { first, weights: width === 1 ? [1] : [1 - share, share] };
  }
  const start = x * scale;
  const end = Math.min((x + 1) * scale, width);
  const first = Math.floor(start);
  const last = Math.min(Math.ceil(end), width);
  const weights: number[] = [];
  for (let i = first; i < last; i++) {
    weights.push((Math.min(end, i + 1) - Math.max(start, i)) / (end - start));
  }
  return { first, weights };
}

function transposed({ width, height, pixels }: GreyPicture): GreyPicture {
  const result = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) result[x * height + y] = pixels[y * width + x]!;
  }
  return { width: height, height: width, pixels: result };
}
