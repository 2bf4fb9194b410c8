/** Features extracted in windows, against those of whole images. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { join } from "node:path";
import { contentBox } from "../../data/content_box.ts";
import { ImageBatches } from "../../data/image_batches.ts";
import { normalizeRgb224, RESIZED_SIDE, resizedBox, rgb224 } from "../../data/rgb224.ts";
import { runningBackend } from "../../engine/backend.ts";
import type { Engine } from "../../engine/engine.ts";
import { bfloat16Problem } from "../../engine/tensorflow/bfloat16_support.ts";
import { InterruptedError } from "../../io/errors.ts";
import { silentReporter } from "../../io/reporter.ts";
import { alexnet } from "../../models/alexnet.ts";
import { FeatureCache } from "../../training/features/feature_cache.ts";
import {
  EXTRACTION_BATCH,
  FeatureExtractor,
  type FeatureSource,
  WINDOWED_GROUP,
} from "../../training/features/feature_extractor.ts";
import {
  MOST_FUNCTIONS,
  type SharedBackground,
  WindowedExtraction,
} from "../../training/features/windowed_extraction.ts";
import { firstTestDigits } from "../data/mnist.ts";
import { withFolder } from "../report/result_rows.ts";
import {
  isSoftwareAdapter,
  nativeTensors,
  tensorflowBackend,
  testEngine,
} from "../engine/engine.ts";

const engine = await testEngine();
const withoutBfloat16 = bfloat16Problem(engine.device);
const COUNT = 3 * EXTRACTION_BATCH + 5;
const DIGITS = await firstTestDigits(COUNT);
const BLACK: SharedBackground = {
  imageSide: RESIZED_SIDE,
  boxOf: (index) => resizedBox(contentBox(DIGITS.images, index)),
  image: () => rgb224(new Uint8Array(784)),
};

function largest(values: Float32Array): number {
  return values.reduce((max, value) => Math.max(max, value), -Infinity);
}

function meanDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
}

/** Extracts all digits both ways. */
async function bothWays(): Promise<{ whole: Float32Array; windowed: Float32Array }> {
  using model = alexnet();
  using images = new ImageBatches(DIGITS, normalizeRgb224);
  using one = new FeatureExtractor(engine, model, images);
  using other = new FeatureExtractor(engine, model, images, BLACK);
  return { whole: await one.extract(0, COUNT), windowed: await other.extract(0, COUNT) };
}

Deno.test({
  name:
    "FeatureExtractor gives each image its features in windows, whatever order they are made in",
  ignore: isSoftwareAdapter(),
  async fn() {
    const { whole, windowed } = await bothWays();
    assertEquals(windowed.length, whole.length);
    const worst = largest(whole.map((value, i) => Math.abs(value - windowed[i]!)));
    assert(worst <= 1e-5 * largest(whole), `${worst}`);
  },
});

Deno.test({
  name: "FeatureExtractor's features in windows are as exact in bfloat16",
  ignore: runningBackend().name !== "tensorflow" || withoutBfloat16 !== undefined,
  async fn() {
    const exact = await bothWays();
    const backend = tensorflowBackend();
    backend.precision = "bfloat16";
    try {
      const { whole, windowed } = await bothWays();
      const rounding = meanDifference(whole, exact.whole);
      assert(rounding > 0);
      assert(meanDifference(windowed, exact.whole) < 1.5 * rounding);
    } finally {
      backend.precision = "float32";
    }
  },
});

Deno.test({
  name: "FeatureExtractor in windows says how far it is, keeps its place and frees what it made",
  ignore: isSoftwareAdapter(),
  async fn() {
    using model = alexnet();
    using images = new ImageBatches(DIGITS, normalizeRgb224);
    {
      // The first use puts biases of zeros on the device.
      using whole = new FeatureExtractor(engine, model, images);
      await whole.extract(0, 1);
    }
    const before = nativeTensors();
    {
      using extractor = new FeatureExtractor(engine, model, images, BLACK);
      assertEquals(extractor.group, WINDOWED_GROUP);
      const progress: number[] = [];
      const onProgress = (done: number) => void progress.push(done);
      const all = await extractor.extract(0, COUNT, { onProgress });
      assertEquals(progress, [16, 32, 48, COUNT]);
      const { columns } = extractor;
      const some = await extractor.extract(32, 5);
      const expected = all.subarray(32 * columns, 37 * columns);
      assert(meanDifference(some, expected) < 1e-6);
    }
    assertEquals(nativeTensors(), before);
  },
});

Deno.test("WindowedExtraction keeps as many functions as it may, those used last", () => {
  const live = new Set<number>();
  let compiled = 0;
  const compile: Engine["compile"] = (fn) => {
    const index = compiled++;
    live.add(index);
    const dispose = () => void live.delete(index);
    return Object.assign(fn, { recordings: 1, dispose, [Symbol.dispose]: dispose });
  };
  const extraction = new WindowedExtraction(
    { compile },
    {
      plan: ([box]) => ({ key: `${box!.width}`, stages: [] }),
      backgroundMaps: () => [],
      features: (images) => images.reshape<tf.Tensor2D>([-1, 1]),
    },
    {
      count: 2 * MOST_FUNCTIONS,
      tensors: (indices) => [tf.tensor1d(indices, "int32")],
      batch: ([indices]) => ({
        inputs: indices!.reshape<tf.Tensor4D>([-1, 1, 1, 1]),
        targets: indices as tf.Tensor1D,
      }),
    },
    {
      imageSide: 1,
      boxOf: (index) => ({ top: 0, left: 0, height: 1, width: index + 1 }),
      image: () => tf.zeros([1, 1, 1, 1]),
    },
  );
  const compute = (index: number) => {
    const features = extraction.compute(Int32Array.of(index));
    assertEquals([...features.dataSync()], [index]);
    features.dispose();
  };

  for (let index = 0; index < MOST_FUNCTIONS; index++) compute(index);
  // The first is the one used last from here on, and the second the one to go.
  compute(0);
  assertEquals([compiled, live.size], [1 + MOST_FUNCTIONS, MOST_FUNCTIONS]);
  compute(MOST_FUNCTIONS);
  assertEquals([compiled, live.size], [2 + MOST_FUNCTIONS, MOST_FUNCTIONS]);
  compute(0);
  assertEquals(compiled, 2 + MOST_FUNCTIONS);
  compute(1);
  assertEquals([compiled, live.size], [3 + MOST_FUNCTIONS, MOST_FUNCTIONS]);
  extraction[Symbol.dispose]();
  assertEquals(live.size, 0);
});

Deno.test({
  name: "FeatureCache keeps what was computed in windows before an interruption, to the same bits",
  ignore: isSoftwareAdapter(),
  fn: () =>
    withFolder({}, async (folder) => {
      using model = alexnet();
      using images = new ImageBatches(DIGITS, normalizeRgb224);
      using extractor = new FeatureExtractor(engine, model, images, BLACK);
      const cacheIn = (name: string, count = COUNT) =>
        new FeatureCache({
          identity: { model: "alexnet" },
          title: "the digits",
          count,
          columns: extractor.columns,
          group: extractor.group,
          cache: join(folder, name),
        });
      const all = Int32Array.from({ length: COUNT }, (_, index) => index);
      const reporter = silentReporter;
      using whole = cacheIn("whole");
      await whole.fill(extractor, { reporter });

      const controller = new AbortController();
      using cut = cacheIn("cut");
      const aborting: FeatureSource = {
        group: extractor.group,
        extract: (first, rows, options) =>
          extractor.extract(first, rows, {
            ...options,
            onProgress: (done) => done === 2 * EXTRACTION_BATCH && controller.abort(),
          }),
      };
      const { signal } = controller;
      await assertRejects(() => cut.fill(aborting, { reporter, signal }), InterruptedError);

      // What is there serves neither more images nor fewer, whose batches are others.
      using fewer = cacheIn("cut", COUNT - 1);
      await fewer.survey({ reporter });
      assertEquals(fewer.missingRows, COUNT - 1);
      // Fewer are computed, and leave it where it is.
      await fewer.fill(extractor, { reporter });
      assertEquals(fewer.missingRows, 0);
      const few = all.subarray(0, COUNT - 1);
      assertEquals(fewer.read(few), await extractor.extract(0, COUNT - 1));

      const computed: number[] = [];
      const watched: FeatureSource = {
        group: extractor.group,
        extract: (first, rows, options) =>
          extractor.extract(first, rows, {
            ...options,
            onProgress: (done) => void computed.push(done),
          }),
      };
      using next = cacheIn("cut");
      await next.survey({ reporter });
      assertEquals(next.missingRows, COUNT);
      await next.fill(watched, { reporter });
      assertEquals(computed, [3 * EXTRACTION_BATCH, COUNT]);
      assertEquals(next.read(all), whole.read(all));

      using last = cacheIn("cut");
      await last.survey({ reporter });
      assertEquals(last.missingRows, 0);

      // Nor does what is complete serve fewer.
      using again = cacheIn("cut", COUNT - 1);
      await again.survey({ reporter });
      assertEquals(again.missingRows, COUNT - 1);
      await again.fill(extractor, { reporter });
      assertEquals(again.read(few), fewer.read(few));
    }),
});
