/** The network that each recipe of part 1 trains, by what it does. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { mnist28 } from "../../data/image_batches.ts";
import { recipeNetwork, warnOfShortMean } from "../../experiment/recipe.ts";
import { silentReporter } from "../../io/reporter.ts";
import type { StateTensor } from "../../models/checkpoint/state_dict.ts";
import type { Classifier } from "../../models/classifier.ts";
import { defaultInitializer } from "../../models/parameters.ts";
import { simpleCnn, simpleCnnLayouts } from "../../models/simple_cnn.ts";
import { whiteningInitializer } from "../../models/whitening.ts";
import { RECIPES, type TrainingSettings } from "../../study.ts";
import { firstTestDigits } from "../data/mnist.ts";
import { testEngine } from "../engine/engine.ts";

await testEngine();
const train = await firstTestDigits(64);

function floats({ data }: StateTensor): Float32Array {
  return data as Float32Array;
}

/** What dropout makes of hidden units that are all 1: ten of them for each image. */
function droppedUnits(network: Classifier): Float32Array {
  const state = network.stateDict();
  const set = (name: string, valueOf: (index: number) => number) => {
    const tensor = state.get(name)!;
    const data = Float32Array.from({ length: tensor.data.length }, (_, i) => valueOf(i));
    state.set(name, { ...tensor, data });
  };
  set("fc1.weight", () => 0);
  set("fc1.bias", () => 1);
  // The logit of class k is hidden unit k.
  set("fc2.weight", (i) => i % 1000 === Math.floor(i / 1000) ? 1 : 0);
  set("fc2.bias", () => 0);
  network.loadStateDict(state);
  return tf.tidy(() => {
    const key = tf.tensor1d([7, 12], "int32");
    return network.forward(mnist28(train.images), key).dataSync<"float32">();
  });
}

Deno.test("recipeNetwork() starts from the seed, and our recipes' first filters whiten their images", () => {
  const layout = simpleCnnLayouts(10).get("conv1.weight")!;
  using plain = simpleCnn({ seed: 5 });
  const expected = plain.stateDict();
  for (const { training } of Object.values(RECIPES)) {
    using network = recipeNetwork(training, { seed: 5, train });
    const first = "conv1.weight";
    const whitening = "recipe" in training ? training.recipe.whitening : undefined;
    const filters = whitening === undefined ? floats(expected.get(first)!) : tf.tidy(() => {
      const images = mnist28(train.images);
      const initializer = whiteningInitializer(defaultInitializer(5), images, whitening);
      return initializer(layout, 0).dataSync<"float32">();
    });
    for (const [name, { data }] of network.stateDict()) {
      const theirs = name === first ? filters : floats(expected.get(name)!);
      // Quicker for millions of numbers than assertEquals().
      assert(data.length === theirs.length && theirs.every((value, i) => value === data[i]), name);
    }
  }
});

Deno.test("recipeNetwork() zeroes the recipe's share of the hidden units, and enlarges the others", () => {
  const rates = { published: 0.5, fast: 0.1, accurate: 0.3 } as const;
  for (const name of ["published", "fast", "accurate"] as const) {
    using network = recipeNetwork(RECIPES[name].training, { seed: 5, train });
    const rate = rates[name];
    const units = droppedUnits(network);
    const kept = units.filter((unit) => unit !== 0);
    for (const unit of kept) assertAlmostEquals(unit, 1 / (1 - rate), 1e-5);
    // Five standard deviations of a share.
    const spread = Math.sqrt(rate * (1 - rate) / units.length);
    const share = 1 - kept.length / units.length;
    assert(Math.abs(share - rate) < 5 * spread, `${name}: ${share}, not ${rate}`);
  }
});

Deno.test("warnOfShortMean() says how much of its first weights the mean of a short run is", () => {
  const warned = (settings: TrainingSettings, count: number) => {
    const said: string[] = [];
    const reporter = { ...silentReporter, warn: (text: string) => said.push(text) };
    warnOfShortMean(settings, { count, reporter });
    return said;
  };
  const { accurate, published } = RECIPES;
  for (const count of [60_000, 24_000]) assertEquals(warned(accurate.training, count), []);
  assertEquals(warned(published.training, 100), []);
  // 24 steps an epoch: 62 updates, of which the first counts whole.
  assertEquals(warned(accurate.training, 3000), [
    "The averaged weights, which are tested, will still hold 54 % of those of step 5: the recipe is " +
    "meant for longer runs",
  ]);
  // Before the fifth step there is no mean.
  assertEquals(warned({ ...accurate.training, epochs: 1 }, 500), []);
});
