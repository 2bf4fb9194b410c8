/** Muon against torch.optim.Muon (tests/reference/recipe.py). */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { symmetricEigen } from "../../models/whitening.ts";
import { Muon, orthogonal } from "../../training/muon.ts";
import { testEngine } from "../engine/engine.ts";
import { golden, largestDifference } from "./recipe_golden.ts";

const engine = await testEngine();

/** From PyTorch's `[out, ...]` to ours, `[..., out]`, and back. */
function turned(values: readonly number[], shape: readonly number[]): tf.Tensor {
  const axes = [...shape.keys()];
  return tf.tensor([...values], [...shape]).transpose([...axes.slice(1), 0]);
}

function turnedBack(tensor: tf.Tensor): Float32Array {
  const axes = [...tensor.shape.keys()];
  return tf.tidy(() =>
    tensor.transpose([axes.at(-1)!, ...axes.slice(0, -1)]).dataSync<"float32">()
  );
}

for (const { shape, start, gradients, after, momentum } of golden.muon.cases) {
  for (const how of ["eager", "compiled"] as const) {
    Deno.test(`Muon ${how} equals torch.optim.Muon on [${shape}]`, () => {
      const { lr, weight_decay: weightDecay, momentum: decay } = golden.muon.options;
      const variable = tf.tidy(() => tf.variable(turned(start, shape)));
      const parameters = new Map([["weight", variable]]);
      const muon = new Muon(parameters, { learningRate: lr, weightDecay, momentum: decay });
      const update = (gradient: tf.Tensor, rate: tf.Scalar) =>
        muon.apply({ [variable.name]: gradient }, rate);
      const compiled = engine.compile(update);
      for (const [index, gradient] of gradients.entries()) {
        const rate = muon.learningRate(index + 1);
        tf.tidy(() =>
          (how === "compiled" ? compiled : update)(turned(gradient, shape), tf.scalar(rate))
        );
      }
      // Fifteen products, each with roundings of 6e-8.
      assert(largestDifference(turnedBack(variable), after) < 2e-5);
      assert(largestDifference(turnedBack(muon.momenta.get("weight")!), momentum) < 1e-6);
      for (const owner of [compiled, muon, variable]) owner.dispose();
    });
  }
}

Deno.test("orthogonal() brings singular values close to 1, wide or tall, however uneven", () => {
  tf.tidy(() => {
    for (const shape of [[6, 40], [40, 6]] as const) {
      const isWide = shape[0] < shape[1];
      for (const sizes of [[1, 1, 1, 1, 1, 1], [1, 2, 4, 8, 16, 100]]) {
        const scales = isWide ? tf.tensor2d(sizes, [6, 1]) : tf.tensor2d(sizes, [1, 6]);
        const x = orthogonal(tf.randomNormal([...shape], 0, 1, "float32", 3).mul(scales));
        const square = isWide ? x.matMul(x, false, true) : x.matMul(x, true);
        // The eigenvalues of a matrix' product with itself are the squares of its singular values.
        const { values } = symmetricEigen(Float64Array.from(square.dataSync()), 6);
        const singular = values.map(Math.sqrt);
        assert(singular.every((value) => value > 0.65 && value < 1.25), `${singular}`);
      }
    }
  });
});

Deno.test("Muon apply() names a parameter without a gradient, dispose() frees what it made", () => {
  const variable = tf.variable(tf.zeros([2, 2]));
  const before = tf.memory().numTensors;
  const muon = new Muon(new Map([["fc9.weight", variable]]), { learningRate: 0.1 });
  const rate = tf.scalar(0.1);
  assertThrows(() => muon.apply({}, rate), Error, "fc9.weight");
  rate.dispose();
  const kept = muon.momenta.get("fc9.weight")!.clone();
  for (let time = 0; time < 2; time++) muon.dispose();
  assertEquals(Array.from(kept.dataSync()), [0, 0, 0, 0]);
  kept.dispose();
  assertEquals(tf.memory().numTensors, before);
  variable.dispose();
});
