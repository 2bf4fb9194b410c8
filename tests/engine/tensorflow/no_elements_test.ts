/** Results without elements, which are shaped as PyTorch and tfjs' other backends shape them. */

import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { simpleCnn } from "../../../models/simple_cnn.ts";
import { testEngine } from "../engine.ts";

const engine = await testEngine();

const ones = (...shape: number[]) => tf.ones(shape) as tf.Tensor as tf.Tensor4D;

/** What is made of `x` of a shape, and the shape of the result. */
interface Case {
  name: string;
  shape: number[];
  make: (x: tf.Tensor4D) => tf.Tensor;
  expected: number[];
}

const CASES: Case[] = [
  {
    name: "conv2d of no images",
    shape: [0, 7, 8, 3],
    make: (x) => tf.conv2d(x, ones(3, 3, 3, 4), 1, "same"),
    expected: [0, 7, 8, 4],
  },
  {
    name: "conv2d of no images, with strides",
    shape: [0, 7, 8, 3],
    make: (x) => tf.conv2d(x, ones(3, 3, 3, 4), 2, "valid"),
    expected: [0, 3, 3, 4],
  },
  {
    name: "conv2d of no rows",
    shape: [2, 0, 8, 3],
    make: (x) => tf.conv2d(x, ones(3, 3, 3, 4), 1, "same"),
    expected: [2, 0, 8, 4],
  },
  {
    name: "conv2d of too few rows",
    shape: [1, 2, 8, 3],
    make: (x) => tf.conv2d(x, ones(3, 3, 3, 4), 1, "valid"),
    expected: [1, 0, 6, 4],
  },
  {
    name: "depthwiseConv2d of no images",
    shape: [0, 7, 8, 3],
    make: (x) => tf.depthwiseConv2d(x, ones(3, 3, 3, 2), 1, "same"),
    expected: [0, 7, 8, 6],
  },
  {
    name: "separableConv2d of no images",
    shape: [0, 7, 8, 3],
    make: (x) => tf.separableConv2d(x, ones(3, 3, 3, 2), ones(1, 1, 6, 5), 1, "same"),
    expected: [0, 7, 8, 5],
  },
  {
    name: "conv3d of no images",
    shape: [0, 4, 7, 8, 3],
    make: (x) => tf.conv3d(x as tf.Tensor as tf.Tensor5D, tf.ones([3, 3, 3, 3, 4]), 1, "same"),
    expected: [0, 4, 7, 8, 4],
  },
  {
    name: "maxPool of no images",
    shape: [0, 7, 8, 3],
    make: (x) => tf.maxPool(x, 2, 2, "valid"),
    expected: [0, 3, 4, 3],
  },
  {
    name: "maxPool3d of no images",
    shape: [0, 4, 7, 8, 3],
    make: (x) => tf.maxPool3d(x as tf.Tensor as tf.Tensor5D, 2, 2, "valid"),
    expected: [0, 2, 3, 4, 3],
  },
];

for (const { name, shape, make, expected } of CASES) {
  Deno.test(`${name} has its shape, and so has its gradient, compiled or not`, () => {
    const both = (x: tf.Tensor4D) => [make(x), tf.grad((x) => make(x as tf.Tensor4D).sum())(x)];
    using compiled = engine.compile(both);
    const before = tf.memory().numTensors;
    for (const run of [both, compiled]) {
      tf.tidy(() => {
        const results = run(tf.zeros(shape) as tf.Tensor as tf.Tensor4D);
        assertEquals(results.map((result) => result.shape), [expected, shape]);
        const sizes = [expected, shape].map(tf.util.sizeFromShape);
        assertEquals(results.map((result) => result.dataSync().length), sizes);
        for (const result of results) {
          assert(result.dataSync().every((value: number) => value === 0));
        }
      });
    }
    assertEquals(tf.memory().numTensors, before);
  });
}

Deno.test("dilated and fused convolutions of no images have their shapes", () => {
  tf.tidy(() => {
    const x = tf.zeros<tf.Rank.R4>([0, 7, 8, 3]);
    const dilated = tf.conv2d(x, ones(3, 3, 3, 4), 1, "valid", "NHWC", 2);
    assertEquals(dilated.shape, [0, 3, 4, 4]);
    const base = { x, strides: 1, pad: "same", activation: "relu" } as const;
    const whole = { ...base, filter: ones(3, 3, 3, 4), bias: tf.ones([4]) };
    const depthwise = { ...base, filter: ones(3, 3, 3, 2), bias: tf.ones([6]) };
    assertEquals(tf.fused.conv2d(whole).shape, [0, 7, 8, 4]);
    assertEquals(tf.fused.depthwiseConv2d(depthwise).shape, [0, 7, 8, 6]);
  });
});

Deno.test("simpleCnn() makes no logits of no images, and gradients that are 0, compiled or not", () => {
  using model = simpleCnn();
  const both = (x: tf.Tensor4D) => {
    const { grads } = tf.variableGrads(() => model.forward(x).sum());
    return [model.forward(x), ...Object.values(grads)];
  };
  using compiled = engine.compile(both);
  for (const run of [both, compiled]) {
    tf.tidy(() => {
      const [logits, ...gradients] = run(tf.zeros([0, 28, 28, 1]));
      assertEquals(logits!.shape, [0, 10]);
      const shapes = [...model.parameters.variables.values()].map(({ shape }) => shape);
      assertEquals(gradients.map(({ shape }) => shape), shapes);
      for (const gradient of gradients) {
        assert(gradient.dataSync().every((value: number) => value === 0));
      }
    });
  }
});
