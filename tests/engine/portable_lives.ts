/**
 * What is left of engines that are gone or were reset, on the backend that the argument names: a process
 * of its own, with a second engine of it and one of TensorFlow. Prints a line of JSON for each use,
 * `[use, what came of it]`.
 */

import * as tf from "@tensorflow/tfjs";
import { type Engine, type EngineOptions, startEngine } from "../../engine/engine.ts";
import { biasAdd } from "../../engine/ops.ts";
import { simpleCnn } from "../../models/simple_cnn.ts";
import { outcomeOf } from "./outcome_of.ts";

async function use(name: string, action: () => unknown): Promise<void> {
  console.log(JSON.stringify([name, await outcomeOf(action)]));
}

const options: EngineOptions = Deno.args[0] === "webgpu"
  ? { backend: "webgpu", device: "software" }
  : { backend: "wasm" };
const double = (x: tf.Tensor) => x.mul(2);
const doubled = (fn: (x: tf.Tensor) => tf.Tensor) =>
  tf.tidy(() => [...fn(tf.tensor1d([1, 2])).dataSync()]);
const works = (engine: Engine) => {
  const values = doubled(engine.compile(double));
  return [`${engine.backend}, tfjs ${tf.getBackend()}`, values];
};

const first = await startEngine(options);
const compiled = first.compile(double);
doubled(compiled);
const model = simpleCnn();
const forward = () => tf.tidy(() => [...model.forward(tf.zeros([1, 28, 28, 1])).dataSync()]);
forward();
const tensor = tf.tidy(() => tf.tensor1d([1, 2]).square());
const copy = tensor.clone();

const second = await startEngine(options);
await use("second engine", () => works(second));
await use("first compile()", () => first.compile(double));
await use("first's compiled function", () => doubled(compiled));
await use("first's compiled function, disposed of", () => compiled.dispose());
await use("first's tensor", () => tensor.dataSync());
await use("first's tensor in an op", () => tf.tidy(() => tensor.add(1)));
await use("first's model", forward);
await use("first's tensors and model, disposed of", () => {
  tf.dispose([tensor, copy]);
  model.dispose();
});
await use("first.dispose()", () => first.dispose());
await use("tensors left of the first", () => tf.memory().numTensors);
await use("second engine after that", () => works(second));
await use("dispose() in a compiled body", () => second.compile(() => second.dispose())());
await use("reset() in a compiled body", () => second.compile(() => tf.engine().reset())());
await use("second engine after those", () => works(second));

const variable = tf.tidy(() => tf.variable(tf.tensor1d([1, 2]).square()));
const third = await startEngine({ backend: "tensorflow" });
await use(
  "TensorFlow's compiled function beside second's variable",
  () => doubled(third.compile(double)),
);
await use("second's variable in it", () => third.compile(() => variable.add(1))());
await use("second's variable in an op", () => variable.add(1));
await use("second's variable, disposed of", () => variable.dispose());

const fourth = await startEngine(options);
const stale = fourth.compile(double);
doubled(stale);
tf.engine().reset();
await use("an op after engine().reset()", () => doubled(double));
await tf.ready();
await use("after tf.ready()", () => works(fourth));
await use("a function compiled before", () => doubled(stale));
await use(
  "an operation of ours",
  () => tf.tidy(() => [...biasAdd(tf.ones([1, 2]), tf.tensor1d([1, 2])).dataSync()]),
);
tf.engine().reset();
await use(
  "after reset() and setBackend()",
  async () => [await tf.setBackend(fourth.backend), works(fourth)],
);
tf.engine().reset();
await use("dispose() after reset()", () => fourth.dispose());
await use("compile() after that", () => fourth.compile(double));
const fifth = await startEngine(options);
await use("a new engine after all", () => works(fifth));
