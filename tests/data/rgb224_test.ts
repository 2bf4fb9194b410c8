/** The transform of VGG16 and AlexNet against PIL's and torchvision's (tests/reference/rgb224.py). */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import {
  normalizeGrey224,
  normalizeRgb224,
  resize224,
  rgb224,
  toTensorRgb224,
} from "../../data/rgb224.ts";
import type { Precision } from "../../engine/backend.ts";
import { bfloat16Problem } from "../../engine/tensorflow/bfloat16_support.ts";
import { sha256Hex } from "../../io/sha256.ts";
import { tensorflowBackend, testEngine } from "../engine/engine.ts";
import { firstTestDigits } from "./mnist.ts";

const engine = await testEngine();
const withoutBfloat16 = bfloat16Problem(engine.device);
if (withoutBfloat16 !== undefined) console.log(`bfloat16 is not tested: ${withoutBfloat16}`);

interface Enlarged {
  sha256: string;
  row: number[];
}
const golden: { digits: Enlarged; noise: Enlarged; rgb: number[][]; grey: number[][] } = JSON.parse(
  Deno.readTextFileSync(`${import.meta.dirname}/../fixtures/rgb224.json`),
);

/** MNIST's first 100 test digits. */
const DIGITS = (await firstTestDigits(100)).images;
/** 20 images; the upper byte of a hash of the pixel's index. */
const NOISE = Uint8Array.from({ length: 20 * 784 }, (_, index) => {
  let hash = Math.imul(index, 0x9e3779b1);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x85ebca6b) >>> 24;
});

function pixelsOf(images: Uint8Array): tf.Tensor2D {
  return tf.tensor2d(Float32Array.from(images), [images.length / 784, 784]);
}

/** Runs a compiled function with the given precision. */
function compiled<T extends tf.Tensor>(
  fn: (pixels: tf.Tensor) => T[],
  pixels: tf.Tensor,
  precision: Precision,
): T[] {
  const backend = tensorflowBackend();
  const run = engine.compile(fn);
  backend.precision = precision;
  try {
    return run(pixels);
  } finally {
    backend.precision = "float32";
    run.dispose();
  }
}

function assertEnlarged(large: tf.Tensor, expected: Enlarged): void {
  const values = large.dataSync();
  const bytes = Uint8Array.from(values);
  // Whole numbers 0..255, that is: nothing was cut off.
  assertEquals(Float32Array.from(bytes), values);
  assertEquals(Array.from(bytes.subarray(100 * 224, 101 * 224)), expected.row);
  assertEquals(sha256Hex(bytes), expected.sha256);
}

/** Each value is what torchvision makes of the grey value there. */
function assertNormalized(images: tf.Tensor, greys: tf.Tensor, table: number[][]): void {
  const channels = table[0]!.length;
  assertEquals(images.shape, [greys.shape[0]!, 224, 224, channels]);
  assertEquals(images.dtype, "float32");
  const values = images.dataSync();
  const bytes = greys.dataSync();
  for (let at = 0; at < bytes.length; at++) {
    for (let channel = 0; channel < channels; channel++) {
      const expected = table[bytes[at]!]![channel]!;
      const actual = values[at * channels + channel]!;
      assert(actual === expected, `pixel ${at}, channel ${channel}: ${actual}, not ${expected}`);
    }
  }
}

for (const [name, images] of [["digits", DIGITS], ["noise", NOISE]] as const) {
  Deno.test(`resize224() equals PIL's bilinear Image.resize() on ${name}, bit for bit`, () => {
    const pixels = pixelsOf(images);
    const eager = resize224(pixels);
    assertEquals(eager.shape, [images.length / 784, 224, 224]);
    assertEnlarged(eager, golden[name]);
    for (const precision of ["float32", "bfloat16"] as const) {
      if (precision === "bfloat16" && withoutBfloat16 !== undefined) continue;
      // A convolution behind it, as models have, so that bfloat16 is at work.
      const filter = tf.variable(tf.ones([3, 3, 1, 8]) as tf.Tensor4D);
      const [large, convolved] = compiled(
        (pixels) => {
          const large = resize224(pixels);
          return [large, tf.conv2d(large.expandDims<tf.Tensor4D>(3), filter, 4, "same")];
        },
        pixels.slice([0, 0], [20, 784]),
        precision,
      );
      assertEquals(large!.dataSync(), eager.slice([0, 0, 0], [20, 224, 224]).dataSync());
      for (const tensor of [large!, convolved!, filter]) tensor.dispose();
    }
    for (const tensor of [pixels, eager]) tensor.dispose();
  });
}

Deno.test("rgb224() equals torchvision's ToTensor and Normalize, bit for bit", () => {
  const images = NOISE.subarray(0, 6 * 784);
  const pixels = pixelsOf(images);
  const greys = resize224(pixels);
  assert(new Set(greys.dataSync()).size > 250);
  const eager = rgb224(images);
  assertNormalized(eager, greys, golden.rgb);
  const one = normalizeGrey224(pixels);
  assertNormalized(one, greys, golden.grey);
  for (const tensor of [pixels, greys, eager, one]) tensor.dispose();
});

Deno.test("toTensorRgb224() equals torchvision's ToTensor alone: 255 becomes 1, in three channels", () => {
  const pixels = pixelsOf(NOISE.subarray(0, 6 * 784));
  const greys = resize224(pixels);
  const images = toTensorRgb224(pixels);
  const table = Array.from({ length: 256 }, (_, grey) => Array(3).fill(Math.fround(grey / 255)));
  assertNormalized(images, greys, table);
  for (const tensor of [pixels, greys, images]) tensor.dispose();
});

Deno.test("normalizeRgb224() is the same compiled, and for a convolution in bfloat16", () => {
  const pixels = pixelsOf(DIGITS.subarray(0, 8 * 784));
  const greys = resize224(pixels);
  const [compiledImages] = compiled((pixels) => [normalizeRgb224(pixels)], pixels, "float32");
  assertNormalized(compiledImages!, greys, golden.rgb);
  const filter = tf.variable(tf.randomNormal([3, 3, 3, 8], 0, 1, "float32", 1) as tf.Tensor4D);
  const convolve = (images: tf.Tensor) => [tf.conv2d(images as tf.Tensor4D, filter, 4, "same")];
  const images = normalizeRgb224(pixels);
  for (const precision of ["float32", "bfloat16"] as const) {
    if (precision === "bfloat16" && withoutBfloat16 !== undefined) continue;
    const [together] = compiled((x) => convolve(normalizeRgb224(x)), pixels, precision);
    const [apart] = compiled(convolve, images, precision);
    assertEquals(together!.dataSync(), apart!.dataSync());
    for (const tensor of [together!, apart!]) tensor.dispose();
  }
  for (const tensor of [pixels, greys, compiledImages!, images, filter]) tensor.dispose();
});

Deno.test("rgb224() refuses part of an image", () => {
  assertThrows(() => rgb224(new Uint8Array(785)), RangeError, "784");
});
