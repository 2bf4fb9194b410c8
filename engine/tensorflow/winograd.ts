/**
 * Convolutions with filters of 3×3 and 5×5 by a quarter and a sixth of the multiplications.
 *
 * Winograd's F(4×4, 3×3): an output of 4×4 pixels is interpolated from its values at 36 points, at each
 * of which the convolution is a product, channels by channels, of the transformed 6×6 input pixels and
 * the transformed filter (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016). All
 * transforms, of rows and then of columns, are matrix products too. The points are 0, ±√½, ±√2 and ∞,
 * whose largest rounding errors are a quarter of those of the usual 0, ±1, ±2 and ∞: 1e-6 to 4e-6 of the
 * largest output, where summing the products themselves has 4e-7. F(4×4, 5×5) has 64 points and 8×8
 * input pixels; its errors are 4e-6 to 1.1e-5. A value that is not finite spoils the tiles that it is
 * taken for, not only the pixels that the filter reaches.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";

/** Height and width of an output tile. */
const TILE = 4;

/** Height and width of filters that there are transforms for. */
export type FilterSide = 3 | 5;

/** Finite points of interpolation on an axis; the last is at infinity. */
const POINTS: Readonly<Record<FilterSide, readonly number[]>> = {
  3: [0, Math.SQRT1_2, -Math.SQRT1_2, Math.SQRT2, -Math.SQRT2],
  5: [0, 0.5, -0.5, 1, -1, 2, -2],
};

/** True for the height and width of filters that can be transformed. */
export function isFilterSide(side: number): side is FilterSide {
  return Object.hasOwn(POINTS, side);
}

/** Height and width of what an output tile takes; also the number of points on an axis. */
function patchSide(filterSide: number): number {
  return TILE + filterSide - 1;
}

/** Elements of a transformed input or output, 64 MB, up to which images and rows are taken together. */
const LARGEST = 1 << 24;

/** Operations for which there is time while a byte is read or written. */
const OPERATIONS_PER_BYTE = 10;

/** Part of the direct convolution's time that it must promise to take at most. */
const WORTHWHILE = 0.95;

/** Multiplications below which a convolution is left alone, as ops themselves take time. */
const LEAST_WORK = 1e8;

/** Sizes of a convolution with stride 1. */
export interface WinogradSizes {
  /** Height and width of the filter. */
  filterSide: FilterSide;
  images: number;
  outHeight: number;
  outWidth: number;
  inChannels: number;
  outChannels: number;
}

/** Zeros around an image. */
export interface WinogradPadding {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/**
 * Whether it is likely faster than the direct convolution, by counts of operations and of bytes moved.
 * With oneDNN on AVX2 it took the part of the direct convolution's time that this says, for 64 to 512
 * channels and 13 to 112 pixels a side within a tenth with filters of 3×3, and within a fifth with those
 * of 5×5.
 */
export function isWinogradFaster(sizes: WinogradSizes): boolean {
  const { filterSide, images, outHeight, outWidth, inChannels, outChannels } = sizes;
  const work = filterSide ** 2 * images * outHeight * outWidth * inChannels * outChannels;
  if (work < LEAST_WORK) return false;
  const tiles = images * Math.ceil(outHeight / TILE) * Math.ceil(outWidth / TILE);
  const side = patchSide(filterSide);
  const [patch, tile] = [side ** 2, TILE ** 2];
  // By tile and channel, and by pair of channels: multiplications, and floats read or written.
  const between = side * TILE;
  const input = { products: 2 * side * patch, floats: 6 * patch + 3 * tile };
  const output = {
    products: side * between + side * tile,
    floats: 2 * patch + 2 * between + 3 * tile,
  };
  const filter = { products: filterSide * (side * filterSide + patch), floats: 3 * patch };
  const count = (what: "products" | "floats") =>
    tiles * (input[what] * inChannels + output[what] * outChannels) +
    filter[what] * inChannels * outChannels;
  const products = patch * tiles * inChannels * outChannels + count("products");
  return 2 * products + OPERATIONS_PER_BYTE * 4 * count("floats") < WORTHWHILE * 2 * work;
}

/**
 * Convolves with stride 1.
 *
 * @param x float32 `[n, h, w, in]`.
 * @param filter float32 `[k, k, in, out]`, k a {@linkcode FilterSide}.
 * @returns float32 `[n, h + top + bottom - k + 1, w + left + right - k + 1, out]`.
 */
export function winogradConv2d(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  padding: WinogradPadding,
): tf.Tensor4D {
  return tf.tidy(() => {
    const { top, bottom, left, right } = padding;
    const [images, height, width] = x.shape;
    const [filterSide, , inChannels, outChannels] = filter.shape;
    const margin = filterSide - 1;
    const patch = patchSide(filterSide) ** 2;
    const axis = AXIS[filterSide as FilterSide];
    const outHeight = height + top + bottom - margin;
    const outWidth = width + left + right - margin;
    const [rows, columns] = [outHeight, outWidth].map((side) => Math.ceil(side / TILE)) as [
      number,
      number,
    ];
    const padded = x.pad<tf.Tensor4D>([
      [0, 0],
      [top, rows * TILE + margin - height - top],
      [left, columns * TILE + margin - width - left],
      [0, 0],
    ]);
    const points = transform(axis.filter, filter)
      .reshape<tf.Tensor3D>([patch, inChannels, outChannels]);
    // Rows of pixels, of one image below those of another.
    const [, paddedHeight, paddedWidth] = padded.shape;
    const pixels = padded.reshape<tf.Tensor2D>([-1, inChannels]);
    const part = (images: Span, rows: Span) => {
      const first = images.start * paddedHeight + TILE * rows.start;
      const count = images.end - images.start;
      const rowCount = rows.end - rows.start;
      // Images that are taken together are taken whole.
      const size = (count - 1) * paddedHeight + TILE * rowCount + margin;
      return tf.tidy(() =>
        convolveTiles(pixels.slice(first * paddedWidth, size * paddedWidth), points, axis, {
          images: count,
          rows: rowCount,
          columns,
          height: paddedHeight,
          width: paddedWidth,
          outHeight: Math.min(TILE * rows.end, outHeight) - TILE * rows.start,
          outWidth,
        })
      );
    };

    const parts = patch * images * rows * columns * Math.max(inChannels, outChannels) /
      LARGEST;
    const groups = spans(images, Math.ceil(parts));
    const bands = spans(rows, Math.ceil(parts / images));
    return concat(groups.map((group) => concat(bands.map((band) => part(group, band)), 1)), 0);
  });
}

/** Places from `start` to before `end`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Cuts `length` places into about `count` spans, of equal size but for the last. */
function spans(length: number, count: number): Span[] {
  const size = Math.ceil(length / count);
  return Array.from({ length: Math.ceil(length / size) }, (_, index) => ({
    start: index * size,
    end: Math.min((index + 1) * size, length),
  }));
}

function concat(parts: tf.Tensor4D[], axis: number): tf.Tensor4D {
  return parts.length === 1 ? parts[0]! : tf.concat(parts, axis) as tf.Tensor4D;
}

/** Which tiles to convolve: of whole images, or rows of one. */
interface Tiles {
  images: number;
  /** Rows of tiles of each image. */
  rows: number;
  /** Tiles in a row. */
  columns: number;
  /** Rows of pixels from an image to the next. */
  height: number;
  /** Pixels in a row. */
  width: number;
  /** Of the output, beyond which the last tiles may reach. */
  outHeight: number;
  outWidth: number;
}

/**
 * Convolves some tiles.
 *
 * @param pixels float32 `[m, in]`, padded.
 * @param filter float32 `[points, in, out]`, transformed.
 * @returns float32 `[images, outHeight, outWidth, out]`.
 */
function convolveTiles(
  pixels: tf.Tensor2D,
  filter: tf.Tensor3D,
  axis: AxisTransforms,
  { images, rows, columns, height, width, outHeight, outWidth }: Tiles,
): tf.Tensor4D {
  const [patch, inChannels, outChannels] = filter.shape;
  const side = axis.input.length;
  const tiles = images * rows * columns;

  // By place in a patch and by tile the pixel that is there: [patch, tiles].
  const patches = tf.add(
    int32([patch, 1], (place) => Math.floor(place / side) * width + place % side),
    int32([1, tiles], (tile) => {
      const row = Math.floor(tile / columns);
      const y = Math.floor(row / rows) * height + TILE * (row % rows);
      return y * width + TILE * (tile % columns);
    }),
  );
  const values = transform(axis.input, gatherRows(pixels, patches))
    .reshape<tf.Tensor3D>([patch, tiles, inChannels]);
  const made = transform(axis.output, tf.matMul(values, filter))
    .reshape<tf.Tensor2D>([-1, outChannels]);

  // By image, row and column where its pixel is among places in a tile and tiles.
  const place = (y: number, tile: number) => (y % TILE) * tiles + tile;
  const places = tf.add(
    int32([images, 1, 1], (image) => image * rows * columns),
    tf.add(
      int32([1, outHeight, 1], (y) => TILE * place(y, 0) + Math.floor(y / TILE) * columns),
      int32([1, 1, outWidth], (x) => place(x, Math.floor(x / TILE))),
    ),
  );
  return gatherRows(made, places) as tf.Tensor4D;
}

/** float32 `[rows, c]` and int32 indices of any rank: float32 `[...indices, c]`. */
function gatherRows(rows: tf.Tensor2D, indices: tf.Tensor): tf.Tensor {
  return tf.gather(rows, indices as tf.Tensor1D);
}

function int32(shape: number[], value: (index: number) => number): tf.Tensor {
  const length = tf.util.sizeFromShape(shape);
  return tf.tensor(Int32Array.from({ length }, (_, index) => value(index)), shape, "int32");
}

/**
 * Multiplies rows, then columns, by a matrix `[to, from]`.
 *
 * @param x float32, its first sizes make `from * from` together.
 * @returns float32 `[to, to, n]`.
 */
function transform(matrix: readonly number[][], x: tf.Tensor): tf.Tensor3D {
  const [to, from] = [matrix.length, matrix[0]!.length];
  const factor = tf.tensor3d(matrix.flat(), [1, to, from]);
  const rows = tf.matMul(factor, x.reshape<tf.Tensor3D>([1, from, -1]));
  return tf.matMul(factor, rows.reshape<tf.Tensor3D>([to, from, -1]));
}

/** The transforms of one axis, rows by rows, in Lavin and Gray's letters G, Bᵀ and Aᵀ. */
type AxisTransforms = Readonly<Record<"filter" | "input" | "output", number[][]>>;

const AXIS: Readonly<Record<FilterSide, AxisTransforms>> = {
  3: axisTransforms(3),
  5: axisTransforms(5),
};

function axisTransforms(filterSide: FilterSide): AxisTransforms {
  const points = POINTS[filterSide];
  const all = polynomial(points);
  const finite = points.map((point, index) => {
    // The polynomial that is 0 at all other points, and its value at this one.
    const others = polynomial(points.toSpliced(index, 1));
    const value = others.reduceRight((sum, coefficient) => sum * point + coefficient, 0);
    return {
      filter: Array.from({ length: filterSide }, (_, power) => point ** power / value),
      input: [...others, 0],
      output: Array.from({ length: TILE }, (_, power) => point ** power),
    };
  });
  const isLast = (length: number) => Array.from({ length }, (_, i) => (i === length - 1 ? 1 : 0));
  const infinite = { filter: isLast(filterSide), input: all, output: isLast(TILE) };
  const columns = [...finite, infinite];
  return {
    filter: columns.map(({ filter }) => filter),
    input: columns.map(({ input }) => input),
    output: Array.from({ length: TILE }, (_, row) => columns.map(({ output }) => output[row]!)),
  };
}

/** Coefficients of the polynomial with these roots, from the constant to the leading one, which is 1. */
function polynomial(roots: readonly number[]): number[] {
  return roots.reduce(
    (coefficients, root) =>
      [...coefficients, 0].map((_, power) =>
        (coefficients[power - 1] ?? 0) - root * (coefficients[power] ?? 0)
      ),
    [1],
  );
}
