/** Our operations, eager and compiled, against PyTorch (tests/reference/ops.py) and by hand. */

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import {
  assignSlice,
  biasAdd,
  bytesTensor,
  dropout,
  gatherBytes,
  randomNormal,
  randomUniform,
  relu,
  sparseSoftmaxCrossEntropy,
} from "../../engine/ops.ts";
import { conv2dReluMaxPool } from "../../models/layers.ts";
import { bias, conv2dWeight, Parameters } from "../../models/parameters.ts";
import { testEngine } from "./engine.ts";

const engine = await testEngine();

interface Golden {
  crossEntropy: {
    logits: number[][];
    labels: number[];
    losses: number[];
    weights: number[];
    gradient: number[][];
  };
  maxPool: { images: number[]; pooled: number[]; above: number[]; gradient: number[] };
  relu: { x: number[]; y: number[]; gradient: number[] };
}

const golden: Golden = JSON.parse(
  Deno.readTextFileSync(`${import.meta.dirname}/../fixtures/ops.json`),
);

/** Results of `fn` run eagerly and compiled, each as a plain array. Frees `args`. */
function bothWays<A extends tf.Tensor[]>(
  fn: (...args: A) => tf.Tensor[],
  ...args: A
): number[][][] {
  const compiled = engine.compile(fn);
  const both = [fn, compiled].map((run) =>
    tf.tidy(() => ({ arrays: run(...args).map((tensor) => Array.from(tensor.dataSync())) })).arrays
  );
  compiled.dispose();
  tf.dispose(args);
  return both;
}

/** `tolerance` is relative, or absolute below 1. */
function assertNear(actual: number[], expected: number[], tolerance: number): void {
  assertEquals(actual.length, expected.length);
  for (const [index, value] of expected.entries()) {
    const difference = Math.abs(actual[index]! - value);
    assert(
      difference <= tolerance * Math.max(1, Math.abs(value)),
      `[${index}] is ${actual[index]}, not ${value}`,
    );
  }
}

Deno.test("sparseSoftmaxCrossEntropy() equals torch's cross_entropy, and so does its gradient", () => {
  const { logits, labels, losses, weights, gradient } = golden.crossEntropy;
  const run = (x: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) => {
    const loss = (x: tf.Tensor) =>
      sparseSoftmaxCrossEntropy(x as tf.Tensor2D, labels as tf.Tensor1D);
    return [loss(x), tf.grad((x) => loss(x).mul(weights).sum())(x)];
  };
  for (
    const results of bothWays(
      run,
      tf.tensor2d(logits),
      tf.tensor1d(labels, "int32"),
      tf.tensor1d(weights),
    )
  ) {
    // A few roundings of 6e-8, in exp and log.
    assertNear(results[0]!, losses, 3e-7);
    assertNear(results[1]!, gradient.flat(), 3e-7);
  }
});

Deno.test("biasAdd() adds along the last axis and sums gradients over the others", () => {
  const run = (x: tf.Tensor, bias: tf.Tensor1D, above: tf.Tensor) => [
    biasAdd(x, bias),
    ...tf.grads((x, bias) => biasAdd(x, bias as tf.Tensor1D).mul(above).sum())([x, bias]),
  ];
  for (
    const results of bothWays(
      run,
      tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2]),
      tf.tensor1d([10, 20]),
      tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2]),
    )
  ) {
    assertEquals(results[0], [11, 22, 13, 24, 15, 26, 17, 28]);
    assertEquals(results[1], [1, 2, 3, 4, 5, 6, 7, 8]);
    assertEquals(results[2], [1 + 3 + 5 + 7, 2 + 4 + 6 + 8]);
  }
});

Deno.test("relu() equals torch's, with gradient 0 at 0", () => {
  const { x, y, gradient } = golden.relu;
  const run = (x: tf.Tensor, above: tf.Tensor) => [
    relu(x),
    tf.grad((x) => relu(x).mul(above).sum())(x),
  ];
  for (const results of bothWays(run, tf.tensor1d(x), tf.tensor1d([1, 2, 3, 4, 5]))) {
    // + 0, as torch keeps the sign of -0.
    assertEquals(results[0]!.map((value) => value + 0), y.map((value) => value + 0));
    assertEquals(results[1], gradient);
  }
});

/** What a layer and a loss are made of. */
interface Operations {
  biasAdd(x: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D;
  relu(x: tf.Tensor2D): tf.Tensor2D;
  crossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor;
}

const OURS: Operations = { biasAdd, relu, crossEntropy: sparseSoftmaxCrossEntropy };

const TFJS_OWN: Operations = {
  biasAdd: (x, bias) => tf.add(x, bias),
  relu: (x) => tf.relu(x),
  crossEntropy(logits, labels) {
    // Neither tf.logSoftmax() nor tf.exp() has a gradient's gradient.
    const powers = tf.cosh(logits).add(tf.sinh(logits));
    return powers.sum(1).log().sub(logits.mul(tf.oneHot(labels, logits.shape[1])).sum(1));
  },
};

Deno.test("gradients of our operations' gradients equal those of tfjs' own", () => {
  /** The sum of the squares of a loss' gradients, and its gradients. */
  const penalised = ({ biasAdd, relu, crossEntropy }: Operations) => (...args: tf.Tensor[]) => {
    const loss = (...[x, weight, bias, last]: tf.Tensor[]) => {
      const hidden = relu(biasAdd(tf.matMul(x!, weight!) as tf.Tensor2D, bias as tf.Tensor1D));
      const logits = tf.matMul(hidden, last!) as tf.Tensor2D;
      const losses = crossEntropy(logits, tf.tensor1d([2, 0, 1, 1, 2], "int32"));
      return losses.mul(tf.tensor1d([1, 2, 3, 4, 5])).sum();
    };
    const penalty = (...args: tf.Tensor[]) =>
      tf.addN(tf.grads(loss)(args).map((gradient) => gradient.square().sum()));
    return [penalty(...args), ...tf.grads(penalty)(args)];
  };
  const args = () =>
    [[5, 4], [4, 6], [6], [6, 3]].map((shape, seed) =>
      tf.randomNormal(shape, 0, 0.7, "float32", seed + 1)
    );
  const [expected] = bothWays(penalised(TFJS_OWN), ...args());
  for (const results of bothWays(penalised(OURS), ...args())) {
    for (const [index, values] of results.entries()) {
      assert(values.some((value) => Math.abs(value) > 0.1), `${index} is next to nothing`);
      assertNear(values, expected![index]!, 2e-5);
    }
  }
});

Deno.test("tf.maxPool() equals torch's, and a tie's gradient goes to the first, as there", () => {
  const { images, pooled, above, gradient } = golden.maxPool;
  const run = (x: tf.Tensor, above: tf.Tensor) => [
    tf.maxPool(x as tf.Tensor4D, 2, 2, "valid"),
    tf.grad((x) => tf.maxPool(x as tf.Tensor4D, 2, 2, "valid").mul(above).sum())(x),
  ];
  for (
    const results of bothWays(run, tf.tensor(images, [1, 5, 5, 1]), tf.tensor(above, [1, 2, 2, 1]))
  ) {
    assertEquals(results[0], pooled);
    assertEquals(results[1], gradient);
  }
});

Deno.test("gatherBytes() takes rows of 8-bit data, up to 255", () => {
  const run = (bytes: tf.Tensor) => {
    const indices = tf.tensor1d([2, 0, 2], "int32");
    return [gatherBytes(bytes, indices), gatherBytes(bytes, indices, "int32")];
  };
  for (
    const results of bothWays(run, bytesTensor(Uint8Array.of(0, 1, 127, 128, 254, 255), [3, 2]))
  ) {
    assertEquals(results, Array(2).fill([254, 255, 0, 1, 254, 255]));
  }
});

const COUNT = 100_000;

/** Dropout of ones with a key. */
function dropped(rate: number, key: [number, number]): Float32Array {
  return tf.tidy(() =>
    dropout(tf.ones([COUNT]), rate, tf.tensor1d(key, "int32")).dataSync<"float32">()
  );
}

Deno.test("dropout() zeroes a share of rate and scales the rest by 1 / (1 - rate)", () => {
  for (const rate of [0.5, 0.25]) {
    const values = dropped(rate, [1, 1]);
    const scaled = Math.fround(1 / (1 - rate));
    assert(values.every((value) => value === 0 || value === scaled));
    const share = values.filter((value) => value === 0).length / COUNT;
    // Five standard deviations of a binomial share.
    assert(Math.abs(share - rate) <= 5 * Math.sqrt(rate * (1 - rate) / COUNT), `${share}`);
  }
});

Deno.test("dropout() is a pure function of its key", () => {
  const values = dropped(0.5, [7, 3]);
  assertEquals(dropped(0.5, [7, 3]), values);
  for (const key of [[7, 4], [8, 3], [3, 7]] as [number, number][]) {
    const other = dropped(0.5, key);
    const same = other.filter((value, index) => value === values[index]).length / COUNT;
    // Masks of different keys are independent: half of the elements agree, within five deviations.
    assert(Math.abs(same - 0.5) <= 5 * Math.sqrt(0.25 / COUNT), `key ${key}: ${same}`);
  }
});

Deno.test("dropout() gives the same compiled as eagerly, and passes gradients where it passes x", () => {
  const run = (x: tf.Tensor, key: tf.Tensor) => {
    const drop = (x: tf.Tensor) => dropout(x, 0.5, key as tf.Tensor1D);
    return [drop(x), tf.grad((x) => drop(x).sum())(x)];
  };
  const [eager, compiled] = bothWays(run, tf.range(1, 1001), tf.tensor1d([7, 3], "int32"));
  assertEquals(compiled, eager);
  const [values, gradient] = eager!;
  assertEquals(values, gradient!.map((scale, index) => scale * (index + 1)));
});

Deno.test("dropout() leaves x alone at rate 0 and refuses rates outside [0, 1)", () => {
  const x = tf.tensor1d([1, 2]);
  const key = tf.tensor1d([1, 1], "int32");
  assert(dropout(x, 0, key) === x);
  for (const rate of [1, -0.1, NaN]) assertThrows(() => dropout(x, rate, key), RangeError, "rate");
  tf.dispose([x, key]);
});

Deno.test("randomUniform() lies in [0, 1), evenly, and follows its key", () => {
  const draw = (key: [number, number]) =>
    tf.tidy(() => randomUniform([COUNT], tf.tensor1d(key, "int32")).dataSync<"float32">());
  const values = draw([1, -1]);
  assert(values.every((value) => value >= 0 && value < 1));
  const tenths = new Array<number>(10).fill(0);
  for (const value of values) tenths[Math.floor(value * 10)]!++;
  // Five standard deviations of each tenth's count.
  for (const n of tenths) assert(Math.abs(n - COUNT / 10) <= 5 * Math.sqrt(COUNT * 0.09), `${n}`);
  assertEquals(draw([1, -1]), values);
  assertNotEquals(draw([1, -2]), values);
});

Deno.test("randomNormal() has mean 0 and deviation 1, and follows its key", () => {
  const draw = (seed: number) =>
    tf.tidy(() => randomNormal([100_000], tf.tensor1d([seed, -1], "int32")));
  const [first, same, other] = [draw(1), draw(1), draw(2)];
  const { mean, variance } = tf.moments(first);
  // Five standard errors each.
  assert(Math.abs(mean.dataSync()[0]!) < 0.016);
  assert(Math.abs(variance.dataSync()[0]! - 1) < 0.023);
  assertEquals(first.dataSync(), same.dataSync());
  assertNotEquals(first.dataSync(), other.dataSync());
  for (const tensor of [first, same, other, mean, variance]) tensor.dispose();
});

Deno.test("assignSlice() changes only its part of a variable, and no copy made before", () => {
  const variable = tf.variable(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]));
  const before = variable.clone();
  const value = tf.tensor2d([20, 30, 50, 60], [2, 2]);
  assignSlice(variable, value, 1);
  assertEquals(Array.from(variable.dataSync()), [1, 20, 30, 4, 50, 60]);
  assignSlice(variable, value.mul(0).slice([0, 0], [2, 1]), 0);
  assertEquals(Array.from(variable.dataSync()), [0, 20, 30, 0, 50, 60]);
  assertEquals(Array.from(before.dataSync()), [1, 2, 3, 4, 5, 6]);
  for (const tensor of [variable, before, value]) tensor.dispose();
});

Deno.test("conv2dReluMaxPool() equals convolution, bias, ReLU and pooling in that order", () => {
  const layouts = new Map([["conv.weight", conv2dWeight(3, 8, 5)], ["conv.bias", bias(8, 75)]]);
  const parameters = new Parameters(
    layouts,
    ({ torchShape }, index) => tf.randomNormal([...torchShape], 0, 0.3, "float32", index + 1),
  );
  const x = tf.randomNormal<tf.Rank.R4>([4, 9, 8, 3], 0, 1, "float32", 7);
  const variables = [...parameters.variables.values()];
  const [weight, offset] = variables as unknown as [tf.Tensor4D, tf.Tensor1D];
  const upstream = tf.randomNormal([4, 4, 4, 8], 0, 1, "float32", 8);
  const inOrder = () =>
    tf.maxPool(tf.relu(tf.conv2d(x, weight, 1, "same").add(offset)), 2, 2, "valid") as tf.Tensor4D;
  const gradients = (layer: () => tf.Tensor) => {
    const { grads } = tf.variableGrads(() => layer().mul(upstream).sum() as tf.Scalar, variables);
    return variables.map(({ name }) => grads[name]!.dataSync());
  };
  const ours = () => conv2dReluMaxPool(x, parameters, "conv");
  assertEquals(ours().dataSync(), inOrder().dataSync());

  const wide = x.tile<tf.Tensor4D>([1, 2, 2, 1]);
  const strided = relu(tf.conv2d(wide, weight, 2, [[0, 0], [1, 1], [0, 0], [0, 0]]).add(offset));
  assertEquals(
    conv2dReluMaxPool(wide, parameters, "conv", {
      stride: 2,
      padding: [1, 0],
      pool: { size: 3, stride: 1 },
    }).arraySync(),
    tf.maxPool(strided as tf.Tensor4D, 3, 1, "valid").arraySync(),
  );

  const expected = gradients(inOrder);
  for (const [index, gradient] of gradients(ours).entries()) {
    const difference = gradient.map((value, i) => Math.abs(value - expected[index]![i]!));
    assert(Math.max(...difference) < 1e-4, `gradient ${index}: ${Math.max(...difference)}`);
  }
  parameters.dispose();
});
