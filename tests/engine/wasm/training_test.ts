/** Training on WebAssembly beside TensorFlow's: where it starts, a step, and what it holds on to. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { ImageBatches, normalizeMnist } from "../../../data/image_batches.ts";
import { type Engine, type EngineOptions, startEngine } from "../../../engine/engine.ts";
import { bytesTensor, gatherBytes, randomUniform } from "../../../engine/ops.ts";
import { StudyError } from "../../../io/errors.ts";
import { silentReporter } from "../../../io/reporter.ts";
import type { StateDict } from "../../../models/checkpoint/state_dict.ts";
import { alexnet } from "../../../models/alexnet.ts";
import { simpleCnn } from "../../../models/simple_cnn.ts";
import { smoothedCrossEntropy } from "../../../training/cross_entropy.ts";
import { restoreTraining, saveTraining } from "../../../training/checkpoint.ts";
import { Trainer } from "../../../training/trainer.ts";
import { withFolder } from "../../data/idx_samples.ts";
import { firstTestDigits } from "../../data/mnist.ts";

const digits = await firstTestDigits(32);

interface Outcome {
  start: StateDict;
  frozen: StateDict;
  loss: number;
  trained: StateDict;
}

/** A step of the study's, dropout and all, from the weights of a seed. */
function step(engine: Engine): Outcome {
  using network = simpleCnn({ seed: 3 });
  using large = alexnet({ seed: 3 });
  using batches = new ImageBatches(digits, normalizeMnist);
  using trainer = new Trainer(engine, network, batches, {
    batchSize: digits.count,
    adam: { learningRate: 1e-3, weightDecay: 1e-4 },
    seed: 3,
  });
  const [start, frozen] = [network.stateDict(), large.frozen.stateDict()];
  const [loss] = trainer.trainBatch(Int32Array.from({ length: digits.count }, (_, i) => i));
  return { start, frozen, loss, trained: network.stateDict() };
}

/** The running mean after two steps with all that our recipes know. */
function recipeSteps(engine: Engine): StateDict {
  using network = simpleCnn({ seed: 3 });
  const augmentation = { shift: 2, rotation: 10, shear: 0.1, scale: 0.1 };
  using batches = new ImageBatches(digits, normalizeMnist, augmentation);
  using trainer = new Trainer(engine, network, batches, {
    batchSize: digits.count,
    adam: { learningRate: 1e-3 },
    muon: { parameters: ["conv1.weight", "conv2.weight", "fc2.weight"], learningRate: 0.01 },
    average: { decay: 0.5, every: 1 },
    loss: smoothedCrossEntropy(0.1),
    seed: 3,
  });
  const batch = Int32Array.from({ length: digits.count }, (_, i) => i);
  for (let step = 0; step < 2; step++) trainer.trainBatch(batch);
  trainer.swapAverage();
  return network.stateDict();
}

const [expected, expectedRecipe] = await startEngine({ backend: "tensorflow" })
  .then((tensorflow) => {
    const outcomes = [step(tensorflow), recipeSteps(tensorflow)] as const;
    tensorflow.dispose();
    return outcomes;
  });
const engine = await startEngine({ backend: "wasm" });
const actual = step(engine);

function largestDifference(ours: StateDict, theirs: StateDict): number {
  assertEquals([...ours.keys()], [...theirs.keys()]);
  return Math.max(
    ...[...ours].map(([name, { data }]) => {
      const others = theirs.get(name)!.data as Float32Array;
      return (data as Float32Array).reduce(
        (most, value, i) => Math.max(most, Math.abs(value - others[i]!)),
        0,
      );
    }),
  );
}

Deno.test("wasm starts with TensorFlow's weights for a seed, bit for bit", () => {
  assertEquals(largestDifference(actual.start, expected.start), 0);
});

Deno.test("wasm starts with TensorFlow's normal weights but for the last bits", () => {
  // He's deviations are below 0.1.
  assert(largestDifference(actual.frozen, expected.frozen) <= 1e-7);
});

Deno.test("after a step with dropout, wasm's parameters are TensorFlow's within 1e-4", () => {
  assert(Math.abs(actual.loss - expected.loss) <= 1e-5, `${actual.loss}, ${expected.loss}`);
  const difference = largestDifference(actual.trained, expected.trained);
  assert(difference <= 1e-4, `they differ by ${difference}`);
  assert(largestDifference(actual.trained, actual.start) > 5e-4);
});

Deno.test("after two steps of a recipe, wasm's mean of the parameters is TensorFlow's", () => {
  const found = recipeSteps(engine);
  const difference = largestDifference(found, expectedRecipe);
  assert(difference <= 5e-4, `they differ by ${difference}`);
  assert(largestDifference(found, actual.start) > 5e-3);
});

Deno.test("training on wasm goes on from a checkpoint to the same bits", () =>
  withFolder(async (folder) => {
    const path = `${folder}/checkpoint.safetensors`;
    const batch = Int32Array.of(5, 6, 7, 8);
    using stack = new DisposableStack();
    const begin = () => {
      const network = stack.use(simpleCnn({ seed: 2 }));
      const images = stack.use(new ImageBatches(digits, normalizeMnist));
      const adam = { learningRate: 1e-3, weightDecay: 1e-4 };
      const options = { batchSize: batch.length, adam, seed: 2 };
      return { network, trainer: stack.use(new Trainer(engine, network, images, options)) };
    };
    const whole = begin();
    whole.trainer.trainBatch(batch);
    const history = [{ epoch: 1, loss: 2, correct: 1, seen: batch.length, seconds: 1 }];
    await saveTraining(path, whole.network, whole.trainer, { settings: {}, history });
    whole.trainer.trainBatch(batch);
    const resumed = begin();
    await restoreTraining(path, resumed.network, resumed.trainer);
    resumed.trainer.trainBatch(batch);
    const [expected, actual] = [whole, resumed].map(({ network }) => network.stateDict());
    assertEquals(largestDifference(actual!, expected!), 0);
  }));

Deno.test("training on wasm takes no more memory after 128 steps than after 16", async () => {
  using network = simpleCnn();
  using batches = new ImageBatches(digits, normalizeMnist);
  using trainer = new Trainer(engine, network, batches, {
    batchSize: 2,
    adam: { learningRate: 1e-4 },
    seed: 1,
  });
  const { wasm } = tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } };
  const memory = () => [
    tf.memory().numTensors,
    (tf.backend() as tf.KernelBackend).numDataIds(),
    wasm.HEAPU8.length,
  ];
  // An epoch has 16 steps.
  await trainer.trainEpoch(1);
  const before = memory();
  for (let epoch = 2; epoch <= 8; epoch++) await trainer.trainEpoch(epoch);
  assertEquals(trainer.step, 128);
  assertEquals(memory(), before);
});

Deno.test("a compiled function on wasm refuses what a recording refuses, in our kernels too", () => {
  const [bytes, key] = [bytesTensor(Uint8Array.of(1, 2), [2]), tf.tensor1d([1, 2], "int32")];
  const refused = [
    () => gatherBytes(bytes, tf.tensor1d([0], "int32")),
    () => randomUniform([2], key),
  ];
  for (const body of refused) {
    assertThrows(() => engine.compile(body)(), Error, "pass it as an argument");
  }
  const reads = engine.compile((x: tf.Tensor) => tf.scalar(x.dataSync()[0]!));
  assertThrows(() => reads(key), Error, "while a function is being recorded");
  const { numTensors } = tf.memory();
  const gathers = engine.compile((bytes: tf.Tensor) =>
    gatherBytes(bytes, tf.tensor1d([1], "int32"))
  );
  const row = gathers(bytes);
  assertEquals([...row.dataSync()], [2]);
  tf.dispose([row, bytes, key]);
  assertEquals(tf.memory().numTensors, numTensors - 2);
});

Deno.test("a tensor that wasm has no room for is an error that says so", () => {
  const { numTensors } = tf.memory();
  const fill = () => tf.tidy(() => Array.from({ length: 40 }, () => tf.fill([1 << 25], 1)));
  assertThrows(fill, StudyError, "it can have 3.76 GB at most");
  assertEquals(tf.memory().numTensors, numTensors);
  assertEquals([...tf.tidy(() => tf.add([1], [2]).dataSync())], [3]);
});

Deno.test("wasm says what it does not have", async () => {
  const wanted: [EngineOptions, string][] = [
    [{ device: "gpu" }, "--device cpu"],
    [{ precision: "bfloat16" }, "--precision fp32"],
  ];
  for (const [options, remedy] of wanted) {
    const start = () => startEngine({ ...options, backend: "wasm", reporter: silentReporter });
    assertStringIncludes((await assertRejects(start, StudyError)).message, remedy);
  }
  assertThrows(() => engine.binding, Error, "The wasm backend has no TFJSBinding");
  assertThrows(() => engine.library, Error, "The wasm backend has no libtensorflow");
  // What failed to start has not stopped the engine.
  assertEquals([...tf.tidy(() => tf.add([1], [2]).dataSync())], [3]);
});
