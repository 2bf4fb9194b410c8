/** VGG16 and AlexNet against torchvision's (tests/reference/vgg16_alexnet.py). */

import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { join } from "node:path";
import { normalizeGrey224, rgb224 } from "../../data/rgb224.ts";
import { dropout, relu } from "../../engine/ops.ts";
import { StudyError } from "../../io/errors.ts";
import { alexnet, ALEXNET_ARCHITECTURE } from "../../models/alexnet.ts";
import type { FrozenFeatureClassifier } from "../../models/classifier.ts";
import { adaptiveAvgPool2d, linear } from "../../models/layers.ts";
import { describeLoadedLayers } from "../../models/loaded_layers.ts";
import { openCheckpoint } from "../../models/checkpoint/open_checkpoint.ts";
import { saveCheckpoint } from "../../models/checkpoint/safetensors.ts";
import type { StateDict, StateTensor } from "../../models/checkpoint/state_dict.ts";
import { vgg16, VGG16_ARCHITECTURE } from "../../models/vgg16.ts";
import { onceForAllBackends, testEngine } from "../engine/engine.ts";
import { withFolder } from "../data/idx_samples.ts";
import { firstTestDigits } from "../data/mnist.ts";

const engine = await testEngine();

interface Golden {
  shapes: Record<string, number[]>;
  /** Kinds of the classifier's layers, in their order. */
  classifier: string[];
  /** Probabilities of those that drop out. */
  dropout: number[];
  logits: number[][];
}
const golden: {
  vgg16: Golden;
  alexnet: Golden & { logits_160: number[][]; logits_grey: number[][] };
  adaptive_avg_pool2d: { size: number; maps: number[][][][]; pooled: number[][][][] }[];
} = JSON.parse(
  Deno.readTextFileSync(`${import.meta.dirname}/../fixtures/vgg16_alexnet.json`),
);

/** MNIST's first 8 test digits. */
const DIGITS = (await firstTestDigits(8)).images;

/** Largest difference of logits, relative to the largest logit. */
const TOLERANCE = 1e-3;

/** The reference's uniform numbers in ±bound: a hash of the element's index. */
function noise(count: number, bound: number, stream: number): Float32Array {
  const values = new Float32Array(count);
  const offset = Math.imul(stream, 0x85ebca77);
  for (let index = 0; index < count; index++) {
    let hash = Math.imul(index, 0x9e3779b1) + offset | 0;
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0x85ebca6b);
    hash ^= hash >>> 13;
    values[index] = ((hash >>> 0) / 2 ** 31 - 1) * bound;
  }
  return values;
}

/** The reference's weights. Each tensor is made when it is read, so that one is there at a time. */
function formulaWeights(shapes: Record<string, number[]>): StateDict {
  // It is read more than once before the next is.
  let latest: { name: string; data: Float32Array } | undefined;
  return new Map(
    Object.entries(shapes).map(([name, shape], stream): [string, StateTensor] => {
      const count = shape.reduce((product, size) => product * size);
      const bound = shape.length === 1 ? 0.1 : Math.sqrt(6 / (count / shape[0]!));
      return [name, {
        dtype: "float32",
        shape,
        get data() {
          if (latest?.name !== name) latest = { name, data: noise(count, bound, stream) };
          return latest.data;
        },
      }];
    }),
  );
}

function shapesOf(state: StateDict): [string, number[]][] {
  return [...state].map(([name, { shape }]) => [name, shape]);
}

/** Asserts and frees logits. */
function assertLogits(logits: tf.Tensor, expected: number[][], what: string): void {
  assertEquals(logits.shape, [expected.length, expected[0]!.length]);
  const scale = Math.max(...expected.flat().map(Math.abs));
  const differences = expected.flat().map((value, index) =>
    Math.abs(value - logits.dataSync()[index]!)
  );
  logits.dispose();
  const worst = Math.max(...differences) / scale;
  assert(worst <= TOLERANCE, `${what}: logits differ by ${worst} of their scale ${scale}`);
}

/** Runs `action` with the model and frees it. */
async function using<M extends { dispose(): void }>(
  model: M,
  action: (model: M) => void | Promise<void>,
): Promise<void> {
  try {
    await action(model);
  } finally {
    model.dispose();
  }
}

/** Asserts what torchvision has under the names of that model. */
function assertNames(model: FrozenFeatureClassifier, { shapes }: Golden): void {
  const { frozen, parameters } = model;
  assertEquals([...frozen.shapes, ...parameters.shapes], Object.entries(shapes));
  assert([...frozen.shapes.keys()].every((name) => name.startsWith("features.")));
  assert([...parameters.shapes.keys()].every((name) => name.startsWith("classifier.")));
}

function assertCompiledLogits(
  model: FrozenFeatureClassifier,
  images: tf.Tensor4D,
  expected: number[][],
): void {
  const compiled = engine.compile((images: tf.Tensor4D) => model.forward(images));
  assertLogits(compiled(images), expected, `${model.name} compiled`);
  compiled.dispose();
}

/** Refuses images of which a layer would make none, and makes no logits of no images. */
async function assertLeastImages(
  t: Deno.TestContext,
  model: FrozenFeatureClassifier,
  least: number,
): Promise<void> {
  // torchvision's refuse the same: "Calculated output size: (256x0x0). Output size is too small".
  await t.step("refuses images of which a layer would make none", () => {
    const forward = (height: number, width: number) =>
      tf.tidy(() => model.forward(tf.zeros([1, height, width, 3])).dataSync());
    assert(forward(least, least).every(Number.isFinite));
    for (const [height, width] of [[least - 1, least], [least, least - 1], [1, 1]] as const) {
      assertThrows(() => forward(height, width), RangeError, "from images that are too small");
    }
    const compiled = engine.compile((images: tf.Tensor4D) => model.forward(images));
    assertThrows(
      () => tf.tidy(() => compiled(tf.zeros([1, least - 1, least, 3]))),
      RangeError,
      "from images that are too small",
    );
    compiled.dispose();
  });

  await t.step("makes no logits of no images", () => {
    const logits = model.forward(tf.zeros([0, 64, 64, 3]));
    assertEquals(logits.shape, [0, model.numClasses]);
    logits.dispose();
  });
}

// Large ones are built once for all that is asked of them.
Deno.test("vgg16() with torchvision's weights", (t) =>
  using(vgg16(), async (model) => {
    await t.step("gives its logits on 8 digits, under its names", () => {
      model.loadStateDict(formulaWeights(golden.vgg16.shapes));
      const images = rgb224(DIGITS);
      assertCompiledLogits(model, images, golden.vgg16.logits);
      assertNames(model, golden.vgg16);
      images.dispose();
    });
    await assertLeastImages(t, model, 32);
  }));

Deno.test("alexnet() with torchvision's weights", (t) =>
  withFolder((folder) =>
    using(alexnet(), async (model) => {
      const { shapes, logits, logits_160 } = golden.alexnet;
      const weights = formulaWeights(shapes);
      model.loadStateDict(weights);

      await t.step("gives its logits on 8 digits, under its names", () => {
        const images = rgb224(DIGITS);
        assertCompiledLogits(model, images, logits);
        assertLogits(model.forward(images), logits, "eager");
        assertNames(model, golden.alexnet);
        images.dispose();
      });

      await t.step("takes images of 160 pixels as it does", () => {
        const nchw = tf.tensor(noise(2 * 3 * 160 * 160, 2, 100), [2, 3, 160, 160]);
        const images = nchw.transpose<tf.Tensor4D>([0, 2, 3, 1]);
        assertLogits(model.forward(images), logits_160, "160 pixels");
        for (const tensor of [nchw, images]) tensor.dispose();
      });

      await assertLeastImages(t, model, 63);

      const path = join(folder, "alexnet.safetensors");
      const hostStep = (name: string, fn: () => Promise<void>) =>
        t.step({ name, fn, ...onceForAllBackends() });
      await hostStep("gives them back bit for bit, also through a .safetensors file", async () => {
        const state = model.stateDict();
        assertEquals(shapesOf(state), Object.entries(shapes));
        for (const [name, { data }] of state) assertSame(data, weights.get(name)!.data, name);
        await saveCheckpoint(path, state);
        using checkpoint = await openCheckpoint(path);
        for (const [name, { data }] of state) {
          assertSame((await checkpoint.read(name)).data, data, name);
        }
      });

      await hostStep("passes all but the last layer on to a model of 7 classes", () =>
        using(alexnet({ numClasses: 7, seed: 3 }), async (other) => {
          const last = ["classifier.6.weight", "classifier.6.bias"];
          const before = last.map((name) =>
            other.parameters.get(name).dataSync().slice()
          );
          const loaded = await other.loadPretrainedFile(path);
          assertEquals(
            describeLoadedLayers(loaded, { title: "AlexNet", source: "a.pth", seed: 3 }),
            "AlexNet: 5 convolutions, classifier.1 and classifier.4 from a.pth; classifier.6 new " +
              "from seed 3",
          );
          for (const [name, { shape, data }] of other.stateDict()) {
            if (last.includes(name)) {
              assertEquals(shape[0], 7);
              assertEquals(other.parameters.get(name).dataSync(), before[last.indexOf(name)]);
            } else assertSame(data, weights.get(name)!.data, name);
          }
        }));
      await hostStep("passes its features alone on, the whole classifier new", () =>
        using(alexnet({ seed: 3 }), async (other) => {
          const features = new Map(
            [...model.frozen.shapes.keys()].map((name) => [name, weights.get(name)!]),
          );
          const alone = join(folder, "features.safetensors");
          await saveCheckpoint(alone, features);
          const before = other.parameters.stateDict();
          assertEquals(
            describeLoadedLayers(await other.loadPretrainedFile(alone), {
              title: "AlexNet",
              source: "a.pth",
              seed: 3,
            }),
            "AlexNet: 5 convolutions from a.pth; classifier.1, classifier.4 and classifier.6 new " +
              "from seed 3",
          );
          assertEquals(await other.featuresSha256(), await model.featuresSha256());
          for (const [name, { data }] of other.stateDict()) {
            assertSame(data, (features.get(name) ?? before.get(name)!).data, name);
          }
          // As PyTorch's ImageNet example saves it, and Lightning around that.
          const wrapped = new Map([...features].map(([name, tensor]) =>
            [`model.${name.replace("features.", "features.module.")}`, tensor] as const
          ));
          await saveCheckpoint(alone, wrapped);
          assertEquals(
            describeLoadedLayers(await other.loadPretrainedFile(alone), {
              title: "AlexNet",
              source: "a.pth",
              seed: 3,
            }),
            'AlexNet: 5 convolutions from a.pth ("module." and "model." taken off its names); ' +
              "classifier.1, classifier.4 and classifier.6 new from seed 3",
          );
          assertEquals(await other.featuresSha256(), await model.featuresSha256());
          features.delete("features.3.bias");
          const error = assertThrows(() =>
            other.loadPretrained(features), StudyError);
          assertStringIncludes(error.message, ": 1 missing (features.3.bias); ");
        }));
    })
  ));

Deno.test("alexnet() with one input channel averages the first convolution over the three", () =>
  using(alexnet({ inChannels: 1 }), (model) => {
    model.loadStateDict(formulaWeights(golden.alexnet.shapes));
    const pixels = tf.tensor2d(Float32Array.from(DIGITS), [8, 784]);
    const images = normalizeGrey224(pixels);
    assertLogits(model.forward(images), golden.alexnet.logits_grey, "one channel");
    for (const tensor of [pixels, images]) tensor.dispose();
    // A first convolution of one channel, from its own checkpoint, is taken as it is.
    const first = "features.0.weight";
    const averaged = model.frozen.toState(model.frozen.get(first), first);
    assertEquals(averaged.shape, [64, 1, 11, 11]);
    const weights = formulaWeights(golden.alexnet.shapes);
    model.loadPretrained(weights.set(first, averaged));
    assertEquals(model.frozen.toState(model.frozen.get(first), first), averaged);
  }));

/** `assertEquals` of millions of numbers takes seconds. */
function assertSame(actual: ArrayLike<number | bigint>, expected: typeof actual, what: string) {
  assertEquals(actual.length, expected.length, what);
  for (let index = 0; index < actual.length; index++) {
    if (actual[index] !== expected[index]) throw new Error(`${what} differs at ${index}`);
  }
}

Deno.test(
  "weights that do not fit are refused, all names on both sides, and nothing is loaded",
  onceForAllBackends(),
  () =>
    withFolder((folder) =>
      using(alexnet(), async (model) => {
        const bias = model.frozen.get("features.0.bias");
        const before = bias.dataSync().slice();
        const { shapes } = golden.alexnet;
        const state = formulaWeights({
          ...shapes,
          "classifier.4.weight": [4096, 4095],
          "classifier.6.weight": [1000, 4096],
          "features.99.weight": [1],
        });
        state.delete("features.3.bias");
        const error = assertThrows(() => model.loadStateDict(state), StudyError);
        for (
          const part of [
            "AlexNet",
            "1 missing (features.3.bias)",
            '1 not in the model ("features.99.weight")',
            "2 of another shape",
            "classifier.6.weight [1000,4096] instead of [10,4096]",
          ]
        ) assertStringIncludes(error.message, part);
        const pretrained = assertThrows(() => model.loadPretrained(state), StudyError);
        assertStringIncludes(pretrained.message, "1 of another shape (classifier.4.weight");
        const path = join(folder, "other.safetensors");
        const data = new Float32Array(2);
        await saveCheckpoint(path, new Map([["fc.bias", { dtype: "float32", shape: [2], data }]]));
        const file = await assertRejects(() => model.loadPretrainedFile(path), StudyError);
        for (const part of [path, "14 missing", '1 not in the model ("fc.bias")']) {
          assertStringIncludes(file.message, part);
        }
        assertEquals(bias.dataSync(), before);
      })
    ),
);

Deno.test("alexnet() starts from He's features and torch's linear layers, fixed by the seed", () =>
  using(
    alexnet({ seed: 3 }),
    (model) =>
      using(alexnet({ seed: 3 }), (same) =>
        using(alexnet({ seed: 4 }), (other) => {
          const read = (model: FrozenFeatureClassifier, name: string) =>
            model.frozen.shapes.has(name)
              ? model.frozen.get(name).flatten().slice(0, 10_000).dataSync()
              : model.parameters.get(name).flatten().slice(0, 10_000).dataSync();
          for (const name of ["features.3.weight", "classifier.6.weight"]) {
            assertEquals(read(model, name), read(same, name));
            assertNotEquals(read(model, name), read(other, name));
          }
          for (
            const [layer, expected] of [
              ["features.3", Math.sqrt(2 / (64 * 25))],
              // Scaled, so that features are as large as torchvision's.
              ["features.10", 0.157 * Math.sqrt(2 / (256 * 9))],
            ] as const
          ) {
            const { mean, variance } = tf.moments(model.frozen.get(`${layer}.weight`));
            assertLess(Math.abs(mean.dataSync()[0]!), 1e-4);
            const deviation = Math.sqrt(variance.dataSync()[0]!);
            assertLess(Math.abs(deviation / expected - 1), 0.01);
          }
          assertEquals(
            Math.max(...model.frozen.get("features.3.bias").dataSync().map(Math.abs)),
            0,
          );
          for (const name of ["classifier.6.weight", "classifier.6.bias"]) {
            const largest = model.parameters.get(name).abs().max().dataSync()[0]!;
            assertLess(largest, 1 / 64);
            assertGreater(largest, 0.5 / 64);
          }
          // No two layers start from the same numbers.
          assertNotEquals(read(model, "classifier.1.weight"), read(model, "classifier.4.weight"));
        })),
  ));

Deno.test("vgg16() and alexnet() have their linear layers, and dropout before them, where torchvision has", () => {
  const both = [
    [VGG16_ARCHITECTURE, golden.vgg16],
    [ALEXNET_ARCHITECTURE, golden.alexnet],
  ] as const;
  for (const [{ linears }, { classifier }] of both) {
    const theirs = classifier.flatMap((layer, i) =>
      layer === "Linear"
        ? [{ name: `classifier.${i}`, dropout: classifier[i - 1] === "Dropout" }]
        : []
    );
    assertEquals(linears, theirs);
    assertEquals(linears.filter(({ dropout }) => dropout).length, 2);
  }
  assertEquals(golden.vgg16.dropout, golden.alexnet.dropout);
});

Deno.test("classify() drops out where torchvision does, each place with a key of its own", () =>
  using(alexnet({ numClasses: 3 }), (model) => {
    const features = tf.randomUniform([4, 9216], 0, 1, "float32", 1) as tf.Tensor2D;
    const key = tf.tensor1d([7, 12], "int32");
    const second = tf.tensor1d([-8, 12], "int32");
    const layer = (x: tf.Tensor2D, name: string) =>
      linear(x, model.parameters, `classifier.${name}`);
    const [first, last] = golden.alexnet.dropout as [number, number];
    let x = relu(layer(dropout(features, first, key), "1"));
    x = relu(layer(dropout(x, last, second), "4"));
    const expected = layer(x, "6").dataSync();
    const actual = model.classify(features, key);
    assertEquals(actual.dataSync(), expected);
    assertNotEquals(model.classify(features).dataSync(), expected);
    const compiled = engine.compile((features: tf.Tensor2D, key: tf.Tensor1D) =>
      model.classify(features, key)
    );
    const logits = compiled(features, key);
    for (const [index, value] of logits.dataSync().entries()) {
      assertLess(Math.abs(value - expected[index]!), 1e-5);
    }
    for (const resource of [compiled, logits, actual, features, key, second]) resource.dispose();
  }));

Deno.test("adaptiveAvgPool2d() equals torch's within 1e-6", () => {
  for (const { size, maps, pooled } of golden.adaptive_avg_pool2d) {
    const x = tf.tensor4d(maps);
    const actual = adaptiveAvgPool2d(x, size);
    const expected = tf.tensor4d(pooled);
    assertEquals(actual.shape, expected.shape);
    assertLess(actual.sub(expected).abs().max().dataSync()[0]!, 1e-6);
    for (const tensor of [x, actual, expected]) tensor.dispose();
  }
});

Deno.test("a network that has been disposed of says so", () => {
  const model = alexnet({ numClasses: 7 });
  model.dispose();
  const images = tf.zeros<tf.Rank.R4>([1, 64, 64, 3]);
  for (const use of [() => model.forward(images), () => model.stateDict()]) {
    assertThrows(use, Error, "This model has been disposed of: build another");
  }
  images.dispose();
});

Deno.test("vgg16() and alexnet() refuse impossible options", () => {
  assertThrows(() => vgg16({ numClasses: 0 }), RangeError, "numClasses");
  assertThrows(() => alexnet({ inChannels: 2 as 1 }), RangeError, "inChannels");
});
