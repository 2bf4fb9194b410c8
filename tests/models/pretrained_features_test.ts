/**
 * Features of the pretrained convolutions against torchvision's
 * (tests/reference/pretrained_features.py).
 */

import { assert, assertEquals } from "@std/assert";
import type * as tf from "@tensorflow/tfjs";
import { rgb224 } from "../../data/rgb224.ts";
import { StudyError } from "../../io/errors.ts";
import { silentReporter } from "../../io/reporter.ts";
import { alexnet } from "../../models/alexnet.ts";
import { describeLoadedLayers } from "../../models/loaded_layers.ts";
import {
  ALEXNET_WEIGHTS,
  type ObtainedWeights,
  obtainWeights,
  type PinnedWeights,
  VGG16_WEIGHTS,
} from "../../models/checkpoint/pretrained.ts";
import { loadCheckpoint } from "../../models/checkpoint/open_checkpoint.ts";
import { toFloat32 } from "../../models/checkpoint/state_dict.ts";
import { vgg16 } from "../../models/vgg16.ts";
import { firstTestDigits } from "../data/mnist.ts";
import { testEngine } from "../engine/engine.ts";

const engine = await testEngine();
const golden = await loadCheckpoint(
  `${import.meta.dirname}/../fixtures/pretrained_features.safetensors`,
);
const BATCH = 10;
/** Largest difference of a feature, relative to the largest, and of an image's sum of features. */
const TOLERANCE = 1e-5;

/** Convolutions from the cache, fetched into it where they can be. */
async function convolutionsOf(source: PinnedWeights): Promise<ObtainedWeights | undefined> {
  const options = { weights: "convolutions", strict: true, reporter: silentReporter };
  try {
    return await obtainWeights({ ...options, source });
  } catch (error) {
    if (!(error instanceof StudyError)) throw error;
    console.log(`skipped: parity of pretrained features: ${error.message}`);
  }
}

const CASES = [
  { name: "alexnet", build: alexnet, source: ALEXNET_WEIGHTS, side: 6, layers: "5 convolutions" },
  { name: "vgg16", build: vgg16, source: VGG16_WEIGHTS, side: 7, layers: "13 convolutions" },
] as const;

for (const { name, build, source, side, layers } of CASES) {
  const weights = await convolutionsOf(source);
  Deno.test({
    name: `${name}() gives torchvision's features on 100 digits with the pretrained convolutions`,
    ignore: weights === undefined,
    async fn() {
      const model = build();
      const loaded = await model.loadPretrainedFile(weights!.path!);
      const line = describeLoadedLayers(loaded, { title: name, source: "x", seed: 1 });
      assert(line.startsWith(`${name}: ${layers} from x; classifier.`), line);
      assertEquals(await model.featuresSha256(), source.convolutions!.featuresSha256);
      const compiled = engine.compile((images: tf.Tensor4D) => model.features(images));
      const sample = golden.get(`${name}.sample`)!;
      const sums = golden.get(`${name}.sums`)!.data as Float64Array;
      const [count, columns] = sample.shape as [number, number];
      const expected = toFloat32(sample);
      const scale = expected.reduce((most, value) => Math.max(most, value));
      const stride = Math.ceil(model.featureCount / 250);
      const channels = model.featureCount / side ** 2;
      const { images } = await firstTestDigits(count);
      for (let first = 0; first < count; first += BATCH) {
        const batch = rgb224(images.subarray(first * 784, (first + BATCH) * 784));
        const features = compiled(batch);
        const values = features.dataSync<"float32">();
        for (const tensor of [batch, features]) tensor.dispose();
        for (let image = 0; image < BATCH; image++) {
          const ours = values.subarray(image * model.featureCount);
          for (let column = 0; column < columns; column++) {
            // PyTorch flattens [c, h, w], we flatten [h, w, c].
            const index = column * stride;
            const [channel, place] = [Math.floor(index / side ** 2), index % side ** 2];
            const theirs = expected[(first + image) * columns + column]!;
            const difference = Math.abs(ours[place * channels + channel]! - theirs) / scale;
            assert(
              difference < TOLERANCE,
              `image ${first + image}, feature ${index}: ${difference}`,
            );
          }
          const sum = ours.subarray(0, model.featureCount).reduce((a, b) => a + b, 0);
          const difference = Math.abs(sum / sums[first + image]! - 1);
          assert(
            difference < TOLERANCE,
            `image ${first + image}: the sum differs by ${difference}`,
          );
        }
      }
      compiled.dispose();
      model.dispose();
    },
  });
}
