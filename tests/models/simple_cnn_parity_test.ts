/**
 * SimpleCNN against PyTorch (tests/reference/simple_cnn.py): a checkpoint's logits, training from
 * it, and our weights loaded there.
 */

import { assert, assertEquals } from "@std/assert";
import type * as tf from "@tensorflow/tfjs";
import { gunzipSync } from "node:zlib";
import { firstTestDigits } from "../data/mnist.ts";
import { ImageBatches, mnist28, normalizeMnist } from "../../data/image_batches.ts";
import type { Classifier } from "../../models/classifier.ts";
import { simpleCnn } from "../../models/simple_cnn.ts";
import { loadCheckpoint } from "../../models/checkpoint/open_checkpoint.ts";
import { saveCheckpoint } from "../../models/checkpoint/safetensors.ts";
import type { StateDict } from "../../models/checkpoint/state_dict.ts";
import { Trainer } from "../../training/trainer.ts";
import { isSoftwareAdapter, testEngine } from "../engine/engine.ts";
import { noPyTorch } from "../pytorch.ts";

const FIXTURES = `${import.meta.dirname}/../fixtures/simple_cnn/`;
const REFERENCE = `${import.meta.dirname}/../reference/simple_cnn.py`;

const engine = await testEngine();
const golden = await loadCheckpoint(`${FIXTURES}golden.safetensors`);
const start = await loadGzipped("zip.pth.gz");
const digits = await firstTestDigits(100);

/** Largest difference that a parameter may have from PyTorch's. */
const PARAMETER_TOLERANCE = 1e-5;
/**
 * The same for the sum of one output unit's parameters (3,136 in `fc1`). Within three times what one
 * parameter may differ by, so a single wrong one shows, wherever it is: a step moves each by 1e-3.
 */
const UNIT_TOLERANCE = 3e-5;

async function loadGzipped(name: string): Promise<StateDict> {
  const path = await Deno.makeTempFile({ suffix: ".pth" });
  try {
    await Deno.writeFile(path, gunzipSync(await Deno.readFile(FIXTURES + name)));
    return await loadCheckpoint(path);
  } finally {
    await Deno.remove(path);
  }
}

function values(name: string): number[] {
  const tensor = golden.get(name);
  if (tensor === undefined) throw new Error(`golden.safetensors has no ${name}`);
  return Array.from(tensor.data, Number);
}

function assertWithin(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { tolerance, what }: { tolerance: number; what: string },
): void {
  assertEquals(actual.length, expected.length, what);
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    assert(difference <= tolerance, `${what} [${i}] differs by ${difference}, over ${tolerance}`);
  }
}

/** Every n-th value, as the golden file has them. */
function sample(data: ArrayLike<number>): number[] {
  const stride = Math.ceil(data.length / 600);
  return Array.from(
    { length: Math.ceil(data.length / stride) },
    (_, index) => data[index * stride]!,
  );
}

/** Sums over all axes but the first. */
function unitSums(data: ArrayLike<number>, units: number): number[] {
  const size = data.length / units;
  return Array.from({ length: units }, (_, unit) => {
    let sum = 0;
    for (let index = unit * size; index < (unit + 1) * size; index++) sum += data[index]!;
    return sum;
  });
}

function assertParameters(model: Classifier, run: string): void {
  for (const [name, { data, shape }] of model.stateDict()) {
    const numbers = data as Float32Array;
    const key = `${run}.parameters.${name}`;
    assertWithin(sample(numbers), values(`${key}.sample`), {
      tolerance: PARAMETER_TOLERANCE,
      what: key,
    });
    assertWithin(unitSums(numbers, shape[0]!), values(`${key}.sums`), {
      tolerance: UNIT_TOLERANCE,
      what: `a unit's sum of ${key}`,
    });
  }
}

function trainerFromStart(): { model: Classifier; trainer: Trainer } {
  const model = simpleCnn();
  model.loadStateDict(start);
  const trainer = new Trainer(engine, model, new ImageBatches(digits, normalizeMnist), {
    batchSize: 100,
    adam: { learningRate: 0.001, weightDecay: 1e-4 },
    seed: 1,
    dropout: false,
  });
  return { model, trainer };
}

Deno.test("the golden files' digits are the first 100 of MNIST's test digits", async () => {
  const file = gunzipSync(await Deno.readFile(`${FIXTURES}digits.bin.gz`));
  assertEquals(new Uint8Array(file.subarray(0, 78_400)), digits.images);
  assertEquals(new Uint8Array(file.subarray(78_400)), digits.labels);
  assertEquals(values("labels"), Array.from(digits.labels));
});

Deno.test("loadCheckpoint() reads the same SimpleCNN from both of torch.save's forms", async () => {
  const stream = await loadGzipped("stream.pth.gz");
  assertEquals([...stream.keys()], [...start.keys()]);
  for (const [name, { dtype, shape, data }] of stream) {
    const other = start.get(name)!;
    assertEquals([dtype, shape], [other.dtype, other.shape], name);
    assertEquals(data, other.data, name);
  }
});

Deno.test("stateDict() gives back a PyTorch checkpoint bit for bit", () => {
  const model = simpleCnn();
  model.loadStateDict(start);
  const state = model.stateDict();
  assertEquals([...state.keys()], [...start.keys()]);
  for (const [name, tensor] of state) assertEquals(tensor, start.get(name), name);
  model.dispose();
});

/** Digits whose logits are compared. */
const COMPARED = isSoftwareAdapter() ? 10 : 100;

Deno.test(`forward() gives PyTorch's logits on ${COMPARED} digits`, () => {
  const model = simpleCnn();
  model.loadStateDict(start);
  const images = mnist28(digits.images.subarray(0, 784 * COMPARED));
  const compiled = engine.compile((images: tf.Tensor4D) => model.forward(images));
  for (const [how, forward] of [["eager", model.forward], ["compiled", compiled]] as const) {
    const logits = forward(images);
    assertEquals(logits.shape, [COMPARED, 10]);
    // The issue asks for 1e-4. These logits lie within ±0.08 and come out to about 1e-8.
    const expected = values("logits").slice(0, 10 * COMPARED);
    assertWithin(logits.dataSync(), expected, { tolerance: 1e-6, what: `${how} logits` });
    logits.dispose();
  }
  compiled.dispose();
  images.dispose();
  model.dispose();
});

Deno.test({
  name: "Trainer makes PyTorch's step from a checkpoint",
  // The five steps below have as many images.
  ignore: isSoftwareAdapter(),
  fn() {
    const { model, trainer } = trainerFromStart();
    const [loss] = trainer.trainBatch(Int32Array.from({ length: 100 }, (_, index) => index));
    assertWithin([loss], values("one.losses"), { tolerance: 1e-6, what: "the loss" });
    assertParameters(model, "one");
    trainer.dispose();
    model.dispose();
  },
});

Deno.test("Trainer makes PyTorch's five steps of Adam with L2 from a checkpoint", () => {
  const { model, trainer } = trainerFromStart();
  const losses = Array.from({ length: 5 }, (_, step) => {
    const batch = Int32Array.from({ length: 20 }, (_, i) => (7 * (20 * step + i) + 3) % 100);
    return trainer.trainBatch(batch)[0];
  });
  // A change of 1e-6 in every parameter would change a loss here by some 1e-4.
  assertWithin(losses, values("five.losses"), { tolerance: 1e-5, what: "a loss" });
  assertParameters(model, "five");
  for (const [name, { m, v }] of trainer.optimizer.moments) {
    for (const [kind, moment] of [["exp_avg", m], ["exp_avg_sq", v]] as const) {
      const key = `five.${kind}.${name}`;
      const expected = values(`${key}.sample`);
      const largest = Math.max(...expected.map(Math.abs));
      const data = model.parameters.toState(moment, name).data as Float32Array;
      assertWithin(sample(data), expected, {
        // TensorFlow's 1 - 0.999 in float32 is 1.3e-5 from 0.001, which Adam's step allows for.
        tolerance: largest * (kind === "exp_avg" ? 1e-5 : 3e-5),
        what: key,
      });
    }
  }
  trainer.dispose();
  model.dispose();
});

const reason = await noPyTorch();
if (reason !== undefined) console.log(`Skipping the test that asks PyTorch itself: ${reason}`);

Deno.test({
  name: "saveCheckpoint() writes weights that PyTorch loads strictly, for the same logits",
  ignore: reason !== undefined || isSoftwareAdapter(),
  fn: async () => {
    const model = simpleCnn({ seed: 5 });
    const images = mnist28(digits.images);
    const logits = model.forward(images);
    const path = await Deno.makeTempFile({ suffix: ".safetensors" });
    try {
      await saveCheckpoint(path, model.stateDict());
      const python = new Deno.Command("python3", { args: [REFERENCE, path] });
      const { success, stdout, stderr } = await python.output();
      assert(success, new TextDecoder().decode(stderr));
      const theirs: number[][] = JSON.parse(new TextDecoder().decode(stdout));
      assertWithin(logits.dataSync(), theirs.flat(), { tolerance: 1e-6, what: "logits" });
    } finally {
      await Deno.remove(path);
      for (const resource of [logits, images, model]) resource.dispose();
    }
  },
});
