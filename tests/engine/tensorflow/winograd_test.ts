/** Winograd's convolution against sums in float64. */

import { assert, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import {
  isWinogradFaster,
  winogradConv2d,
  type WinogradPadding,
} from "../../../engine/tensorflow/winograd.ts";
import { testEngine } from "../engine.ts";

await testEngine();

type Shape = [number, number, number, number];

const SAME: WinogradPadding = { top: 1, bottom: 1, left: 1, right: 1 };

/** A value of the convolution, summed in float64. */
function exactValue(
  x: tf.TypedArray,
  filter: tf.TypedArray,
  { shape: [, height, width, channels], outChannels, padding: { top, left } }: {
    shape: Shape;
    outChannels: number;
    padding: WinogradPadding;
  },
  [image, row, column, out]: readonly [number, number, number, number],
): number {
  let sum = 0;
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      const [y, z] = [row + i - top, column + j - left];
      if (y < 0 || y >= height || z < 0 || z >= width) continue;
      for (let c = 0; c < channels; c++) {
        sum += x[((image * height + y) * width + z) * channels + c]! *
          filter[((3 * i + j) * channels + c) * outChannels + out]!;
      }
    }
  }
  return sum;
}

/** The largest difference from exact values, every `step`th of which is looked at, and the largest value. */
function errors(shape: Shape, outChannels: number, padding = SAME, step = 1) {
  return tf.tidy(() => {
    const x = tf.relu(tf.randomNormal<tf.Rank.R4>(shape, 0, 1, "float32", 1));
    const filterShape: Shape = [3, 3, shape[3], outChannels];
    const filter = tf.randomNormal<tf.Rank.R4>(filterShape, 0, 0.1, "float32", 2);
    const y = winogradConv2d(x, filter, padding);
    const { top, bottom, left, right } = padding;
    const [outHeight, outWidth] = [shape[1] + top + bottom - 2, shape[2] + left + right - 2];
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
      const exact = exactValue(xs, filters, { shape, outChannels, padding }, place);
      worst = Math.max(worst, Math.abs(ys[index]! - exact));
      largest = Math.max(largest, Math.abs(exact));
    }
    return worst / largest;
  });
}

Deno.test("winogradConv2d() is the convolution, whatever the sizes and the padding", () => {
  const cases: [shape: Shape, outChannels: number, padding?: WinogradPadding][] = [
    [[1, 8, 8, 5], 3],
    [[2, 7, 9, 4], 6],
    [[3, 1, 2, 3], 2],
    [[1, 6, 6, 4], 2, { top: 0, bottom: 0, left: 0, right: 0 }],
    [[2, 11, 6, 3], 5, { top: 0, bottom: 2, left: 1, right: 0 }],
    [[1, 5, 17, 2], 3, { top: 2, bottom: 2, left: 3, right: 2 }],
    [[1, 3, 3, 1], 1, { top: 0, bottom: 0, left: 0, right: 0 }],
  ];
  for (const [shape, outChannels, padding] of cases) {
    assertLess(errors(shape, outChannels, padding), 3e-6, `${shape} to ${outChannels}`);
  }
});

Deno.test("winogradConv2d() takes large images in bands and many images in groups", () => {
  // 36 values for each of 15 · 15 tiles and 2,100 channels are more than are taken together.
  assertLess(errors([1, 58, 60, 6], 2100, SAME, 97), 3e-6);
  assertLess(errors([3, 58, 60, 6], 2100, SAME, 313), 3e-6);
});

Deno.test("winogradConv2d() of many channels is off by at most 4e-6 of the largest value", () => {
  assertLess(errors([2, 12, 12, 512], 64, SAME, 7), 4e-6);
});

Deno.test("isWinogradFaster() goes by channels and pixels", () => {
  const sizes = (images: number, side: number, inChannels: number, outChannels = inChannels) => ({
    ...{ images, outHeight: side, outWidth: side, inChannels, outChannels },
  });
  assert(isWinogradFaster(sizes(16, 56, 256)));
  assert(isWinogradFaster(sizes(16, 112, 128)));
  assert(isWinogradFaster(sizes(1, 200, 256)));
  assert(isWinogradFaster(sizes(1, 25, 512)));
  // Transforms of few channels cost as much as they save, and so do those of a large filter.
  assert(!isWinogradFaster(sizes(16, 224, 64)));
  assert(!isWinogradFaster(sizes(1, 13, 512)));
  assert(!isWinogradFaster(sizes(64, 112, 3, 64)));
  // Too little work to be worth the ops.
  assert(!isWinogradFaster(sizes(1, 12, 128)));
});
