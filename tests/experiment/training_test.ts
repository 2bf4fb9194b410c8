/** Epochs with checkpoints, on a small classifier and made-up features. */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { CHECKPOINT } from "../../experiment/resume.ts";
import type { Run } from "../../experiment/run.ts";
import { trainEpochs } from "../../experiment/training.ts";
import { type Reporter, silentReporter } from "../../io/reporter.ts";
import {
  classifierOn,
  FeatureBatches,
  rowsInMemory,
} from "../../training/features/feature_batches.ts";
import { Trainer } from "../../training/trainer.ts";
import { testEngine } from "../engine/engine.ts";
import { withFolder } from "../report/result_rows.ts";
import { TINY_FEATURES, tinyModel } from "../training/tiny_features.ts";

const engine = await testEngine();

const COUNT = 20;

/** Trains a run in a folder, from its checkpoint if it has one. */
async function train(
  folder: string,
  epochs: number,
  { reporter = silentReporter, unit = "images" }: { reporter?: Reporter; unit?: string } = {},
): Promise<void> {
  const run = {
    ...{ engine, reporter, signal: new AbortController().signal, folder },
    ...{ checkpoint: join(folder, CHECKPOINT), settings: { seed: 1 }, history: [], row: {} },
    featureSeconds: 1.5,
    keepResources: () => Promise.resolve(),
  } as unknown as Run;
  const values = Float32Array.from({ length: COUNT * TINY_FEATURES }, (_, i) => i % 7 / 7);
  const labels = Uint8Array.from({ length: COUNT }, (_, i) => i % 10);
  const data = new FeatureBatches(rowsInMemory(values, TINY_FEATURES), labels);
  const model = tinyModel();
  using trainer = new Trainer(engine, classifierOn(model), data, {
    ...{ batchSize: 10, adam: { learningRate: 0.001, weightDecay: 0 }, seed: 1 },
  });
  await trainEpochs(run, model, trainer, { epochs, unit });
  model.dispose();
}

Deno.test("trainEpochs() writes the line of a last epoch after whose checkpoint it was stopped", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "history.csv");
    await train(folder, 1);
    const earlier = await Deno.readTextFile(path);
    await train(folder, 2);
    const whole = await Deno.readTextFile(path);
    assertEquals(whole.trimEnd().split("\n").length, 4);
    for (const left of [earlier, undefined]) {
      if (left === undefined) await Deno.remove(path);
      else await Deno.writeTextFile(path, left);
      await train(folder, 2);
      assertEquals(await Deno.readTextFile(path), whole);
    }
  }));

Deno.test("trainEpochs() shows the pace of what it trains on", () =>
  withFolder({}, async (folder) => {
    const live: string[] = [];
    const show = (text: string) => void live.push(text);
    const reporter = { ...silentReporter, terminal: true, columns: 120, live: show };
    await train(folder, 1, { reporter, unit: "boxes" });
    assertMatch(live[0]!, / \d+ boxes\/s /);
  }));
