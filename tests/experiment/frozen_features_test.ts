/** Features of a run, from the cache and in every epoch, with a model that only pools its images. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import type { ImageSet } from "../../data/dataset.ts";
import {
  cachedFeatures,
  featureIdentity,
  featuresEveryEpoch,
  type TrainableHalf,
} from "../../experiment/frozen_features.ts";
import type { Run } from "../../experiment/run.ts";
import { silentReporter } from "../../io/reporter.ts";
import type { FrozenFeatureClassifier } from "../../models/classifier.ts";
import { adaptiveAvgPool2d, linear } from "../../models/layers.ts";
import { bias, defaultInitializer, linearWeight, Parameters } from "../../models/parameters.ts";
import { ALEXNET, VGG16 } from "../../study.ts";
import { evaluate } from "../../training/evaluate.ts";
import { FeatureCache } from "../../training/features/feature_cache.ts";
import { Trainer } from "../../training/trainer.ts";
import { firstTestDigits } from "../data/mnist.ts";
import { testEngine } from "../engine/engine.ts";
import { withFolder } from "../report/result_rows.ts";

const engine = await testEngine();
const digits = await firstTestDigits(32);

/** Means of 7 by 7 places in three channels. */
const FEATURES = 7 * 7 * 3;

function pooledModel(): FrozenFeatureClassifier {
  const parameters = new Parameters(
    new Map([
      ["classifier.0.weight", linearWeight(FEATURES, 10)],
      ["classifier.0.bias", bias(10, FEATURES)],
    ]),
    defaultInitializer(1),
  );
  const features = (images: tf.Tensor4D) =>
    tf.tidy(() => adaptiveAvgPool2d(images, 7).reshape<tf.Tensor2D>([-1, FEATURES]));
  const classify = (features: tf.Tensor2D) => linear(features, parameters, "classifier.0");
  return {
    ...{ name: "pooled", inChannels: 3, featureCount: FEATURES, parameters, features, classify },
    forward: (images: tf.Tensor4D) => tf.tidy(() => classify(features(images))),
    featuresSha256: () => Promise.resolve("ab12"),
    dispose: () => parameters.dispose(),
  } as unknown as FrozenFeatureClassifier;
}

function part(start: number, end: number): ImageSet {
  return {
    images: digits.images.slice(784 * start, 784 * end),
    labels: digits.labels.slice(start, end),
    count: end - start,
  };
}

/** A run too short for a forecast. */
function shortRun(): Run {
  return {
    engine,
    dataset: { train: part(0, 24), test: part(24, 32), sha256: "cd34" },
    ...{ reporter: silentReporter, signal: new AbortController().signal, earlier: [] },
    row: { epochs: 1, batch_size: 8 },
  } as unknown as Run;
}

/** Trains for an epoch, and classifies the test images. */
async function trainAndTest({ model, train, test }: TrainableHalf) {
  const options = { batchSize: 8, adam: { learningRate: 0.01 }, seed: 1 };
  using trainer = new Trainer(engine, model, train, options);
  const { loss } = await trainer.trainEpoch(1);
  const tested = await evaluate(engine, model, test, { batchSize: 8 });
  return { losses: [loss, tested.loss], predictions: tested.predictions };
}

Deno.test("features from the cache train as those of every epoch, and their seconds are remembered", () =>
  withFolder({}, async (folder) => {
    const cache = Deno.env.get("MNIST_STUDY_CACHE");
    Deno.env.set("MNIST_STUDY_CACHE", join(folder, "cache"));
    try {
      const seconds: unknown[] = [];
      const results: Awaited<ReturnType<typeof trainAndTest>>[] = [];
      for (const how of [featuresEveryEpoch, cachedFeatures, cachedFeatures]) {
        const [run, model] = [shortRun(), pooledModel()];
        using half = await how(run, model);
        results.push(await trainAndTest(half));
        seconds.push([run.featureSeconds, half.testing.featureSeconds]);
        model.dispose();
      }
      const [whole, computed, kept] = results;
      assertEquals(computed!.predictions, whole!.predictions);
      for (const [i, loss] of whole!.losses.entries()) {
        assertAlmostEquals(computed!.losses[i]!, loss, 1e-4);
      }
      assertEquals(kept, computed);
      assertEquals(seconds[0], [undefined, undefined]);
      const [trainSeconds, testSeconds] = seconds[1] as number[];
      assert(trainSeconds! > 0 && testSeconds! > 0 && trainSeconds !== testSeconds);
      assertEquals(seconds[2], seconds[1]);
    } finally {
      if (cache === undefined) Deno.env.delete("MNIST_STUDY_CACHE");
      else Deno.env.set("MNIST_STUDY_CACHE", cache);
    }
  }));

/** What features depend on. */
interface Decisive {
  model: string;
  inChannels: number;
  part: "train" | "test";
  features: string;
  data: string;
  engine: object;
}

Deno.test("featureIdentity() gives features a folder of their own for each thing that decides them", () => {
  // Without what is said of some models and processors besides.
  const gpu = { backend: "tensorflow", version: "2.21.0", device: "GPU:0", precision: "float32" };
  const usual: Decisive = {
    ...{ model: ALEXNET.name, inChannels: 3, features: "ab12", data: "cd34", engine: gpu },
    part: "train",
  };
  const engines = [
    { backend: "webgpu" },
    { version: "2.20.0" },
    { device: "GPU:1" },
    { precision: "bfloat16" },
    { convolutions: "winograd" },
  ];
  const changes: Partial<Decisive>[] = [
    {},
    ...[{ model: VGG16.name }, { inChannels: 1 }, { features: "ab" }, { data: "cd" }],
    { part: "test" },
    ...engines.map((other) => ({ engine: { ...gpu, ...other } })),
    { model: VGG16.name, engine: { ...gpu, device: "CPU" } },
  ];
  const folders = changes.map((change) => {
    const { model: name, inChannels, part, features, data, engine } = { ...usual, ...change };
    const run = { engine, dataset: { sha256: data } } as unknown as Run;
    const identity = featureIdentity(run, { model: { name, inChannels }, part, features });
    return new FeatureCache({ identity, title: "", count: 1, columns: 1, cache: "/nowhere" })
      .folder;
  });
  assertEquals(new Set(folders).size, folders.length);
});
