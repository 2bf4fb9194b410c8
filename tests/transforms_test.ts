/** Part 1's transform against torch's (tests/reference/ops.py). */

import { assert, assertEquals, assertThrows } from "@std/assert";
import type * as tf from "@tensorflow/tfjs";
import { mnist28, normalizeMnist } from "../data/transforms.ts";
import { testEngine } from "./engine.ts";

const engine = await testEngine();

/** PyTorch's `(grey / 255 - 0.1307) / 0.3081` in float32 for grey values 0..255. */
const golden: number[] = JSON.parse(
  Deno.readTextFileSync(`${import.meta.dirname}/fixtures/ops.json`),
).mnist28;

/** Two images in which every grey value occurs. */
const IMAGES = Uint8Array.from({ length: 2 * 784 }, (_, index) => index % 256);

Deno.test("mnist28() equals torch's ToTensor and Normalize bit for bit", () => {
  const images = mnist28(IMAGES);
  assertEquals(images.shape, [2, 28, 28, 1]);
  assertEquals(images.dtype, "float32");
  assertEquals(images.dataSync<"float32">(), Float32Array.from(IMAGES, (grey) => golden[grey]!));
  images.dispose();
});

Deno.test("normalizeMnist() compiled is within an ulp of torch's", () => {
  const compiled = engine.compile((pixels: tf.Tensor) => normalizeMnist(pixels));
  const pixels = engine.tf.range(0, 784).mod(256).expandDims(0);
  const images = compiled(pixels);
  const values = images.dataSync();
  for (const [grey, expected] of golden.entries()) {
    // TensorFlow turns division by a constant into multiplication, which rounds differently.
    const ulp = 2 ** (Math.floor(Math.log2(Math.abs(expected))) - 23);
    assert(Math.abs(values[grey]! - expected) <= ulp, `${grey}: ${values[grey]}, not ${expected}`);
  }
  for (const owner of [compiled, pixels, images]) owner.dispose();
});

Deno.test("mnist28() keeps rows and columns in place", () => {
  const image = new Uint8Array(784);
  image[28 * 3 + 5] = 255; // row 3, column 5
  const images = mnist28(image);
  const values = images.arraySync();
  assertEquals(values[0]![3]![5]![0], golden[255]);
  assertEquals(values.flat(3).filter((value) => value === golden[0]).length, 783);
  images.dispose();
});

Deno.test("mnist28() refuses part of an image", () => {
  assertThrows(() => mnist28(new Uint8Array(785)), RangeError, "784");
});
