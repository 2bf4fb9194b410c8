/** The running mean of parameters against its formula, and in a training run. */

import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { WeightAverage } from "../../training/weight_average.ts";
import { testEngine } from "../engine/engine.ts";
import { golden, largestDifference } from "./recipe_golden.ts";

const engine = await testEngine();

Deno.test("WeightAverage equals torch's AveragedModel with an exponential mean", () => {
  const { decay, values, means } = golden.average;
  const parameter = tf.variable(tf.tensor1d(values[0]!));
  const average = new WeightAverage(engine, new Map([["a", parameter]]), { decay, every: 2 });
  for (const [index, value] of values.entries()) {
    tf.tidy(() => parameter.assign(tf.tensor1d(value)));
    // An odd step is not its turn.
    average.update(2 * index + 1);
    average.update(2 * index + 2);
    const mean = average.variables.get("a")!.dataSync();
    assert(largestDifference(mean, means[index]!) < 1e-6);
  }
  const [last, mean] = [parameter, average.variables.get("a")!].map((one) => one.dataSync());
  average.swap(1);
  assertEquals(parameter.dataSync(), last);
  average.swap(2);
  assertEquals(parameter.dataSync(), mean);
  assertEquals(average.variables.get("a")!.dataSync(), last);
  average.swap(2);
  assertEquals(parameter.dataSync(), last);
  const kept = average.variables.get("a")!.clone();
  for (const owner of [average, average, parameter]) owner.dispose();
  assertEquals(kept.dataSync(), mean);
  kept.dispose();
});
