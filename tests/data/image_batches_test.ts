/** Part 1's transform against torch's (tests/reference/ops.py). */

import { assertEquals, assertThrows } from "@std/assert";
import type * as tf from "@tensorflow/tfjs";
import { mnist28, normalizeMnist } from "../../data/image_batches.ts";
import { testEngine } from "../engine/engine.ts";

const engine = await testEngine();

/** PyTorch's `(grey / 255 - 0.1307) / 0.3081` in float32 for grey values 0..255. */
const golden: number[] = JSON.parse(
  Deno.readTextFileSync(`${import.meta.dirname}/../fixtures/ops.json`),
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

Deno.test("normalizeMnist() is the same compiled, bit for bit", () => {
  const compiled = engine.compile((pixels: tf.Tensor) => normalizeMnist(pixels));
  const pixels = engine.tf.tensor2d(Float32Array.from(IMAGES), [2, 784]);
  const images = compiled(pixels);
  assertEquals(images.dataSync<"float32">(), Float32Array.from(IMAGES, (grey) => golden[grey]!));
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
