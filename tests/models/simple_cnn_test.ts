/** SimpleCNN's shapes, initialisation and way of refusing foreign weights. */

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { StudyError } from "../../io/errors.ts";
import { simpleCnn } from "../../models/simple_cnn.ts";
import type { StateDict } from "../../models/checkpoint/state_dict.ts";
import { testEngine } from "../engine/engine.ts";

await testEngine();

/** Name, PyTorch's shape, inputs of one output unit. */
const PARAMETERS: [name: string, shape: number[], fanIn: number][] = [
  ["conv1.weight", [32, 1, 5, 5], 25],
  ["conv1.bias", [32], 25],
  ["conv2.weight", [64, 32, 5, 5], 800],
  ["conv2.bias", [64], 800],
  ["fc1.weight", [1000, 3136], 3136],
  ["fc1.bias", [1000], 3136],
  ["fc2.weight", [10, 1000], 1000],
  ["fc2.bias", [10], 1000],
];

/** The parameters of a fresh model. */
function fresh(seed: number): StateDict {
  const model = simpleCnn({ seed });
  const state = model.stateDict();
  model.dispose();
  return state;
}

Deno.test("simpleCnn() has PyTorch's names and shapes, 3,199,106 parameters in all", () => {
  const state = fresh(1);
  assertEquals(
    [...state].map(([name, { shape, dtype }]) => [name, shape, dtype]),
    PARAMETERS.map(([name, shape]) => [name, shape, "float32"]),
  );
  const counts = [...state.values()].map(({ data }) => data.length);
  assertEquals(counts.reduce((a, b) => a + b), 3_199_106);
});

Deno.test("simpleCnn() forward() gives a row of logits per image", () => {
  const model = simpleCnn();
  for (const n of [1, 3]) {
    const images = tf.zeros<tf.Rank.R4>([n, 28, 28, 1]);
    const logits = model.forward(images);
    assertEquals(logits.shape, [n, 10]);
    assertEquals(logits.dtype, "float32");
    tf.dispose([images, logits]);
  }
  model.dispose();
});

Deno.test("simpleCnn() takes images of the sizes that PyTorch's takes, and names others", () => {
  using model = simpleCnn();
  const classify = (rows: number, columns: number) =>
    tf.tidy(() => model.forward(tf.zeros([2, rows, columns, 1])).shape);
  assertEquals([classify(31, 28), classify(28, 31)], [[2, 10], [2, 10]]);
  for (const [rows, columns] of [[27, 28], [28, 32], [32, 32], [14, 112]] as const) {
    const message =
      `Cannot classify images of ${rows} × ${columns} pixels: SimpleCNN takes 28 × 28`;
    assertThrows(() => classify(rows, columns), RangeError, message);
  }
});

Deno.test("simpleCnn() numClasses sets the last layer's size", () => {
  const model = simpleCnn({ numClasses: 3 });
  assertEquals(model.numClasses, 3);
  assertEquals(model.stateDict().get("fc2.weight")!.shape, [3, 1000]);
  assertEquals(model.stateDict().get("fc2.bias")!.shape, [3]);
  model.dispose();
});

Deno.test("simpleCnn() refuses a number of classes that is no positive whole number", () => {
  for (const numClasses of [0, 1.5, -1, NaN, Infinity]) {
    assertThrows(
      () => simpleCnn({ numClasses }),
      RangeError,
      `numClasses must be a positive whole number: current value is ${numClasses}`,
    );
  }
});

Deno.test("simpleCnn() starts uniform in ±1/√fan_in, weights and biases", () => {
  const state = fresh(1);
  for (const [name, , fanIn] of PARAMETERS) {
    const data = state.get(name)!.data as Float32Array;
    const bound = 1 / Math.sqrt(fanIn);
    const n = data.length;
    let sum = 0;
    let squares = 0;
    let largest = 0;
    for (const value of data) {
      sum += value;
      squares += value * value;
      largest = Math.max(largest, Math.abs(value));
    }
    assert(largest <= Math.fround(bound), `${name} reaches ${largest}`);
    // Five standard deviations of the mean, and of the mean square, of n uniform numbers.
    assert(Math.abs(sum / n) <= 5 * bound / Math.sqrt(3 * n), `mean of ${name}: ${sum / n}`);
    const variance = bound ** 2 / 3;
    const spread = 5 * variance * Math.sqrt(0.8 / n);
    assert(Math.abs(squares / n - variance) <= spread, `mean square of ${name}: ${squares / n}`);
  }
});

Deno.test("simpleCnn() starts every parameter with numbers of its own", () => {
  // As uniform numbers in ±1, so that sizes do not hide equal draws.
  const beginnings = [...fresh(1)].map(([, { data }], index) =>
    Array.from(
      (data as Float32Array).subarray(0, 10),
      (value) => Math.round(value * Math.sqrt(PARAMETERS[index]![2]) * 1e4),
    ).join()
  );
  assertEquals(new Set(beginnings).size, PARAMETERS.length);
});

Deno.test("simpleCnn() starts with the same bits for the same seed, others for another", () => {
  const first = fresh(1);
  assertEquals(fresh(1), first);
  const other = fresh(2);
  for (const [name] of PARAMETERS) {
    assertNotEquals(other.get(name)!.data, first.get(name)!.data, name);
  }
});

Deno.test("simpleCnn() refuses seeds that would be another's", () => {
  const before = tf.memory().numTensors;
  for (const seed of [NaN, 1.5, -1, 2 ** 31, 2 ** 40, "x" as unknown as number]) {
    const { message } = assertThrows(() => fresh(seed), RangeError);
    assertEquals(
      message,
      `Cannot draw from seed ${seed}: it must be a whole number from 0 to 2147483647`,
    );
  }
  assertEquals(tf.memory().numTensors, before);
  assertNotEquals(fresh(2 ** 31 - 1), fresh(0));
});

Deno.test("loadStateDict() lists missing, foreign and misshapen names, and changes nothing", () => {
  const model = simpleCnn({ seed: 1 });
  const before = model.stateDict();
  const state = fresh(2);
  state.delete("fc2.bias");
  state.set("fc3.weight", state.get("fc2.weight")!);
  state.set("conv1.bias", { dtype: "float32", shape: [16], data: new Float32Array(16) });
  const error = assertThrows(() => model.loadStateDict(state), StudyError);
  for (const part of ["SimpleCNN", "fc2.bias", "fc3.weight", "conv1.bias [16] instead of [32]"]) {
    assert(error.message.includes(part), `${part} is not in: ${error.message}`);
  }
  assert(!error.message.includes("\n"));
  assertEquals(model.stateDict(), before);
  model.dispose();
});

Deno.test("loadStateDict() takes over every parameter", () => {
  const model = simpleCnn({ seed: 1 });
  const state = fresh(2);
  model.loadStateDict(state);
  assertEquals(model.stateDict(), state);
  model.dispose();
});

Deno.test("simpleCnn() dispose() frees every parameter", () => {
  const before = tf.memory().numTensors;
  simpleCnn().dispose();
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("simpleCnn() disposed of twice leaves alone what shares its values", () => {
  const before = tf.memory().numTensors;
  const model = simpleCnn();
  const kept = model.parameters.get("fc2.bias").clone();
  const values = kept.dataSync().slice();
  for (let time = 0; time < 2; time++) model.dispose();
  assertEquals(kept.dataSync(), values);
  kept.dispose();
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("simpleCnn() that has been disposed of says so", () => {
  const model = simpleCnn();
  const state = model.stateDict();
  model.dispose();
  const images = tf.zeros<tf.Rank.R4>([1, 28, 28, 1]);
  const uses = [
    () => model.forward(images),
    () => model.loadStateDict(state),
    () => model.stateDict(),
  ];
  for (const use of uses) {
    assertThrows(use, Error, "This model has been disposed of: build another");
  }
  images.dispose();
  model.dispose();
});

Deno.test("loadStateDict() copies: what becomes of the arrays later changes nothing", () => {
  using model = simpleCnn();
  const state = fresh(2);
  const expected = structuredClone(state);
  model.loadStateDict(state);
  for (const { data } of state.values()) (data as Float32Array).fill(7);
  assertEquals(model.stateDict(), expected);
});

Deno.test("loadStateDict() refuses more or fewer values than a shape has, and changes nothing", () => {
  const model = simpleCnn();
  const before = model.stateDict();
  for (const length of [9, 11]) {
    const state = fresh(2).set("fc2.bias", {
      dtype: "float32",
      shape: [10],
      data: new Float32Array(length),
    });
    const { message } = assertThrows(() => model.loadStateDict(state), StudyError);
    assertEquals(
      message,
      `SimpleCNN: fc2.bias of shape [10] has ${length} values instead of 10; give other weights`,
    );
    assertEquals(model.stateDict(), before);
  }
  model.dispose();
});
