/** Runs of part 1's recipes in this process, on a few real digits. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { ImageSet } from "../../data/dataset.ts";
import { silentReporter } from "../../io/reporter.ts";
import { readEvaluations, readHistory, runFolder } from "../../report/record/run_folder.ts";
import { trainAndTest } from "../../scripts/part1.ts";
import { SIMPLE_CNN_ACCURATE, type TrainingSettings } from "../../study.ts";
import { firstTestDigits } from "../data/mnist.ts";
import { testEngine } from "../engine/engine.ts";
import { withFolder } from "../report/result_rows.ts";

const engine = await testEngine();
const digits = await firstTestDigits(72);

function part(start: number, end: number): ImageSet {
  return {
    images: digits.images.slice(784 * start, 784 * end),
    labels: digits.labels.slice(start, end),
    count: end - start,
  };
}

Deno.test("trainAndTest() trains the accurate recipe on digits that are moved at random", () =>
  withFolder({}, async (out) => {
    const setup = {
      ...{ part: SIMPLE_CNN_ACCURATE.part, engine, reporter: silentReporter, out, json: false },
      ...{ resume: false, tensorboard: false, command: [], [Symbol.dispose]() {} },
      dataset: {
        ...{
          name: "mnist",
          train: part(0, 64),
          test: part(64, 72),
          sha256: "ab12",
          source: "a test",
        },
      },
      signal: new AbortController().signal,
    };
    // A single step, whose loss is that of the images as they are fed.
    const moved: TrainingSettings = { ...SIMPLE_CNN_ACCURATE.training, epochs: 1 };
    const { augmentation, ...others } = moved.recipe!;
    assert(augmentation !== undefined);
    const losses: number[] = [];
    for (const settings of [moved, { ...moved, recipe: others }]) {
      const run = { model: SIMPLE_CNN_ACCURATE, settings, seed: 1, evalEvery: 1 };
      const row = await trainAndTest(setup, run);
      assertEquals([row.model, row.status], [SIMPLE_CNN_ACCURATE.name, "ok"]);
      const folder = runFolder(out, row.run_id);
      const [epoch] = await readHistory(folder);
      losses.push(epoch!.train_loss);
      const [evaluation] = await readEvaluations(folder);
      assertEquals([evaluation!.epoch, evaluation!.test_accuracy], [1, row.accuracy]);
    }
    assertNotEquals(losses[1], losses[0]);
  }));
