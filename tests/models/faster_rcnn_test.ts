/** Faster R-CNN against torchvision's fasterrcnn_resnet50_fpn (tests/reference/faster_rcnn.py). */

import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { formulaWeight, image } from "../../bench/faster_rcnn_formulas.ts";
import { bfloat16Problem } from "../../engine/tensorflow/bfloat16_support.ts";
import { prefersTwoImages } from "../../engine/tensorflow/conv2d_kernel.ts";
import { StudyError } from "../../io/errors.ts";
import type { StateDict } from "../../models/checkpoint/state_dict.ts";
import { FasterRcnn, type LoadDetectorOptions } from "../../models/faster_rcnn.ts";
import type { Detection } from "../../models/label_mapping.ts";
import {
  nativeTensors,
  onceForAllBackends,
  tensorflowBackend,
  testEngine,
} from "../engine/engine.ts";
import { boxesIn } from "./faster_rcnn_samples.ts";

const engine = await testEngine();

/** One call of torchvision's detector. */
interface GoldenCase {
  classes: 11 | 91;
  images: [height: number, width: number][];
  epsilon?: number;
  min_size?: number;
  max_size?: number;
  seed: number;
  /** Of each level of the pyramid about 20 values, evenly spread. */
  features: number[][];
  /** Of three boxes per image, every 16th feature. */
  boxFeatures?: number[];
  detections: {
    proposals: number;
    firstProposals: number[];
    boxes: number[];
    scores: number[];
    labels: number[];
  }[];
}

const golden: GoldenCase[] = JSON.parse(
  await Deno.readTextFile(`${import.meta.dirname}/../fixtures/faster_rcnn/detector.json`),
);

/** The formula's weights; all but the predictor are the same for any number of classes. */
const shared = new Map<string, StateDict>();

/** A model's state dict by the formula, drawn once per shape. */
function formulaState(model: FasterRcnn): StateDict {
  const key = String(model.numClasses);
  const other = [...shared.values()][0];
  let state = shared.get(key);
  if (state === undefined) {
    const shapes = [...model.shapes];
    state = new Map(shapes.map(([name, shape], i) => {
      const known = other?.get(name);
      if (known !== undefined && String(known.shape) === String(shape)) return [name, known];
      const data = formulaWeight(name, shape, 1001 + i);
      return [name, { dtype: "float32", shape: [...shape], data }];
    }));
    shared.set(key, state);
  }
  return state;
}

const SMALL = { minSize: 160, maxSize: 267 };
const models = new Map<string, FasterRcnn>();

/** The detector of a case; one for all cases of its kind. */
function modelOf({ classes, epsilon = 1e-5, min_size, max_size }: GoldenCase): FasterRcnn {
  const key = `${classes} ${epsilon} ${min_size}`;
  let model = models.get(key);
  if (model === undefined) {
    const sizes = min_size && max_size ? { minSize: min_size, maxSize: max_size } : {};
    model = new FasterRcnn({ numClasses: classes, ...sizes });
    model.loadStateDict(formulaState(model), { batchNormEpsilon: epsilon });
    models.set(key, model);
  }
  return model;
}

function imagesOf({ images, seed }: GoldenCase): tf.Tensor3D[] {
  return images.map(([h, w], i) => tf.tensor3d(image(seed + i, h, w), [h, w, 3]));
}

function largestDifference(actual: ArrayLike<number>, expected: readonly number[]): number {
  assertEquals(actual.length, expected.length);
  return Math.max(0, ...expected.map((value, i) => Math.abs(actual[i]! - value)));
}

function assertDetection(actual: Detection, expected: GoldenCase["detections"][number]): void {
  if (engine.backend !== "tensorflow" || prefersTwoImages()) {
    return assertSameBoxes(actual, expected);
  }
  assertEquals([...actual.labels], expected.labels);
  // The issue asks for 1e-3 and 0.1 pixel.
  const scores = largestDifference(actual.scores, expected.scores);
  assert(scores <= 1e-4, `scores differ by ${scores}`);
  const boxes = largestDifference(actual.boxes, expected.boxes);
  assert(boxes <= 0.01, `boxes differ by ${boxes} pixels`);
}

/**
 * The same within the same tolerances, in any order, but for one box in fifty: these weights yield
 * boxes a fifth of a pixel high, and the last bits of float32 decide whether two of them overlap by
 * half, so that one of them goes. TensorFlow's happen to be decided as PyTorch's, but not with oneDNN
 * on AVX2.
 */
function assertSameBoxes(
  { scores, labels, boxes }: Detection,
  expected: GoldenCase["detections"][number],
): void {
  assertEquals(labels.length, expected.labels.length);
  const boxOf = (all: ArrayLike<number>, i: number) => Array.from(all).slice(4 * i, 4 * i + 4);
  const missing = expected.labels.filter((label, i) =>
    !labels.some((found, j) =>
      found === label && Math.abs(scores[j]! - expected.scores[i]!) <= 1e-4 &&
      largestDifference(boxOf(boxes, j), boxOf(expected.boxes, i)) <= 0.01
    )
  );
  assert(missing.length <= labels.length / 50, `${missing.length} boxes are missing`);
}

/** What `detect()` finds and the proposals on its way, with maps that are the caller's to free. */
async function proposedAndFound(
  model: FasterRcnn,
  images: readonly tf.Tensor3D[],
): Promise<Pick<Proposed, "pyramid" | "proposals"> & { found: Detection[] }> {
  let seen: Proposed | undefined;
  const propose = model.propose.bind(model);
  model.propose = async (batch) => {
    const proposed = await propose(batch);
    const maps = proposed.pyramid.maps.map((map) => map.clone());
    seen = { ...proposed, pyramid: { ...proposed.pyramid, maps } };
    return proposed;
  };
  try {
    const found = await model.detect(images);
    return { ...seen!, found };
  } finally {
    model.propose = propose;
  }
}

type Proposed = Awaited<ReturnType<FasterRcnn["propose"]>>;

for (const example of golden) {
  const { classes, images, epsilon, min_size = 800, features, detections } = example;
  const what = `${images.map((size) => size.join("×")).join(" and ")} at ${min_size}, ` +
    `${classes} classes${epsilon === 0 ? ", epsilon 0" : ""}`;
  Deno.test(`detect() equals torchvision's on ${what}`, async () => {
    const model = modelOf(example);
    const inputs = imagesOf(example);
    const { pyramid, proposals, found } = await proposedAndFound(model, inputs);
    for (const [level, map] of pyramid.maps.entries()) {
      const [n, h, w, c] = map.shape;
      const inner = map.slice([0, 1, 1, 0], [n, h - 2, w - 2, c]);
      const values = inner.dataSync();
      inner.dispose();
      const stride = Math.floor(values.length / 20) + 1;
      const some = features[level]!.map((_, i) => values[i * stride]!);
      const difference = largestDifference(some, features[level]!);
      assert(difference <= 1e-4, `features of level ${level} differ by ${difference}`);
    }
    tf.dispose([...pyramid.maps]);
    for (const [i, { boxes, scores }] of proposals.entries()) {
      const expected = detections[i]!;
      assertEquals(scores.length, expected.proposals);
      const difference = largestDifference(boxes.subarray(0, 80), expected.firstProposals);
      assert(difference <= 0.01, `proposals differ by ${difference} pixels`);
    }
    assertEquals(found.length, images.length);
    for (const [i, detection] of found.entries()) assertDetection(detection, detections[i]!);
    tf.dispose(inputs);
  });
}

/** The unequal pair of images. */
const pair = golden.find(({ boxFeatures }) => boxFeatures !== undefined)!;

/** Three boxes in each image of `pair`. */
function pairBoxes(): Float32Array[] {
  return pair.images.map(([height, width], i) => boxesIn(50 + i, 3, { height, width, most: 20 }));
}

Deno.test("boxFeatures() equals torchvision's box head on given boxes", async () => {
  const images = imagesOf(pair);
  const features = await modelOf(pair).boxFeatures(images, pairBoxes());
  assertEquals(features.length, 6 * 1024);
  const some = features.filter((_, i) => i % 16 === 0);
  const difference = largestDifference(some, pair.boxFeatures!);
  assert(difference <= 1e-4, `features differ by ${difference}`);
  const none = pair.images.map(() => new Float32Array(0));
  assertEquals((await modelOf(pair).boxFeatures(images, none)).length, 0);
  await assertRejects(() => modelOf(pair).boxFeatures(images, []), RangeError, "0 arrays of boxes");
  tf.dispose(images);
});

Deno.test("detect() and boxFeatures() keep nothing on the device from call to call", async () => {
  const model = modelOf(pair);
  const images = imagesOf(pair);
  await model.detect(images); // uploads them
  const before = [tf.memory().numTensors, nativeTensors()];
  // Slow backends have one round.
  const rounds = engine.backend === "tensorflow" ? 3 : 1;
  for (let round = 0; round < rounds; round++) {
    await model.detect(images);
    await model.boxFeatures(images, pairBoxes());
  }
  assertEquals([tf.memory().numTensors, nativeTensors()], before);
  tf.dispose(images);
});

Deno.test("detect() takes normalised images as they are with a mean of 0 and deviations of 1", async () => {
  const options = { ...SMALL, numClasses: 11 };
  const plain = new FasterRcnn({ ...options, imageMean: [0, 0, 0], imageStd: [1, 1, 1] });
  plain.loadStateDict(formulaState(plain));
  const images = imagesOf(pair);
  const normalised = images.map((image) =>
    image.sub([0.485, 0.456, 0.406]).div<tf.Tensor3D>([0.229, 0.224, 0.225])
  );
  const found = await plain.detect(normalised);
  for (const [i, detection] of found.entries()) assertDetection(detection, pair.detections[i]!);
  tf.dispose([images, normalised]);
  plain.dispose();
});

Deno.test("detect() refuses what is no RGB image, and finds nothing in none", async () => {
  const grey = tf.zeros<tf.Rank.R3>([8, 8, 1]);
  const model = modelOf(pair);
  await assertRejects(() => model.detect([grey]), RangeError, "current shape is [8,8,1]");
  assertEquals(await model.detect([]), []);
  grey.dispose();
});

// PyTorch's interpolate() refuses it too: "Input and output sizes should be greater than 0".
Deno.test("detect() refuses an image of which resizing would leave no pixels", async () => {
  const model = new FasterRcnn({ minSize: 64, maxSize: 64 });
  for (const [height, width, resized] of [[5, 900, "0 × 64"], [900, 5, "64 × 0"]] as const) {
    const image = tf.zeros<tf.Rank.R3>([height, width, 3]);
    await assertRejects(
      () => model.detect([image]),
      RangeError,
      `Cannot detect in images[0] as both sides must keep a pixel when resized: ` +
        `${height} × ${width} becomes ${resized}`,
    );
    image.dispose();
  }
  model.dispose();
});

Deno.test("a detector that has been disposed of says so, and makes nothing anew", async () => {
  const model = new FasterRcnn({ ...SMALL, numClasses: 11 });
  const state = model.stateDict();
  const image = tf.zeros<tf.Rank.R3>([32, 32, 3]);
  model.dispose();
  const before = tf.memory().numTensors;
  const refusal = "This model has been disposed of: build another";
  await assertRejects(() => model.detect([image]), Error, refusal);
  await assertRejects(() => model.boxFeatures([image], [new Float32Array(4)]), Error, refusal);
  assertThrows(() => model.loadStateDict(state), Error, refusal);
  assertThrows(() => model.stateDict(), Error, refusal);
  assertEquals(tf.memory().numTensors, before);
  image.dispose();
});

Deno.test(
  "loadStateDict() takes torchvision's first spelling, and leaves the predictor on request",
  async () => {
    const model = new FasterRcnn({ ...SMALL, numClasses: 11, seed: 3 });
    const older: StateDict = new Map(
      [...formulaState(modelOf({ ...pair, classes: 91 }))].map(([name, tensor]) => [
        name.replace(/^(backbone\.fpn\.\w+\.\d)\.0\./, "$1.").replace("conv.0.0.", "conv."),
        tensor,
      ]),
    );
    assert(older.has("backbone.fpn.inner_blocks.0.weight") && older.has("rpn.head.conv.weight"));
    const predictor = model.predictor.stateDict();
    assertThrows(() => model.loadStateDict(older), StudyError, "cls_score.weight [91,1024]");
    model.loadStateDict(older, { keepPredictor: true });
    const state = model.stateDict();
    assertEquals([...state.keys()], [...formulaState(modelOf(pair)).keys()]);
    for (const [name, tensor] of predictor) assertEquals(state.get(name), tensor, name);
    const name = "backbone.body.layer1.0.bn1.running_var";
    assertEquals(state.get(name), older.get(name));

    model.predictor.load(formulaPredictor(), "the predictor");
    const images = imagesOf(pair);
    const found = await model.detect(images);
    for (const [i, detection] of found.entries()) assertDetection(detection, pair.detections[i]!);
    tf.dispose(images);
    model.dispose();
  },
);

Deno.test("loadStateDict() keeps a detector's epsilon unless told another, 1e-5 at first", () => {
  using model = new FasterRcnn({ ...SMALL, numClasses: 11 });
  const state = formulaState(modelOf(pair));
  model.loadStateDict(state);
  assertEquals(model.batchNormEpsilon, 1e-5);
  model.loadStateDict(state, { batchNormEpsilon: 0 });
  model.loadStateDict(model.stateDict());
  assertEquals(model.batchNormEpsilon, 0);
});

/** The predictor's part of the formula's weights for 11 classes. */
function formulaPredictor(): StateDict {
  return new Map(
    [...formulaState(modelOf(pair))].filter(([name]) => name.startsWith("roi_heads.box_predictor")),
  );
}

Deno.test(
  "loadStateDict() ignores counters of batches, and lists what does not fit",
  onceForAllBackends(),
  () => {
    const model = modelOf(pair);
    const state = new Map(formulaState(model));
    const counter = { dtype: "int64", shape: [], data: BigInt64Array.of(0n) } as const;
    state.set("backbone.body.bn1.num_batches_tracked", { ...counter, shape: [] });
    model.loadStateDict(state);
    state.delete("backbone.body.conv1.weight");
    assertThrows(
      () => model.loadStateDict(state),
      StudyError,
      "1 missing (backbone.body.conv1.weight)",
    );
  },
);

Deno.test("loadStateDict() of a detector refuses a value that is not finite, but in a predictor left out", () => {
  const model = new FasterRcnn({ ...SMALL, numClasses: 11 });
  const state = new Map(formulaState(modelOf(pair)));
  const spoil = (name: string) => {
    const { dtype, shape, data } = state.get(name)!;
    state.set(name, { dtype, shape, data: (data as Float32Array).map(() => NaN) });
  };
  spoil("roi_heads.box_predictor.cls_score.bias");
  model.loadStateDict(state, { keepPredictor: true });
  const load = (options: LoadDetectorOptions) =>
    assertThrows(() => model.loadStateDict(state, options), StudyError).message;
  assertEquals(
    load({ path: "d.pth" }),
    "d.pth: roi_heads.box_predictor.cls_score.bias has values that are not finite; give other weights",
  );
  spoil("backbone.body.bn1.running_var");
  assertEquals(
    load({ keepPredictor: true }),
    "Faster R-CNN: backbone.body.bn1.running_var has values that are not finite; give other weights",
  );
  model.dispose();
});

Deno.test("a detector without weights has torchvision's initial ones, a function of the seed", () => {
  const [first, second, other] = [7, 7, 8].map((seed) => {
    const model = new FasterRcnn({ numClasses: 11, seed });
    const state = model.stateDict();
    model.dispose();
    return state;
  });
  for (const [name, tensor] of first!) {
    if (tensor.data.length < 20_000) assertEquals(tensor, second!.get(name), name);
  }
  const deviation = (name: string) => {
    const values = first!.get(name)!.data as Float32Array;
    return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
  };
  const close = (name: string, expected: number) => {
    const relative = deviation(name) / expected;
    assert(Math.abs(relative - 1) < 0.05, `${name}: ${relative}`);
  };
  // Normal by outputs, uniform by inputs, and normal with 0.01.
  close("backbone.body.conv1.weight", Math.sqrt(2 / (64 * 49)));
  close("backbone.body.layer2.0.conv3.weight", Math.sqrt(2 / 512));
  close("backbone.fpn.inner_blocks.3.0.weight", Math.sqrt(1 / 2048));
  close("rpn.head.bbox_pred.weight", 0.01);
  close("roi_heads.box_head.fc7.weight", Math.sqrt(1 / 3 / 1024));
  close("roi_heads.box_predictor.cls_score.weight", Math.sqrt(1 / 3 / 1024));
  assertEquals(deviation("rpn.head.conv.0.0.bias"), 0);
  assertEquals(deviation("backbone.body.bn1.running_var"), 1);
  assertNotEquals(
    first!.get("backbone.body.conv1.weight")!.data,
    other!.get("backbone.body.conv1.weight")!.data,
  );
});

Deno.test({
  name: "boxFeatures() in bfloat16 is that of float32, rounded",
  ignore: engine.backend !== "tensorflow" || bfloat16Problem(engine.device) !== undefined,
  fn: async () => {
    const images = imagesOf(pair);
    const expected = await modelOf(pair).boxFeatures(images, pairBoxes());
    const model = new FasterRcnn({ ...SMALL, numClasses: 11 });
    model.loadStateDict(formulaState(model));
    const backend = tensorflowBackend();
    backend.precision = "bfloat16";
    try {
      const features = await model.boxFeatures(images, pairBoxes());
      const largest = Math.max(...expected);
      const difference = largestDifference(features, [...expected]) / largest;
      assert(difference > 1e-4 && difference < 0.05, `relative difference ${difference}`);
    } finally {
      backend.precision = "float32";
      tf.dispose(images);
      model.dispose();
    }
  },
});
