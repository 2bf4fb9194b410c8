/** Training of a predictor, against torchvision (tests/reference/head_training.py). */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import type { ImageSet } from "../../data/dataset.ts";
import { loadMnist } from "../data/mnist.ts";
import { InterruptedError, StudyError } from "../../io/errors.ts";
import { decodeBoxes, encodeBoxes } from "../../models/detection/boxes.ts";
import { bias, linearWeight, Parameters } from "../../models/parameters.ts";
import type { StateDict } from "../../models/checkpoint/state_dict.ts";
import { restoreTraining, saveTraining } from "../../training/checkpoint.ts";
import {
  type Box,
  BOXES_PER_IMAGE,
  digitBox,
  overlap,
  sampleBoxes,
} from "../../training/detection/digit_boxes.ts";
import { fastRcnnLoss } from "../../training/detection/fast_rcnn_loss.ts";
import {
  boxFeatureExtractor,
  FEATURES_PER_IMAGE,
  labelledBoxes,
} from "../../training/detection/box_features.ts";
import { BoxBatches, boxLoss, boxPredictor } from "../../training/detection/box_predictor.ts";
import { Trainer } from "../../training/trainer.ts";
import { nativeTensors, testEngine } from "../engine/engine.ts";
import { withFolder } from "../report/result_rows.ts";

const engine = await testEngine();
const { train } = await loadMnist();

interface Golden {
  pairs: {
    truths: number[][];
    proposals: number[][];
    targets: number[][];
    ious: number[];
    decoded: number[][];
  };
  start: Record<string, number[]>;
  features: number[];
  labels: number[];
  deltas: number[];
  losses: number[];
  correct: number[];
  states: Record<string, number[]>[];
  backgroundOnly: number;
}

const golden: Golden = JSON.parse(
  Deno.readTextFileSync(`${import.meta.dirname}/../fixtures/head_training.json`),
);

const WEIGHTS = [10, 10, 5, 5] as const;
const SIDE = 224;
const FEATURES = 6;
const CLASSES = 11;

function first({ images, labels }: ImageSet, count: number): ImageSet {
  return { images: images.slice(0, count * 784), labels: labels.slice(0, count), count };
}

function pixelsOf(image: number): Uint8Array {
  return train.images.subarray(image * 784, (image + 1) * 784);
}

function assertClose(
  actual: ArrayLike<number>,
  expected: readonly number[],
  { tolerance, what }: { tolerance: number; what: string },
): void {
  assertEquals(actual.length, expected.length, what);
  for (const [i, value] of expected.entries()) {
    assert(
      Math.abs(actual[i]! - value) <= tolerance,
      `${what} [${i}] is ${actual[i]}, not ${value}`,
    );
  }
}

Deno.test("digitBox() is the smallest box around the ink, enlarged", () => {
  const pixels = new Uint8Array(784);
  pixels[3 * 28 + 5] = 255;
  assertEquals(digitBox(pixels, SIDE), [40, 24, 48, 32]);
  pixels[20 * 28 + 9] = 32;
  assertEquals(digitBox(pixels, SIDE), [40, 24, 80, 168]);
  // Too faint to count.
  pixels[27 * 28 + 27] = 31;
  assertEquals(digitBox(pixels, SIDE), [40, 24, 80, 168]);
  assertEquals(digitBox(pixels, 28), [5, 3, 10, 21]);
  pixels.fill(255);
  assertEquals(digitBox(pixels, SIDE), [0, 0, SIDE, SIDE]);
});

Deno.test("digitBox() of an empty image is all of it", () => {
  assertEquals(digitBox(new Uint8Array(784), SIDE), [0, 0, SIDE, SIDE]);
});

Deno.test("overlap() equals torchvision's box_iou", () => {
  const { truths, proposals, ious } = golden.pairs;
  const ours = truths.map((truth, i) => overlap(truth as [...Box], proposals[i] as [...Box]));
  // float32 against float64.
  assertClose(ours, ious, { tolerance: 1e-6, what: "IoU" });
  assert(ious.some((iou) => iou === 0) && ious.some((iou) => iou > 0.2));
});

Deno.test("sampleBoxes() keeps to its side of IoU 0.5 and to the image", () => {
  const extreme: Box[] = [[0, 0, 224, 224], [0, 0, 8, 8], [216, 0, 224, 224], [100, 100, 108, 108]];
  const digits = Array.from({ length: 200 }, (_, image) => digitBox(pixelsOf(image), SIDE));
  for (const [image, digit] of [...extreme, ...digits].entries()) {
    const { boxes, positives } = sampleBoxes(digit, { side: SIDE, seed: 1, image });
    assertEquals([boxes.length, positives], [BOXES_PER_IMAGE, 16]);
    assertEquals(boxes[0], digit);
    for (const [i, box] of boxes.entries()) {
      const iou = overlap(box, digit);
      assertEquals(iou >= 0.5, i < positives, `box ${i} of image ${image} has IoU ${iou}`);
      const [x1, y1, x2, y2] = box;
      assert(0 <= x1 && x1 < x2 && x2 <= SIDE && 0 <= y1 && y1 < y2 && y2 <= SIDE, `${box}`);
    }
    assertEquals(new Set(boxes.map(String)).size, BOXES_PER_IMAGE);
  }
});

Deno.test("sampleBoxes() depends on seed and image alone", () => {
  const digit = digitBox(pixelsOf(0), SIDE);
  const sample = (seed: number, image: number) =>
    sampleBoxes(digit, { side: SIDE, seed, image }).boxes;
  assertEquals(sample(1, 5), sample(1, 5));
  assertNotEquals(sample(1, 5), sample(2, 5));
  assertNotEquals(sample(1, 5), sample(1, 6));
});

Deno.test("encodeBoxes() and decodeBoxes() with the head's factors equal torchvision's", () => {
  const { truths, proposals, targets, decoded } = golden.pairs;
  const starts = Float32Array.from(proposals.flat());
  const codes = encodeBoxes(Float32Array.from(truths.flat()), starts, WEIGHTS);
  for (const [i, value] of targets.flat().entries()) {
    // Coordinates rounded to float32, up to 40 proposals' sizes apart.
    const tolerance = 2e-5 * Math.max(1, Math.abs(value));
    assertAlmostEquals(codes[i]!, value, tolerance, `target ${i}`);
  }
  assertClose(decodeBoxes(codes, starts, WEIGHTS), decoded.flat(), {
    tolerance: 0.01,
    what: "corner",
  });
});

Deno.test("labelledBoxes() gives each digit box its class and the way to the digit's own", () => {
  const set = first(train, 20);
  const { boxes, labels, targets } = labelledBoxes(set, 3);
  assertEquals([boxes.length, labels.length, targets.length], [20, 1280, 5120]);
  for (const [image, corners] of boxes.entries()) {
    const start = image * BOXES_PER_IMAGE;
    const own = Array.from(labels.subarray(start, start + BOXES_PER_IMAGE));
    assertEquals(own, [...Array(16).fill(1 + set.labels[image]!), ...Array(48).fill(0)]);
    const deltas = targets.subarray(4 * start, 4 * (start + BOXES_PER_IMAGE));
    const decoded = decodeBoxes(deltas.slice(0, 64), corners.slice(0, 64), WEIGHTS);
    const digit = digitBox(set.images.subarray(image * 784, (image + 1) * 784), SIDE);
    const expected = Array(16).fill(digit).flat();
    assertClose(decoded, expected, { tolerance: 1e-3, what: `box of image ${image}` });
    assertEquals(Array.from(deltas.subarray(0, 4)), [0, 0, 0, 0]);
    assert(deltas.subarray(64).every((delta) => delta === 0));
  }
});

/** The predictor that the golden values start from. */
function goldenPredictor(): Parameters {
  const names = ["cls_score", "bbox_pred"] as const;
  const outputs = { cls_score: CLASSES, bbox_pred: 4 * CLASSES };
  const layouts = new Map(names.flatMap((name) => [
    [`roi_heads.box_predictor.${name}.weight`, linearWeight(FEATURES, outputs[name])],
    [`roi_heads.box_predictor.${name}.bias`, bias(outputs[name], FEATURES)],
  ]));
  const predictor = new Parameters(layouts, ({ torchShape }) => tf.zeros([...torchShape]));
  const state: StateDict = new Map([...layouts].map(([name, { torchShape }]) => [name, {
    dtype: "float32",
    shape: [...torchShape],
    data: Float32Array.from(golden.start[name.replace("roi_heads.box_predictor.", "")]!),
  }]));
  predictor.load(state, "the golden predictor");
  return predictor;
}

const goldenBoxes = {
  features: Float32Array.from(golden.features),
  labels: Int32Array.from(golden.labels),
  targets: Float32Array.from(golden.deltas),
};

function goldenTrainer(predictor: Parameters, boxes: BoxBatches, learningRate = 0.01) {
  return new Trainer(engine, boxPredictor(predictor), boxes, {
    loss: boxLoss,
    batchSize: 5,
    adam: { learningRate, weightDecay: 1e-4 },
    seed: 1,
  });
}

Deno.test("A box predictor's steps equal torchvision's loss with torch.optim.Adam", () => {
  const predictor = goldenPredictor();
  const boxes = new BoxBatches(goldenBoxes);
  const trainer = goldenTrainer(predictor, boxes);
  const all = Int32Array.from(golden.labels.keys());
  for (const [step, expected] of golden.losses.entries()) {
    const [loss, correct] = trainer.trainBatch(all);
    assertAlmostEquals(loss, expected, 3e-6, `loss of step ${step + 1}`);
    assertEquals(correct, golden.correct[step]);
    for (const [name, { data }] of predictor.stateDict()) {
      const state = golden.states[step]![name.replace("roi_heads.box_predictor.", "")]!;
      // Adam divides small gradients by their own size.
      assertClose(data as Float32Array, state, { tolerance: 2e-5, what: name });
    }
  }
  assertNotEquals(golden.states[0], golden.start);
  trainer.dispose();
  boxes[Symbol.dispose]();
  predictor.dispose();
});

Deno.test("fastRcnnLoss() of background alone is its cross-entropy", () => {
  tf.tidy(() => {
    const wide = tf.linspace(-4, 4, 3 * CLASSES * 4).reshape<tf.Tensor2D>([3, 4 * CLASSES]);
    const logits = wide.slice<tf.Tensor2D>([0, 0], [3, CLASSES]);
    const loss = fastRcnnLoss(logits, wide, tf.zeros([3], "int32"), tf.ones([3, 4]));
    assertAlmostEquals(loss.dataSync()[0]!, golden.backgroundOnly, 1e-6);
  });
});

Deno.test("A box predictor is trained on every box, stops when aborted, and a bad step is named", async () => {
  const predictor = goldenPredictor();
  using boxes = new BoxBatches(goldenBoxes);
  const still = goldenTrainer(predictor, boxes, Number.MIN_VALUE);
  const { correct, seen, loss } = await still.trainEpoch(1);
  assertEquals([correct, seen, still.step], [golden.correct[0], golden.labels.length, 3]);
  assert(Number.isFinite(loss));
  const signal = AbortSignal.abort();
  await assertRejects(() => still.trainEpoch(2, undefined, signal), InterruptedError);
  still.dispose();
  const wild = goldenTrainer(predictor, boxes, 1e30);
  const error = await assertRejects(() => wild.trainEpoch(1), StudyError);
  assert(/at step (\d) \(epoch 1, batch \1 of 3\).*--lr/.test(error.message), error.message);
  wild.dispose();
  predictor.dispose();
});

Deno.test("A box predictor's training goes on from a checkpoint to the same bits", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "checkpoint.safetensors");
    using boxes = new BoxBatches(goldenBoxes);
    const make = () => {
      const predictor = goldenPredictor();
      const model = {
        parameters: predictor,
        stateDict: () => predictor.stateDict(),
        loadStateDict: (state: StateDict) => predictor.load(state, "the predictor"),
      };
      return { model, trainer: goldenTrainer(predictor, boxes) };
    };
    const [whole, resumed] = [make(), make()];
    const history = [await whole.trainer.trainEpoch(1)];
    await saveTraining(path, whole.model, whole.trainer, { settings: {}, history });
    await whole.trainer.trainEpoch(2);
    await resumed.trainer.trainEpoch(9);
    const restored = await restoreTraining(path, resumed.model, resumed.trainer);
    assertEquals(restored.history, history);
    await resumed.trainer.trainEpoch(2);
    assertEquals(resumed.model.stateDict(), whole.model.stateDict());
    for (const { model, trainer } of [whole, resumed]) {
      trainer.dispose();
      model.parameters.dispose();
    }
  }));

Deno.test("A box predictor's training holds no more tensors after 30 steps, and none when freed", () => {
  const counts = () => [nativeTensors(), tf.memory().numTensors] as const;
  const before = counts();
  const predictor = goldenPredictor();
  const boxes = new BoxBatches(goldenBoxes);
  const trainer = goldenTrainer(predictor, boxes);
  const batch = Int32Array.of(0, 1, 2, 3);
  trainer.trainBatch(batch);
  const [native, ours] = counts();
  for (let step = 0; step < 30; step++) trainer.trainBatch(batch);
  assert(counts()[0] <= native, `${native} grew to ${counts()[0]} in TensorFlow`);
  assertEquals(counts()[1], ours);
  trainer.dispose();
  boxes[Symbol.dispose]();
  predictor.dispose();
  assert(counts()[0] <= before[0], `${counts()[0] - before[0]} left in TensorFlow`);
  assertEquals(counts()[1], before[1]);
});

Deno.test("boxFeatureExtractor() computes each box's features, batch by batch", async () => {
  const set = first(train, 7);
  const { boxes } = labelledBoxes(set, 1);
  const calls: number[] = [];
  // A box's features: its first corner, and the image's mean.
  const detector = {
    boxFeatures(images: tf.Tensor3D[], given: Float32Array[]): Promise<Float32Array> {
      calls.push(images.length);
      const features = images.flatMap((image, i) => {
        const mean = tf.tidy(() => image.mean().dataSync()[0]!);
        return Array.from({ length: given[i]!.length / 4 }, (_, box) => {
          const values = new Float32Array(FEATURES_PER_IMAGE / BOXES_PER_IMAGE).fill(mean);
          values[0] = given[i]![4 * box]!;
          return [...values];
        });
      });
      return Promise.resolve(Float32Array.from(features.flat()));
    },
  };
  const transform = (pixels: tf.Tensor) =>
    tf.tidy(() => pixels.reshape<tf.Tensor4D>([-1, 28, 28, 1]).tile([1, 1, 1, 3])) as tf.Tensor4D;
  const before = tf.memory().numTensors;
  const extractor = boxFeatureExtractor(detector, set, { boxes, batchSize: 2, transform });
  const progress: number[] = [];
  const options = { onProgress: (done: number) => progress.push(done) };
  const features = await extractor.extract(2, 5, options);
  assertEquals([calls, progress], [[2, 2, 1], [2, 4, 5]]);
  assertEquals(features.length, 5 * FEATURES_PER_IMAGE);
  for (let image = 0; image < 5; image++) {
    const pixels = set.images.subarray((2 + image) * 784, (3 + image) * 784);
    const mean = pixels.reduce((sum, value) => sum + value, 0) / 784;
    for (let box = 0; box < BOXES_PER_IMAGE; box++) {
      const at = image * FEATURES_PER_IMAGE + box * FEATURES_PER_IMAGE / BOXES_PER_IMAGE;
      assertEquals(features[at], boxes[2 + image]![4 * box]);
      assertAlmostEquals(features[at + 1]!, mean, 1e-3);
    }
  }
  await assertRejects(
    () => extractor.extract(0, 2, { signal: AbortSignal.abort() }),
    InterruptedError,
  );
  assertEquals(tf.memory().numTensors, before);
});
