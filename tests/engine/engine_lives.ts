/**
 * What is left of engines that are gone, used in every way: a process of its own, as the wrong answer is
 * a crash. Prints a line of JSON for each use, `[use, what came of it, the backend that computes then]`.
 */

import * as tf from "@tensorflow/tfjs";
import { type Engine, startEngine } from "../../engine/engine.ts";
import { biasAdd } from "../../engine/ops.ts";
import { simpleCnn } from "../../models/simple_cnn.ts";
import { TensorFlowBackend } from "../../engine/tensorflow/backend.ts";
import { outcomeOf } from "./outcome_of.ts";

/** Runs one use, and says what computes afterwards. */
async function use(name: string, action: () => unknown): Promise<void> {
  console.log(JSON.stringify([name, await outcomeOf(action), computing()]));
}

/** Which backend really computes, told by whether libtensorflow's tensors become more. */
function computing(): string {
  return tf.tidy(() => {
    const backend = tf.backend();
    const handles = () =>
      backend instanceof TensorFlowBackend ? backend.eager.getNumOfTensors() : 0;
    const before = handles();
    const [three] = tf.add(1, 2).dataSync();
    const name = handles() > before ? "tensorflow" : "plain JavaScript";
    return three === 3 ? name : `${name}, wrong`;
  });
}

const double = (x: tf.Tensor) => x.mul(2);
const doubled = (fn: (x: tf.Tensor) => tf.Tensor) =>
  tf.tidy(() => [...fn(tf.tensor1d([1, 2])).dataSync()]);
const says = (engine: Engine) => `${engine.backend}, tfjs ${tf.getBackend()}`;

function thrown(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

const first = await startEngine();
const { binding } = first;
const compiled = first.compile(double);
doubled(compiled);
const model = simpleCnn();
model.forward(tf.zeros([1, 28, 28, 1])).dataSync();
const tensor = tf.tensor1d([1, 2]).square();
const variable = tf.variable(tf.tensor1d([1, 2]));
first.compile(() => variable.assign(variable.add(1)))();
const id = binding.createTensor([1], binding.TF_FLOAT, Float32Array.of(1));
const unused = tf.variable(tf.tensor1d([1, 2]), true, "unused");

const second = await startEngine();
await use("a second engine says", () => says(second));
await use(
  "first binding: createTensor",
  () => binding.createTensor([1], binding.TF_FLOAT, Float32Array.of(1)),
);
await use("first binding: an old tensor", () => binding.tensorDataSync(id));
await use("first binding: executeOp", () => binding.executeOp("NoOp", [], [], 0));
await use("first binding: deleteTensor", () => binding.deleteTensor(id));
await use("first compile()", () => first.compile(double));
await use("first's compiled function", () => doubled(compiled));
await use("first's compiled function, disposed of", () => compiled.dispose());
await use("first's tensor", () => tensor.dataSync());
await use("first's tensor in an op", () => tensor.add(1));
await use("second's compiled function beside them", () => doubled(second.compile(double)));
await use("first's variable in it", () => second.compile(() => variable.add(1))());
await use("first's unused variable in it", () => second.compile(() => unused.add(1))());
await use("first's variable assigned in it", () => {
  second.compile((x: tf.Tensor1D) => void unused.assign(x))(tf.tensor1d([1, 2]));
});
await use("first's unused variable after that", () => [
  unused.isDisposed,
  tf.engine().registeredVariables.unused === unused,
]);
await use("first's unused variable in it again", () => second.compile(() => unused.add(1))());
await use("second's compiled function after that", () => doubled(second.compile(double)));
await use("first's tensor, disposed of", () => tensor.dispose());
await use("first's variable, disposed of", () => variable.dispose());
await use("first's model", () => model.forward(tf.zeros([1, 28, 28, 1])));
await use("first's model, disposed of", () => model.dispose());
await use("first.dispose()", () => first.dispose());
await use("first.dispose() again", () => first.dispose());
await use("second engine after that", () => [says(second), doubled(second.compile(double))]);

const stale = second.compile(double);
doubled(stale);
tf.engine().reset();
await use("after engine().reset()", () => says(second));
await use("a function compiled before", () => doubled(stale));
await use("a function compiled before, disposed of", () => stale.dispose());
tf.engine().reset();
await use(
  "setBackend() after a reset",
  async () => [await tf.setBackend("tensorflow"), says(second)],
);
await use(
  "the binding after a reset",
  () => second.binding.createTensor([1], binding.TF_FLOAT, Float32Array.of(1)) > 0,
);
await use("compile() after a reset", () => doubled(second.compile(double)));
await use(
  "an operation of ours after a reset",
  () => [...biasAdd(tf.ones([1, 2]), tf.tensor1d([1, 2])).dataSync()],
);
await use("reset() in a compiled body", () => second.compile(() => tf.engine().reset())());
await use(
  "after reset() in a compiled body",
  async () => [await tf.setBackend("tensorflow"), doubled(second.compile(double))],
);
await use("dispose() in a compiled body", () => second.compile(() => second.dispose())());
await use("after dispose() in a compiled body", () => doubled(second.compile(double)));
let recording = second.binding as TensorFlowBackend["binding"];
second.compile(() => void (recording = (tf.backend() as TensorFlowBackend).binding))();
await use("the binding of a recording that is over", () => [
  recording === second.binding,
  `${thrown(() => recording.createTensor([1], recording.TF_FLOAT, Float32Array.of(1)))}`,
  `${thrown(() => recording.executeOp("NoOp", [], [], 0))}`,
]);
await use(
  "another backend set",
  async () => [await tf.setBackend("cpu"), doubled(second.compile(double))],
);
const [others, variableOfOther] = [tf.tensor1d([1, 2]), tf.variable(tf.tensor1d([1, 2]))];
await use(
  "the engine's backend set again",
  async () => [await tf.setBackend("tensorflow"), doubled(second.compile(double))],
);
await use(
  "the other backend's tensor in a compiled function",
  () => second.compile(() => others.add(1))(),
);
await use("the other backend's variable in one", () => [
  ...second.compile(() => variableOfOther.add(1))().dataSync(),
]);

const both = await Promise.all([startEngine(), startEngine()]);
const outcomes = both.map((engine) => {
  try {
    return doubled(engine.compile(double));
  } catch (error) {
    return `${error}`;
  }
});
const index = outcomes.findIndex((outcome) => typeof outcome === "string");
const [gone, third] = [both[index]!, both[1 - index]!];
await use("two started at once", () => [outcomes[index], outcomes[1 - index]]);
await use("the gone one of them disposed of", () => gone.dispose());
await use("the other one", () => [says(third), doubled(third.compile(double))]);

// Another copy of the module has the same tfjs.
const copy: typeof import("../../engine/engine.ts") = await import(
  `${new URL("../../engine/engine.ts", import.meta.url)}?copy`
);
const fourth = await copy.startEngine();
await use("an engine of another copy", () => [says(fourth), doubled(fourth.compile(double))]);
await use("compile() of the one before", () => doubled(third.compile(double)));
await use("dispose() of the one before", () => third.dispose());
await use("then the other copy's engine", () => [says(fourth), doubled(fourth.compile(double))]);
await use("removeBackend() by hand", () => tf.removeBackend("tensorflow"));
await use("dispose() after removeBackend()", () => fourth.dispose());
await use(
  "binding after all",
  () => fourth.binding.createTensor([1], binding.TF_FLOAT, Float32Array.of(1)),
);
await use("setBackend() after all", () => tf.setBackend("tensorflow"));
