/** What the server has models read, and that a thousand answers leave nothing behind. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { warmUp } from "../../draw/page/warm_up.ts";
import { readDigit, trainedRuns } from "../../draw/trained_models.ts";
import { fromBase64 } from "../../draw/page/base64.ts";
import { type LoadedModel, readyClassifier } from "../../inference/loaded_model.ts";
import { StudyError } from "../../io/errors.ts";
import { simpleCnn } from "../../models/simple_cnn.ts";
import { SIMPLE_CNN } from "../../study.ts";
import { firstTestDigits } from "../data/mnist.ts";
import { testEngine } from "../engine/engine.ts";
import { withFolder } from "../report/result_rows.ts";

await testEngine();
const { images } = await firstTestDigits(1);

Deno.test("readDigit() leaves no tensors and no memory behind in a thousand answers", async () => {
  const facts = { ...SIMPLE_CNN, run: undefined, weights: "random" };
  using small = readyClassifier(simpleCnn(), facts);
  const large = takes(224);
  const held = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await readDigit(small, images);
      if (i % 10 === 0) await readDigit(large, images);
    }
    return { tensors: tf.memory().numTensors, rss: Deno.memoryUsage().rss };
  };
  const [first, last] = [await held(100), await held(1000)];
  assertEquals(last.tensors, first.tensors);
  assert(last.rss - first.rss < 64e6, `${last.rss - first.rss} bytes more`);
});

/** A model of images of so many pixels on a side that answers nothing. */
function takes(side: number): LoadedModel {
  const probabilities = () => Promise.resolve(new Float32Array(10));
  return { side, probabilities } as unknown as LoadedModel;
}

Deno.test("readDigit() shows what a model was given: the pixels, or these eight times as large", async () => {
  assertEquals(fromBase64((await readDigit(takes(28), images)).view), images);
  const golden: { digits: { row: number[] } } = JSON.parse(
    await Deno.readTextFile(`${import.meta.dirname}/../fixtures/rgb224.json`),
  );
  const view = fromBase64((await readDigit(takes(224), images)).view);
  assertEquals(view.length, 224 * 224);
  assertEquals(Array.from(view.subarray(100 * 224, 101 * 224)), golden.digits.row);
});

Deno.test("warmUp() says how long an answer takes after the first", async () => {
  const durations = [200, 40];
  const probabilities = async () => {
    await new Promise((resolve) => setTimeout(resolve, durations.shift()));
    return new Float32Array(10);
  };
  const model = { ...takes(28), probabilities } as unknown as LoadedModel;
  const milliseconds = await warmUp((pixels) => readDigit(model, pixels));
  assertEquals(durations, []);
  assert(milliseconds > 35 && milliseconds < 200, `${milliseconds} ms`);
});

Deno.test("trainedRuns() says what to do where nothing is trained", () =>
  withFolder({}, async (folder) => {
    await assertRejects(
      () => trainedRuns(folder),
      StudyError,
      `There is no trained model in ${folder}: train one with`,
    );
  }));
