/** Training on WebGPU beside TensorFlow's, and what a thousand steps leave behind. */

import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { ImageBatches, normalizeMnist } from "../../../data/image_batches.ts";
import { Trainer } from "../../../training/trainer.ts";
import { firstTestDigits } from "../../data/mnist.ts";
import { tinyModel } from "../../training/tiny_features.ts";
import { testTraining } from "../training_cases.ts";
import { ON_WEBGPU, onAdapter } from "./adapter.ts";
import { kernels } from "./kernels.ts";

/**
 * Bytes by which resident memory may grow: what WebGPU's objects hold is freed when JavaScript's memory
 * is cleared. Over 2,400 steps it rose by 145 MB in the first 1,800 and then no more.
 */
const SLACK = 192 * 2 ** 20;

await onAdapter("training on WebGPU", async () => {
  const engine = await testTraining(ON_WEBGPU, 8);

  Deno.test("a thousand steps on WebGPU leave no tensor, buffer or memory behind", async () => {
    const digits = await firstTestDigits(100);
    using stack = new DisposableStack();
    const model = stack.adopt(tinyModel(), (model) => model.dispose());
    using batches = new ImageBatches(digits, normalizeMnist);
    using trainer = new Trainer(engine, model, batches, {
      batchSize: 1,
      adam: { learningRate: 1e-4, weightDecay: 1e-4 },
      seed: 1,
    });
    const { bufferManager } = kernels();
    const held = () => [
      tf.memory().numTensors,
      kernels().numDataIds(),
      bufferManager.numBytesUsed,
    ];
    await trainer.trainEpoch(1);
    const [before, resident] = [held(), Deno.memoryUsage().rss];
    const { numBytesAllocated } = bufferManager;
    for (let epoch = 2; epoch <= 11; epoch++) await trainer.trainEpoch(epoch);
    assertEquals(trainer.step, 1100);
    assertEquals(held(), before);
    // Reads come by the clock, and between them buffers are not free yet; the smallest has 16 bytes.
    const kept = bufferManager.numBytesAllocated - numBytesAllocated;
    assert(kept < 16 * 1000, `a step keeps ${kept / 1000} bytes of buffers`);
    const grown = Deno.memoryUsage().rss - resident;
    assert(grown < SLACK, `resident memory grew by ${grown} bytes`);
  });
});
