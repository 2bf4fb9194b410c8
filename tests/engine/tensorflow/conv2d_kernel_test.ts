/** Convolutions of one image in two halves, against those of the whole. */

import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import {
  type ConvolutionAttributes,
  convolveInHalves,
  prefersTwoImages,
} from "../../../engine/tensorflow/conv2d_kernel.ts";
import { testEngine } from "../engine.ts";

await testEngine();

Deno.test("prefersTwoImages() goes by the processor's flags, and by whether oneDNN is in use", () => {
  const avx2 = "flags\t\t: fpu avx avx2 fma\n";
  assert(prefersTwoImages(avx2, "1"));
  assert(!prefersTwoImages(avx2, "0"));
  assert(!prefersTwoImages(avx2, ""));
  assert(!prefersTwoImages("flags\t\t: fpu avx avx2 avx512f\n", "1"));
  assert(!prefersTwoImages("flags\t\t: fpu avx\n", "1"));
  assert(!prefersTwoImages("", "1"));
});

const BASE: ConvolutionAttributes = {
  strides: 1,
  pad: "same",
  dataFormat: "NHWC",
  dilations: 1,
};

/** Convolves both ways; returns how many images at a time the convolution got, too. */
function bothWays(
  shape: [number, number, number, number],
  filterShape: [number, number, number, number],
  attributes: Partial<ConvolutionAttributes>,
) {
  return tf.tidy(() => {
    const x = tf.randomNormal<tf.Rank.R4>(shape, 0, 1, "float32", 1);
    const filter = tf.randomNormal<tf.Rank.R4>(filterShape, 0, 0.05, "float32", 2);
    const given: number[] = [];
    const convolve = (x: tf.Tensor4D, attributes: ConvolutionAttributes) => {
      given.push(x.shape[0]);
      const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributes;
      return tf.conv2d(x, filter, strides, pad, dataFormat, dilations, dimRoundingMode);
    };
    const all = { ...BASE, ...attributes };
    const whole = convolve(tf.concat([x, x], 0) as tf.Tensor4D, all).slice([0], [shape[0]]);
    given.length = 0;
    const halves = convolveInHalves(x, filter, all, convolve);
    assertEquals(halves.shape, whole.shape);
    return { given, worst: tf.max(tf.abs(tf.sub(whole, halves))).dataSync()[0]! };
  });
}

Deno.test("convolveInHalves() convolves a large image as two", () => {
  const cases: [
    image: [number, number],
    channels: [number, number],
    filter: [number, number],
    attributes: Partial<ConvolutionAttributes>,
  ][] = [
    [[40, 30], [128, 128], [3, 3], {}],
    [[42, 32], [128, 128], [3, 3], { pad: "valid" }],
    [[40, 31], [512, 256], [1, 1], {}],
    [[79, 60], [128, 128], [3, 3], { strides: 2, pad: [[0, 0], [1, 1], [1, 1], [0, 0]] }],
    [[80, 61], [512, 256], [1, 1], { strides: 2, pad: "valid" }],
    [[220, 200], [3, 64], [7, 7], { strides: 2, pad: [[0, 0], [3, 2], [3, 2], [0, 0]] }],
    [[100, 90], [16, 64], [5, 5], { strides: [1, 2], pad: [[0, 0], [2, 2], [2, 2], [0, 0]] }],
  ];
  for (const [[height, width], [channels, out], filter, attributes] of cases) {
    const shape = [1, height, width, channels] as [number, number, number, number];
    const { given, worst } = bothWays(shape, [...filter, channels, out], attributes);
    assertEquals(given, [2], JSON.stringify(attributes));
    assert(worst < 1e-4, `${worst} of ${JSON.stringify(attributes)}`);
  }
});

Deno.test("convolveInHalves() leaves alone what is small, several images, odd or dilated", () => {
  for (
    const [shape, filter, attributes] of [
      [[1, 8, 8, 64], [3, 3, 64, 64], {}],
      [[2, 80, 60, 64], [3, 3, 64, 64], {}],
      [[1, 81, 60, 64], [3, 3, 64, 64], {}],
      [[1, 80, 60, 64], [3, 3, 64, 64], { dilations: 2 }],
    ] as const
  ) {
    const { given, worst } = bothWays([...shape], [...filter], attributes);
    assertEquals(given, [shape[0]]);
    assert(worst < 1e-4);
  }
});
