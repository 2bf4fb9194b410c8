/** Filters that whiten: against numpy's eigh (tests/reference/recipe.py) and by what they do. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { mnist28 } from "../../data/image_batches.ts";
import { conv2dWeight, defaultInitializer } from "../../models/parameters.ts";
import { patchCovariance, symmetricEigen, whiteningInitializer } from "../../models/whitening.ts";
import { firstTestDigits } from "../data/mnist.ts";
import { testEngine } from "../engine/engine.ts";
import { golden, largestDifference } from "../training/recipe_golden.ts";

await testEngine();
const digits = await firstTestDigits(100);
const LAYOUT = conv2dWeight(1, 32, 5);

Deno.test("symmetricEigen() equals numpy's eigh", () => {
  const { matrix, values, vectors } = golden.eigen;
  const size = matrix.length;
  const found = symmetricEigen(Float64Array.from(matrix.flat()), size);
  assert(largestDifference(found.values, values) < 1e-9);
  assert(largestDifference(found.vectors, vectors.flat()) < 1e-9);
});

Deno.test("whiteningInitializer() makes patches uncorrelated, with filters of both signs", () => {
  using images = disposable(mnist28(digits.images));
  const base = defaultInitializer(1);
  const weight = whiteningInitializer(base, images.tensor, 1e-6)(LAYOUT, 0);
  assertEquals(weight.shape, [32, 1, 5, 5]);
  const filters = Float64Array.from(weight.dataSync());
  const covariance = patchCovariance(images.tensor, 5);
  const product = (i: number, j: number) => {
    let sum = 0;
    for (let a = 0; a < 25; a++) {
      for (let b = 0; b < 25; b++) {
        sum += filters[25 * i + a]! * covariance[25 * a + b]! * filters[25 * j + b]!;
      }
    }
    return sum;
  };
  for (const i of [0, 1, 5, 24]) {
    for (const j of [0, 1, 5, 24]) {
      // The smallest variances are a few thousandths of the largest, and float32.
      assertAlmostEquals(product(i, j), i === j ? 1 : 0, 5e-3, `${i}, ${j}`);
    }
  }
  for (let i = 0; i < 7 * 25; i++) assertEquals(filters[25 * 25 + i], -filters[i]!);
  weight.dispose();
});

Deno.test("whiteningInitializer() leaves other parameters, and blank images, to its base", () => {
  const base = defaultInitializer(1);
  const blank = tf.zeros<tf.Rank.R4>([3, 28, 28, 1]);
  const initializer = whiteningInitializer(base, blank, 0.01);
  for (const index of [0, 1]) {
    const [ours, theirs] = [initializer(LAYOUT, index), base(LAYOUT, index)];
    assertEquals(ours.dataSync(), theirs.dataSync());
    tf.dispose([ours, theirs]);
  }
  blank.dispose();
});

Deno.test("whiteningInitializer() takes normalised images of one grey for blank, black and white for none", () => {
  const base = defaultInitializer(1);
  const black = new Uint8Array(2 * 784);
  const white = new Uint8Array(2 * 784).fill(255);
  const filtersFor = (pixels: Uint8Array) => {
    using images = disposable(mnist28(pixels));
    const weight = whiteningInitializer(base, images.tensor, 0.01)(LAYOUT, 0);
    const values = weight.dataSync<"float32">();
    weight.dispose();
    return values;
  };
  const usual = base(LAYOUT, 0);
  for (const pixels of [black, white, white.map(() => 1)]) {
    assertEquals(filtersFor(pixels), usual.dataSync<"float32">());
  }
  usual.dispose();
  const both = Uint8Array.of(...black, ...white);
  for (const one of filtersFor(both)) assert(Math.abs(one) < 10, `${one}`);
});

function disposable(tensor: tf.Tensor4D): Disposable & { tensor: tf.Tensor4D } {
  return { tensor, [Symbol.dispose]: () => tensor.dispose() };
}
