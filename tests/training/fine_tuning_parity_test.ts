/** Training of AlexNet's classifier against PyTorch's (tests/reference/fine_tuning.py). */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { noise } from "../../bench/faster_rcnn_formulas.ts";
import { mean, meanAndSd } from "../../metrics/descriptive_statistics.ts";
import { alexnet } from "../../models/alexnet.ts";
import type { StateDict, StateTensor } from "../../models/checkpoint/state_dict.ts";
import {
  classifierOn,
  FeatureBatches,
  rowsInMemory,
} from "../../training/features/feature_batches.ts";
import { Trainer } from "../../training/trainer.ts";
import { testEngine } from "../engine/engine.ts";

const golden: { losses: number[]; dropout_losses: number[][] } = JSON.parse(
  await Deno.readTextFile(`${import.meta.dirname}/../fixtures/fine_tuning.json`),
);

const engine = await testEngine();
const [CHANNELS, AREA, HIDDEN, CLASSES] = [256, 36, 4096, 10];
const [IMAGES, BATCH] = [320, 32];
/** Op by op a step takes a second. */
const STEPS = engine.backend === "tensorflow" ? 20 : 5;

function uniform(seed: number, shape: number[], bound: number): StateTensor {
  const count = shape.reduce((product, size) => product * size);
  const data = Float32Array.from(noise(seed, count), (value) => bound * (2 * value - 1));
  return { dtype: "float32", shape, data };
}

/** The reference's parameters. */
function classifierState(): StateDict {
  const layers = [[1, CHANNELS * AREA, HIDDEN], [4, HIDDEN, HIDDEN], [6, HIDDEN, CLASSES]] as const;
  return new Map(layers.flatMap(([index, inputs, outputs], i): [string, StateTensor][] => [
    [`classifier.${index}.weight`, uniform(2 * i + 2, [outputs, inputs], inputs ** -0.5)],
    [`classifier.${index}.bias`, uniform(2 * i + 3, [outputs], inputs ** -0.5)],
  ]));
}

/** The reference's features, channels last as ours are. */
function batches(): FeatureBatches {
  const size = CHANNELS * AREA;
  const own = Array.from({ length: CLASSES }, (_, digit) => noise(100 + digit, size));
  const features = new Float32Array(IMAGES * size);
  const labels = Uint8Array.from({ length: IMAGES }, (_, image) => image * 7 % CLASSES);
  for (let image = 0; image < IMAGES; image++) {
    const theirs = noise(1000 + image, size);
    for (let i = 0; i < size; i++) {
      const value = 2 * own[labels[image]!]![i]! - 1 + 2 * (2 * theirs[i]! - 1);
      const [channel, place] = [Math.floor(i / AREA), i % AREA];
      features[image * size + place * CHANNELS + channel] = Math.max(value, 0);
    }
  }
  return new FeatureBatches(rowsInMemory(features, size), labels);
}

const data = batches();
const start = classifierState();

/** The loss before each step, the batches in their order. */
function train(seed: number, dropout: boolean): number[] {
  using model = alexnet({ seed });
  model.parameters.load(start, "AlexNet's classifier");
  using trainer = new Trainer(engine, classifierOn(model), data, {
    batchSize: BATCH,
    adam: { learningRate: 0.0005, weightDecay: 1e-4 },
    seed,
    dropout,
  });
  return Array.from({ length: STEPS }, (_, step) => {
    const first = step * BATCH % IMAGES;
    return trainer.trainBatch(Int32Array.from({ length: BATCH }, (_, i) => first + i))[0];
  });
}

Deno.test("AlexNet's classifier has PyTorch's losses from the same state in the same order", () => {
  const losses = train(1, false);
  assertEquals(golden.losses.length, 20);
  for (const [step, loss] of losses.entries()) {
    const expected = golden.losses[step]!;
    // Each step enlarges what rounding made different in the one before.
    const tolerance = 1e-5 + 2e-3 * expected;
    assertAlmostEquals(loss, expected, tolerance, `loss of step ${step + 1}`);
  }
});

/** What the losses of a run with dropout come to. */
const STATISTICS = {
  // In steps 3 and 4, as they rise, dropout of another rate or in one place alone is furthest off.
  early: (losses: readonly number[]) => mean(losses.slice(2, 4)),
  // Their logarithms, as a mean of losses is that of the few large ones.
  late: (losses: readonly number[]) => mean(losses.slice(STEPS / 2).map(Math.log)),
};

Deno.test({
  name: "with dropout its losses are PyTorch's within what PyTorch's differ by from seed to seed",
  // Op by op, it takes minutes.
  ignore: engine.backend !== "tensorflow",
  fn() {
    const runs = [1, 2, 3].map((seed) => train(seed, true));
    for (const [name, statistic] of Object.entries(STATISTICS)) {
      const ours = mean(runs.map(statistic));
      const theirs = meanAndSd(golden.dropout_losses.map(statistic));
      // Of the difference, by the reference's spread alone: ours must not widen its own limit.
      const standardError = theirs.sd * Math.sqrt(1 / runs.length + 1 / theirs.n);
      assert(
        Math.abs(ours - theirs.mean) < 3 * standardError,
        `${name}: ours ${ours}, PyTorch's ${theirs.mean}, standard error ${standardError}`,
      );
    }
  },
});
