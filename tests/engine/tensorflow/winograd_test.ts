/** Winograd's convolution against sums in float64. */

import { assert, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import {
  type FilterSide,
  isWinogradFaster,
  winogradConv2d,
  type WinogradPadding,
} from "../../../engine/tensorflow/winograd.ts";
import { testEngine } from "../engine.ts";

await testEngine();

type Shape = [number, number, number, number];

/** The padding that keeps an image's size. */
function same(filterSide: FilterSide): WinogradPadding {
  const margin = (filterSide - 1) / 2;
  return { top: margin, bottom: margin, left: margin, right: margin };
}

/** A convolution to try. */
interface Case {
  filterSide: FilterSide;
  shape: Shape;
  outChannels: number;
  padding: WinogradPadding;
}

/** A value of the convolution, summed in float64. */
function exactValue(
  x: tf.TypedArray,
  filter: tf.TypedArray,
  { filterSide, shape: [, height, width, channels], outChannels, padding: { top, left } }: Case,
  [image, row, column, out]: readonly [number, number, number, number],
): number {
  let sum = 0;
  for (let i = 0; i < filterSide; i++) {
    for (let j = 0; j < filterSide; j++) {
      const [y, z] = [row + i - top, column + j - left];
      if (y < 0 || y >= height || z < 0 || z >= width) continue;
      for (let c = 0; c < channels; c++) {
        sum += x[((image * height + y) * width + z) * channels + c]! *
          filter[((filterSide * i + j) * channels + c) * outChannels + out]!;
      }
    }
  }
  return sum;
}

/** The largest difference from exact values, every `step`th of which is looked at, and the largest value. */
function errors(tried: Case, step = 1) {
  const { filterSide, shape, outChannels, padding: { top, bottom, left, right } } = tried;
  const margin = filterSide - 1;
  return tf.tidy(() => {
    const x = tf.relu(tf.randomNormal<tf.Rank.R4>(shape, 0, 1, "float32", 1));
    const filterShape: Shape = [filterSide, filterSide, shape[3], outChannels];
    const filter = tf.randomNormal<tf.Rank.R4>(filterShape, 0, 0.1, "float32", 2);
    const y = winogradConv2d(x, filter, tried.padding);
    const outHeight = shape[1] + top + bottom - margin;
    const outWidth = shape[2] + left + right - margin;
    assertEquals(y.shape, [shape[0], outHeight, outWidth, outChannels]);
    const [xs, filters, ys] = [x.dataSync(), filter.dataSync(), y.dataSync()];
    let [worst, largest] = [0, 0];
    for (let index = 0; index < ys.length; index += step) {
      const pixel = Math.floor(index / outChannels);
      const row = Math.floor(pixel / outWidth);
      const place = [
        Math.floor(row / outHeight),
        row % outHeight,
        pixel % outWidth,
        index % outChannels,
      ] as const;
      const exact = exactValue(xs, filters, tried, place);
      worst = Math.max(worst, Math.abs(ys[index]! - exact));
      largest = Math.max(largest, Math.abs(exact));
    }
    return worst / largest;
  });
}

Deno.test("winogradConv2d() is the convolution, whatever the sizes and the padding", () => {
  const none = { top: 0, bottom: 0, left: 0, right: 0 };
  const cases: [shape: Shape, outChannels: number, padding?: WinogradPadding][] = [
    [[1, 8, 8, 5], 3],
    [[2, 7, 9, 4], 6],
    [[3, 1, 2, 3], 2],
    [[1, 6, 6, 4], 2, none],
    [[2, 11, 6, 3], 5, { top: 0, bottom: 2, left: 1, right: 0 }],
    [[1, 5, 17, 2], 3, { top: 2, bottom: 2, left: 3, right: 2 }],
  ];
  for (const [filterSide, most] of [[3, 3e-6], [5, 1e-5]] as const) {
    const onePixel: typeof cases[number] = [[1, filterSide, filterSide, 1], 1, none];
    for (const [shape, outChannels, padding = same(filterSide)] of [...cases, onePixel]) {
      const message = `${filterSide}: ${shape} to ${outChannels}`;
      assertLess(errors({ filterSide, shape, outChannels, padding }), most, message);
    }
  }
});

Deno.test("winogradConv2d() takes large images in bands and many images in groups", () => {
  // 36 values for each of 15 · 15 tiles and 2,100 channels are more than are taken together.
  const large = { outChannels: 2100, padding: same(3) };
  assertLess(errors({ filterSide: 3, shape: [1, 58, 60, 6], ...large }, 97), 3e-6);
  assertLess(errors({ filterSide: 3, shape: [3, 58, 60, 6], ...large }, 313), 3e-6);
  // And 64 values for each of 11 · 11 tiles.
  const larger = { outChannels: 2200, padding: same(5) };
  assertLess(errors({ filterSide: 5, shape: [1, 43, 42, 3], ...larger }, 97), 1e-5);
  assertLess(errors({ filterSide: 5, shape: [2, 43, 42, 3], ...larger }, 313), 1e-5);
});

Deno.test("winogradConv2d() of many channels is off by little of the largest value", () => {
  const many: Pick<Case, "shape" | "outChannels"> = { shape: [2, 12, 12, 512], outChannels: 64 };
  assertLess(errors({ ...many, filterSide: 3, padding: same(3) }, 7), 4e-6);
  assertLess(errors({ ...many, filterSide: 5, padding: same(5) }, 7), 1.5e-5);
});

Deno.test("isWinogradFaster() goes by channels and pixels", () => {
  const sizes = (
    images: number,
    side: number,
    inChannels: number,
    outChannels = inChannels,
    filterSide: FilterSide = 3,
  ) => ({
    ...{ filterSide, images, outHeight: side, outWidth: side, inChannels, outChannels },
  });
  assert(isWinogradFaster(sizes(16, 56, 256)));
  assert(isWinogradFaster(sizes(16, 112, 128)));
  assert(isWinogradFaster(sizes(1, 200, 256)));
  assert(isWinogradFaster(sizes(1, 25, 512)));
  // Transforms of few channels cost as much as they save, and so do those of a large filter.
  assert(!isWinogradFaster(sizes(16, 224, 64)));
  assert(!isWinogradFaster(sizes(1, 13, 512)));
  assert(!isWinogradFaster(sizes(64, 112, 3, 64)));
  // AlexNet's second convolution, and SimpleCNN's.
  assert(isWinogradFaster(sizes(16, 27, 64, 192, 5)));
  assert(!isWinogradFaster(sizes(128, 14, 32, 64, 5)));
  // Too little work to be worth the ops.
  assert(!isWinogradFaster(sizes(1, 12, 128)));
});
