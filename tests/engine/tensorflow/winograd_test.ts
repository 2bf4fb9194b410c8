/** Winograd's convolution against sums in float64, and where the kernel takes it. */

import { assert, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import {
  type ConvolutionAttributes,
  convolveByWinograd,
  takesWinograd,
} from "../../../engine/tensorflow/conv2d_kernel.ts";
import {
  isWinogradFaster,
  winogradConv2d,
  type WinogradPadding,
} from "../../../engine/tensorflow/winograd.ts";
import { tensorflowBackend, testEngine } from "../engine.ts";

const engine = await testEngine();

type Shape = [number, number, number, number];

const SAME: WinogradPadding = { top: 1, bottom: 1, left: 1, right: 1 };

const gatherRows = (rows: tf.Tensor2D, indices: tf.Tensor) =>
  tf.gather(rows, indices as tf.Tensor1D);

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
    const y = winogradConv2d(x, filter, padding, gatherRows);
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

const BASE: ConvolutionAttributes = {
  strides: 1,
  pad: "same",
  dataFormat: "NHWC",
  dilations: 1,
};

Deno.test("convolveByWinograd() leaves alone other filters, strides, dilations and layouts", () => {
  using scope = tensors();
  const x = scope.add(tf.randomNormal<tf.Rank.R4>([4, 40, 40, 128], 0, 1, "float32", 1));
  const filter = (side: number, inChannels = 128) =>
    scope.add(tf.randomNormal<tf.Rank.R4>([side, side, inChannels, 128], 0, 0.1, "float32", 2));
  const taken = (side: number, attributes: Partial<ConvolutionAttributes>) =>
    tf.tidy(() => {
      const all = { ...BASE, ...attributes };
      return convolveByWinograd(x, filter(side), all, gatherRows) !== undefined;
    });
  assert(taken(3, {}));
  assert(taken(3, { pad: "valid" }));
  assert(taken(3, { pad: [[0, 0], [2, 0], [1, 3], [0, 0]] }));
  assert(!taken(5, {}));
  assert(!taken(1, {}));
  assert(!taken(3, { strides: 2 }));
  assert(!taken(3, { strides: [1, 2] }));
  assert(!taken(3, { dilations: 2 }));
  const turned = tf.tidy(() =>
    convolveByWinograd(
      x.transpose<tf.Tensor4D>([0, 3, 1, 2]),
      filter(3),
      { ...BASE, dataFormat: "NCHW" },
      gatherRows,
    )
  );
  assertEquals(turned, undefined);
});

type Convolve = (x: tf.Tensor4D, filter: tf.Tensor4D) => tf.Tensor;

/** A convolution, the sum of its squares, and the gradients of that. */
function withGradients(convolve: Convolve) {
  return (x: tf.Tensor4D, filter: tf.Tensor4D) => {
    const { value, grads } = tf.valueAndGrads((x, filter) =>
      convolve(x as tf.Tensor4D, filter as tf.Tensor4D).square().sum()
    )([x, filter]);
    return [convolve(x, filter), value, ...grads];
  };
}

Deno.test("a convolution and its gradients are the same where the kernel takes Winograd's", () => {
  using scope = tensors();
  const x = scope.add(tf.randomNormal<tf.Rank.R4>([2, 30, 26, 128], 0, 1, "float32", 3));
  const filter = scope.add(tf.randomNormal<tf.Rank.R4>([3, 3, 128, 128], 0, 0.05, "float32", 4));
  const whole = withGradients((x, filter) => tf.conv2d(x, filter, 1, "same"));
  // By 8 channels at a time it is not worth while.
  const inParts = withGradients((x, filter) =>
    tf.concat(
      tf.split(filter, 16, 3).map((part) => tf.conv2d(x, part as tf.Tensor4D, 1, "same")),
      3,
    )
  );
  using compiled = engine.compile(whole);
  const before = tf.memory().numTensors;
  for (const run of [whole, compiled]) {
    tf.tidy(() => {
      const expected = inParts(x, filter);
      for (const [index, actual] of run(x, filter).entries()) {
        const difference = actual.sub(expected[index]!).abs().max();
        const worst = difference.div(expected[index]!.abs().max()).dataSync()[0]!;
        assertEquals(actual.shape, expected[index]!.shape);
        assertLess(worst, 1e-5, `result ${index}`);
      }
    });
  }
  tf.conv2d(x, filter, 1, "same").dispose();
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("takesWinograd() on CPUs that it was measured on, in float32, which the engine says", () => {
  const isMeasured = Deno.build.arch === "x86_64";
  assertEquals(takesWinograd("CPU", "float32"), isMeasured);
  assert(!takesWinograd("CPU", "bfloat16"));
  assert(!takesWinograd("GPU", "float32"));
  const { type } = tensorflowBackend().tensorflow.device;
  assertEquals(engine.convolutions, isMeasured && type === "CPU" ? "winograd" : undefined);
});

Deno.test("what is recorded in bfloat16 is not transformed", () => {
  const backend = tensorflowBackend();
  const recording = (precision: "float32" | "bfloat16", own?: "float32") => {
    backend.precision = precision;
    try {
      let is: boolean | undefined;
      const spec = { shape: [1], dtype: "float32" } as const;
      const recorded = backend.record([spec], ([x]) => {
        is = backend.recordsBfloat16;
        return [x!.add(1)];
      }, own);
      recorded.dispose();
      return is;
    } finally {
      backend.precision = "float32";
    }
  };
  assertEquals(recording("bfloat16"), true);
  assertEquals(recording("bfloat16", "float32"), false);
  assertEquals(recording("float32"), false);
  assertEquals(backend.recordsBfloat16, false);
});

/** Frees the tensors added to it at its end. */
function tensors() {
  const all: tf.Tensor[] = [];
  return {
    add: <T extends tf.Tensor>(tensor: T): T => {
      all.push(tensor);
      return tensor;
    },
    [Symbol.dispose]: () => tf.dispose(all),
  };
}
