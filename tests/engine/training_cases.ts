/**
 * Training on a backend beside TensorFlow's: where it starts, a step, resuming, what a compiled function
 * refuses, and that a step leaves nothing behind.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { ImageBatches, normalizeMnist } from "../../data/image_batches.ts";
import { type Engine, type EngineOptions, startEngine } from "../../engine/engine.ts";
import { bytesTensor, gatherBytes, randomUniform } from "../../engine/ops.ts";
import type { StateDict } from "../../models/checkpoint/state_dict.ts";
import { alexnet } from "../../models/alexnet.ts";
import { simpleCnn } from "../../models/simple_cnn.ts";
import { restoreTraining, saveTraining } from "../../training/checkpoint.ts";
import { smoothedCrossEntropy } from "../../training/cross_entropy.ts";
import { Trainer } from "../../training/trainer.ts";
import { withFolder } from "../data/idx_samples.ts";
import { firstTestDigits } from "../data/mnist.ts";

interface Outcome {
  start: StateDict;
  frozen: StateDict;
  loss: number;
  trained: StateDict;
}

/** Difference of the two that is largest. */
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

/**
 * Defines the tests, on an engine that it starts.
 *
 * @param options Which backend, and where.
 * @param images Images of the step.
 * @returns The engine.
 */
export async function testTraining(options: EngineOptions, images: number): Promise<Engine> {
  const { backend } = options;
  const digits = await firstTestDigits(images);
  const adam = { learningRate: 1e-3, weightDecay: 1e-4 };

  /** A step of the study's, dropout and all, from the weights of a seed. */
  const step = (engine: Engine): Outcome => {
    using network = simpleCnn({ seed: 3 });
    using large = alexnet({ seed: 3 });
    using batches = new ImageBatches(digits, normalizeMnist);
    const settings = { batchSize: images, adam, seed: 3 };
    using trainer = new Trainer(engine, network, batches, settings);
    const [start, frozen] = [network.stateDict(), large.frozen.stateDict()];
    const [loss] = trainer.trainBatch(Int32Array.from({ length: images }, (_, i) => i));
    return { start, frozen, loss, trained: network.stateDict() };
  };

  /** The running mean after two steps with all that our recipes know. */
  const recipeSteps = (engine: Engine): StateDict => {
    using network = simpleCnn({ seed: 3 });
    const augmentation = { shift: 2, rotation: 10, shear: 0.1, scale: 0.1 };
    using batches = new ImageBatches(digits, normalizeMnist, augmentation);
    using trainer = new Trainer(engine, network, batches, {
      batchSize: images,
      adam: { learningRate: 1e-3 },
      muon: { parameters: ["conv1.weight", "conv2.weight", "fc2.weight"], learningRate: 0.01 },
      average: { decay: 0.5, every: 1 },
      loss: smoothedCrossEntropy(0.1),
      seed: 3,
    });
    const batch = Int32Array.from({ length: images }, (_, i) => i);
    for (let step = 0; step < 2; step++) trainer.trainBatch(batch);
    trainer.swapAverage();
    return network.stateDict();
  };

  const [expected, expectedMean] = await startEngine({ backend: "tensorflow" })
    .then((tensorflow) => {
      const outcomes = [step(tensorflow), recipeSteps(tensorflow)] as const;
      tensorflow.dispose();
      return outcomes;
    });
  const engine = await startEngine(options);
  const actual = step(engine);

  Deno.test(`${backend} starts with TensorFlow's weights for a seed, bit for bit`, () => {
    assertEquals(largestDifference(actual.start, expected.start), 0);
  });

  Deno.test(`${backend} starts with TensorFlow's normal weights but for the last bits`, () => {
    // He's deviations are below 0.1.
    assert(largestDifference(actual.frozen, expected.frozen) <= 1e-7);
  });

  Deno.test(`after a step with dropout, ${backend}'s parameters are TensorFlow's within 1e-4`, () => {
    assert(Math.abs(actual.loss - expected.loss) <= 1e-5, `${actual.loss}, ${expected.loss}`);
    const difference = largestDifference(actual.trained, expected.trained);
    assert(difference <= 1e-4, `they differ by ${difference}`);
    assert(largestDifference(actual.trained, actual.start) > 5e-4);
  });

  Deno.test(`after two steps of a recipe, ${backend}'s mean of the parameters is TensorFlow's`, () => {
    const mean = recipeSteps(engine);
    const difference = largestDifference(mean, expectedMean);
    assert(difference <= 5e-4, `they differ by ${difference}`);
    assert(largestDifference(mean, actual.start) > 5e-3);
  });

  Deno.test(`training on ${backend} goes on from a checkpoint to the same bits`, () =>
    withFolder(async (folder) => {
      const path = `${folder}/checkpoint.safetensors`;
      const batch = Int32Array.of(4, 5, 6, 7);
      using stack = new DisposableStack();
      const begin = () => {
        const network = stack.use(simpleCnn({ seed: 2 }));
        const images = stack.use(new ImageBatches(digits, normalizeMnist));
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

  Deno.test(`a compiled function on ${backend} refuses what a recording refuses`, () => {
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

  return engine;
}
