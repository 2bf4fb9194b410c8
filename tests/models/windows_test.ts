/** Feature maps computed in windows, against the whole maps. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { contentBox } from "../../data/content_box.ts";
import type { Box } from "../../data/grey_picture.ts";
import { resizedBox, rgb224 } from "../../data/rgb224.ts";
import { alexnet, ALEXNET_ARCHITECTURE } from "../../models/alexnet.ts";
import type { FrozenFeatureClassifier } from "../../models/classifier.ts";
import { vgg16, VGG16_ARCHITECTURE } from "../../models/vgg16.ts";
import { planTensors, WindowedMaps } from "../../models/windows.ts";
import { firstTestDigits } from "../data/mnist.ts";
import { isSoftwareAdapter, testEngine } from "../engine/engine.ts";

const engine = await testEngine();

/** An image of noise within the box, and of a background without structure around it. */
function imagesWith(boxes: readonly Box[], side: number): tf.Tensor4D {
  return tf.tidy(() =>
    tf.concat(
      boxes.map(({ left, top, width, height }, index) => {
        const noise = tf.randomNormal<tf.Rank.R4>(
          [1, height, width, 3],
          0,
          1,
          "float32",
          index + 1,
        );
        const pad = (content: tf.Tensor4D) =>
          content.pad([[0, 0], [top, side - top - height], [left, side - left - width], [0, 0]]);
        return tf.where(pad(tf.onesLike(noise)).greater(0), pad(noise), BACKGROUND);
      }),
      0,
    ) as tf.Tensor4D
  );
}

const BACKGROUND = -2.1;

/** The features of the whole images, and those in windows. */
function bothWays(
  model: FrozenFeatureClassifier,
  images: tf.Tensor4D,
  background: tf.Tensor4D,
  boxes: readonly Box[],
): [Float32Array, Float32Array] {
  const windowed = model.windowedFeatures(images.shape[1]);
  const plan = windowed.plan(boxes);
  return tf.tidy(() => {
    using whole = engine.compile((images: tf.Tensor4D) => model.features(images));
    using maps = engine.compile((image: tf.Tensor4D): tf.Tensor[] =>
      windowed.backgroundMaps(image)
    );
    using inWindows = engine.compile((images: tf.Tensor4D, ...tensors: tf.Tensor[]) =>
      windowed.features(
        images,
        plan,
        tensors.slice(0, count) as tf.Tensor4D[],
        tensors.slice(count),
      )
    );
    const backgrounds = maps(background);
    const count = backgrounds.length;
    return [
      whole(images).dataSync<"float32">(),
      inWindows(images, ...backgrounds, ...planTensors(plan)).dataSync<"float32">(),
    ];
  });
}

function assertSame([whole, windowed]: readonly [Float32Array, Float32Array]): void {
  assert(whole.some((value) => value > 0.01));
  assertEquals(windowed.length, whole.length);
  const largest = whole.reduce((max, value) => Math.max(max, value), 0);
  const worst = whole.reduce((max, value, i) => Math.max(max, Math.abs(value - windowed[i]!)), 0);
  assert(worst <= 1e-5 * largest, `${worst} of ${largest}`);
}

/** Boxes in the middle, at every edge, of one pixel, and the whole image. */
const PLACES: readonly (readonly (readonly [start: number, end: number])[])[] = [
  [[0.3, 0.55], [0.4, 0.6]],
  [[0, 0.25], [0.75, 1]],
  [[0.5, 0.505], [0.2, 0.21]],
  [[0.05, 0.95], [0.45, 0.55]],
  [[0, 1], [0.6, 0.7]],
  [[0, 0.005], [0.995, 1]],
];

function boxIn(side: number, [rows, columns]: (typeof PLACES)[number]): Box {
  const pixels = ([start, end]: readonly [number, number]) => {
    const first = Math.floor(start * side);
    return [first, Math.max(1, Math.floor(end * side) - first)] as const;
  };
  const [top, height] = pixels(rows!);
  const [left, width] = pixels(columns!);
  return { left, top, width, height };
}

const NETWORKS = { VGG16: vgg16, AlexNet: alexnet };

for (const [title, make] of Object.entries(NETWORKS)) {
  // An odd size leaves rows and columns out at each pool.
  const side = 99;
  Deno.test(`${title}'s windowed features of ${side}×${side} are those of the whole image`, () => {
    using model = make();
    const background = tf.fill<tf.Rank.R4>([1, side, side, 3], BACKGROUND);
    // Together, where all have the size of the largest, and each with its own.
    for (const places of [PLACES, ...PLACES.map((place) => [place])]) {
      const boxes = places.map((place) => boxIn(side, place));
      const images = imagesWith(boxes, side);
      assertSame(bothWays(model, images, background, boxes));
      images.dispose();
    }
    background.dispose();
  });

  Deno.test({
    name: `${title}'s windowed features of digits are those of the whole image`,
    ignore: isSoftwareAdapter(),
    async fn() {
      using model = make();
      const digits = (await firstTestDigits(4)).images;
      const images = rgb224(digits);
      const background = rgb224(new Uint8Array(784));
      const boxes = [0, 1, 2, 3].map((index) => resizedBox(contentBox(digits, index)));
      assertSame(bothWays(model, images, background, boxes));
      tf.dispose([images, background]);
    },
  });
}

Deno.test("windows of small boxes are small, and those of whole images have nothing to gather", () => {
  using model = vgg16();
  const maps = new WindowedMaps(VGG16_ARCHITECTURE, model.frozen, 224);
  const small = maps.plan([{ left: 100, top: 60, width: 24, height: 40 }]);
  // Columns 100 to 123 reach 98 to 125 of the second convolution's output and 49 to 62 of the pool's,
  // which take 32 columns of the image.
  assertEquals(small.stages.map(({ inputSize }) => inputSize.join("×")), [
    "48×32",
    "32×24",
    "26×22",
    "22×22",
    "14×14",
  ]);
  const whole = maps.plan([{ left: 0, top: 0, width: 224, height: 224 }]);
  assertEquals(whole.stages.map(({ gather }) => gather), whole.stages.map(() => undefined));
  assertEquals(planTensors(whole), []);
});

Deno.test("plans of equally large windows share a key, wherever a stride's multiple has moved them", () => {
  using model = alexnet();
  const maps = new WindowedMaps(ALEXNET_ARCHITECTURE, model.frozen, 224);
  const keyOf = (left: number, width: number) =>
    maps.plan([{ left, top: 70, width, height: 40 }]).key;
  assertEquals(keyOf(70, 40), keyOf(102, 40));
  assert(keyOf(70, 40) !== keyOf(70, 80));
});

Deno.test("windows need a network whose last layer is a max-pool", () => {
  using model = alexnet();
  const convolutions = ALEXNET_ARCHITECTURE.convolutions.slice(0, 3);
  assertThrows(
    () => new WindowedMaps({ ...ALEXNET_ARCHITECTURE, convolutions }, model.frozen, 224),
    RangeError,
    "max-pool",
  );
});
