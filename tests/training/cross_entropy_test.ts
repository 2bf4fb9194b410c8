/** Label smoothing against torch.nn.functional.cross_entropy (tests/reference/recipe.py). */

import { assert, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { smoothedCrossEntropy } from "../../training/cross_entropy.ts";
import { testEngine } from "../engine/engine.ts";
import { golden, largestDifference } from "./recipe_golden.ts";

const engine = await testEngine();

for (const { smoothing, loss, gradient } of golden.labelSmoothing.cases) {
  Deno.test(`smoothedCrossEntropy(${smoothing}) equals torch's, and so does its gradient`, () => {
    const { logits, labels } = golden.labelSmoothing;
    const run = (logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor[] => {
      const { grad, value } = tf.valueAndGrad((x) =>
        smoothedCrossEntropy(smoothing)(x as tf.Tensor2D, labels).loss
      )(logits);
      return [value, grad];
    };
    const compiled = engine.compile(run);
    for (const how of [run, compiled]) {
      tf.tidy(() => {
        const [value, grad] = how(tf.tensor2d(logits, [6, 10]), tf.tensor1d(labels, "int32"));
        assert(largestDifference(value!.dataSync(), [loss]) < 2e-6);
        assert(largestDifference(grad!.dataSync(), gradient) < 1e-7);
      });
    }
    compiled.dispose();
  });
}

Deno.test("smoothedCrossEntropy() refuses a share that is none", () => {
  assertThrows(() => smoothedCrossEntropy(1.5), RangeError, "1.5");
});
