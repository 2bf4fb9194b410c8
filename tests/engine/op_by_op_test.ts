/** Compiled functions, operations and a model on a backend that cannot record. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { runBackend, runningBackend, stopBackend } from "../../engine/backend.ts";
import { compile } from "../../engine/compile.ts";
import {
  applyAdam,
  assignSlice,
  bytesTensor,
  gatherBytes,
  sparseSoftmaxCrossEntropy,
} from "../../engine/ops.ts";
import { simpleCnn } from "../../models/simple_cnn.ts";
import { composedBackend } from "./composed_backend.ts";
import { testEngine } from "./engine.ts";

/** Two images of noise, and their classes. */
const IMAGES = Uint8Array.from({ length: 2 * 784 }, (_, i) => i * 7919 % 251);
const LABELS = Uint8Array.of(3, 8);

/** Loss of a step of Adam on the second image, and the last layer's weights after it. */
function trainingStep(
  model: ReturnType<typeof simpleCnn>,
): { loss: number; weights: Float32Array } {
  const variables = [...model.parameters.variables.values()];
  const zeros = (variable: tf.Variable) => tf.variable(tf.zerosLike(variable), false);
  const states = variables.map((parameter) => ({
    parameter,
    m: zeros(parameter),
    v: zeros(parameter),
  }));
  using step = compile((images: tf.Tensor, labels: tf.Tensor, indices: tf.Tensor) => {
    const pixels = gatherBytes(images, indices as tf.Tensor1D).div(255);
    const inputs = pixels.reshape<tf.Tensor4D>([1, 28, 28, 1]);
    const targets = gatherBytes(labels, indices as tf.Tensor1D, "int32") as tf.Tensor1D;
    const { value, grads } = tf.variableGrads(
      () => sparseSoftmaxCrossEntropy(model.forward(inputs), targets).mean() as tf.Scalar,
      variables,
    );
    const [stepSize, epsilon, beta1, beta2] = [0.01, 1e-8, 0.9, 0.999].map((n) => tf.scalar(n));
    for (const state of states) {
      const scalars = {
        stepSize: stepSize!,
        epsilon: epsilon!,
        beta1: beta1!,
        beta2: beta2!,
      };
      applyAdam(state, grads[state.parameter.name]!, scalars);
    }
    return value as tf.Tensor;
  });
  const loss = tf.tidy(() => {
    const indices = tf.tensor1d([1], "int32");
    return step(bytesTensor(IMAGES, [2, 784]), bytesTensor(LABELS, [2]), indices).dataSync()[0]!;
  });
  for (const { m, v } of states) tf.dispose([m, v]);
  return { loss, weights: model.parameters.get("fc2.weight").dataSync<"float32">().slice() };
}

// The same step by TensorFlow first, from the same weights.
const engine = await testEngine();
const model = simpleCnn({ seed: 5 });
const weights = model.stateDict();
const expected = trainingStep(model);
model.dispose();
engine.dispose();
const backend = composedBackend();
await runBackend(backend);

Deno.test("a model trains on a backend of tfjs' own kernels as on TensorFlow", () => {
  assertEquals(runningBackend(), backend);
  using model = simpleCnn();
  model.loadStateDict(weights);
  const { loss, weights: after } = trainingStep(model);
  assert(Math.abs(loss - expected.loss) < 1e-5, `${loss}, ${expected.loss}`);
  // A step moves each weight by 0.01 or less; Adam divides by gradients that may be tiny.
  const differences = after.map((value, i) => Math.abs(value - expected.weights[i]!));
  assert(Math.max(...differences) < 1e-4, `${Math.max(...differences)}`);
});

Deno.test("compile() without a recorder runs the body at every call, in a tidy", () => {
  let runs = 0;
  const double = compile((x: tf.Tensor) => {
    runs++;
    return [x.mul(2), x.square().sum()];
  });
  const x = tf.tensor1d([1, 2]);
  const before = tf.memory().numTensors;
  for (const _ of [1, 2]) {
    const results = double(x);
    assertEquals(results.map((tensor) => [...tensor.dataSync()]), [[2, 4], [5]]);
    tf.dispose(results);
  }
  assertEquals([runs, double.recordings, tf.memory().numTensors], [2, 0, before]);
  x.dispose();
});

Deno.test("compile() without a recorder inlines a compiled function, and assigns variables", () => {
  const v = tf.variable(tf.tensor1d([1, 2]));
  const add = compile((x: tf.Tensor) => void v.assign(v.add(x)));
  const twice = compile((x: tf.Tensor) => {
    add(x);
    add(x);
    return v.sum();
  });
  const [x, sum] = tf.tidy(() => [tf.tensor1d([10, 20]), twice(tf.tensor1d([10, 20]))]);
  assertEquals([...v.dataSync()], [21, 42]);
  assertEquals(sum.dataSync()[0], 63);
  assignSlice(v, x.slice([0], [1]), 1);
  assertEquals([...v.dataSync()], [21, 10]);
  tf.dispose([v, x, sum]);
});

Deno.test("compile() without a recorder gives results of their own, whatever the body returns", () => {
  const [x, v] = [tf.tensor1d([1]), tf.variable(tf.tensor1d([1]))];
  const before = tf.memory().numTensors;
  const same = compile((x: tf.Tensor) => x);
  const grown = compile((x: tf.Tensor) => {
    v.assign(v.add(x));
    return v as tf.Tensor;
  });
  const twice = compile((x: tf.Tensor) => {
    const y = x.add(1);
    return [y, y];
  });
  const results = [same(x), grown(x), grown(x), ...twice(x)];
  assertEquals(results.map((result) => [...result.dataSync()]), [[1], [2], [3], [2], [2]]);
  for (const result of results) result.dispose();
  assertEquals([x, v].map((tensor) => [...tensor.dataSync()]), [[1], [3]]);
  assertEquals(tf.memory().numTensors, before);
  tf.dispose([x, v]);
});

Deno.test("compile() without a recorder takes kernels without an input that they can do without", () => {
  const [x, kernel] = [tf.tensor2d([[1, 2]]), tf.variable(tf.tensor2d([[1], [10]]))];
  const fused = compile((x: tf.Tensor) =>
    tf.fused.matMul({ a: x as tf.Tensor2D, b: kernel as tf.Tensor2D })
  );
  const result = fused(x);
  assertEquals([...result.dataSync()], [21]);
  tf.dispose([x, kernel, result]);
});

Deno.test("compile() without a recorder refuses what a recording refuses", async () => {
  const outside = tf.tensor2d([[1, 2, 3]]);
  const v = tf.variable(tf.scalar(1));
  const variables = Object.keys(tf.engine().registeredVariables).length;
  const uses = compile((x: tf.Tensor) => x.add(1).mul(outside));
  const error = assertThrows(() => uses(v), Error, "pass it as an argument");
  assert(error.message.includes("Multiply on a tensor of shape [1,3]"), error.message);
  const reads = compile((x: tf.Tensor) => tf.scalar(x.dataSync()[0]!));
  assertThrows(() => reads(v), Error, "while a function is being recorded");
  const gone = tf.variable(tf.scalar(1), true, "gone");
  const usesGone = compile((x: tf.Tensor) => tf.mul(x, gone));
  gone.dispose();
  assertThrows(() => usesGone(v), Error, "the variable gone that has been disposed of");
  for (const stop of [() => stopBackend(backend), () => tf.engine().reset()]) {
    assertThrows(compile(stop), Error, "Cannot dispose of the engine while it records a function");
  }
  const makes = compile(() => tf.variable(tf.scalar(1), true, "born_in_the_body").add(v));
  assertThrows(() => makes(), Error, "Cannot make the variable born_in_the_body while recording");
  assertEquals(Object.keys(tf.engine().registeredVariables).length, variables);
  // Afterwards all of it works again.
  assertEquals([...tf.tidy(() => outside.mul(v).dataSync())], [1, 2, 3]);
  assertEquals([...await outside.data()], [1, 2, 3]);
  tf.dispose([outside, v]);
});

Deno.test("runningBackend() names the remedy where no engine runs", () => {
  stopBackend(backend);
  assertThrows(() => runningBackend(), Error, "call startEngine() first");
  assertThrows(() => compile(() => {}), Error, "call startEngine() first");
});
