/** Moved digits against PyTorch's affine_grid and grid_sample (tests/reference/recipe.py). */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { augment, transforms } from "../../data/augmentation.ts";
import { warpImages } from "../../engine/ops.ts";
import { testEngine } from "../engine/engine.ts";
import { golden, largestDifference } from "../training/recipe_golden.ts";

const engine = await testEngine();

Deno.test("transforms() and warpImages() equal torch's affine_grid and grid_sample", () => {
  const { settings, draws, images, warped } = golden.affine;
  const run = (images: tf.Tensor4D, draws: tf.Tensor2D) =>
    warpImages(images, transforms(draws, settings));
  const compiled = engine.compile(run);
  for (const how of [run, compiled]) {
    tf.tidy(() => {
      const result = how(tf.tensor4d(images, [4, 28, 28, 1]), tf.tensor2d(draws));
      // The fixture has four digits.
      assert(largestDifference(result.dataSync(), warped) < 2e-4);
    });
  }
  compiled.dispose();
});

Deno.test("augment() is a function of its key, and does nothing without settings", () => {
  tf.tidy(() => {
    const pixels = tf.randomUniform([3, 784], 0, 255);
    const values = (key: [number, number], settings = golden.affine.settings) =>
      Array.from(augment(pixels, tf.tensor1d(key, "int32"), settings).dataSync());
    const once = values([1, 2]);
    assertEquals(values([1, 2]), once);
    assertNotEquals(values([1, 3]), once);
    assertNotEquals(values([2, 2]), once);
    const still = { shift: 0, rotation: 0, shear: 0, scale: 0 };
    assert(largestDifference(pixels.dataSync(), values([1, 2], still)) < 1e-2);
  });
});
