/** Training on WebAssembly beside TensorFlow's, and what it holds on to. */

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { ImageBatches, normalizeMnist } from "../../../data/image_batches.ts";
import { type EngineOptions, startEngine } from "../../../engine/engine.ts";
import { StudyError } from "../../../io/errors.ts";
import { silentReporter } from "../../../io/reporter.ts";
import { simpleCnn } from "../../../models/simple_cnn.ts";
import { Trainer } from "../../../training/trainer.ts";
import { firstTestDigits } from "../../data/mnist.ts";
import { testTraining } from "../training_cases.ts";

const digits = await firstTestDigits(32);
const engine = await testTraining({ backend: "wasm" }, digits.count);

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
