/**
 * Trains a linear layer for a few steps, saves it and prints how much memory the process had for that
 * at most, in multiples of the layer's own bytes. Run by training_memory_test.ts.
 */

import { fill } from "@tensorflow/tfjs";
import { startEngine } from "../../engine/engine.ts";
import { bias, linearWeight, Parameters } from "../../models/parameters.ts";
import { peakMemory } from "../../io/peak_memory.ts";
import { linear } from "../../models/layers.ts";
import { saveTraining } from "../../training/checkpoint.ts";
import { FeatureBatches, rowsInMemory } from "../../training/features/feature_batches.ts";
import { Trainer } from "../../training/trainer.ts";

const [file = ""] = Deno.args;
const WIDTH = 6144;
const IMAGES = 8;

using engine = await startEngine({ device: "cpu", precision: "float32", threads: 2 });
const before = Deno.memoryUsage().rss;
const layouts = new Map([
  ["fc.weight", linearWeight(WIDTH, WIDTH)],
  ["fc.bias", bias(WIDTH, WIDTH)],
]);
const parameters = new Parameters(layouts, ({ torchShape }) => fill([...torchShape], 1e-3));
const features = new Float32Array(IMAGES * WIDTH).fill(0.5);
using trainer = new Trainer(
  engine,
  { parameters, forward: (x) => linear(x, parameters, "fc") },
  new FeatureBatches(rowsInMemory(features, WIDTH), new Uint8Array(IMAGES)),
  { batchSize: 2, adam: { learningRate: 1e-3, weightDecay: 1e-4 }, seed: 1 },
);
const { loss } = await trainer.trainEpoch(1);
const trained = peakMemory();
await saveTraining(file, { parameters }, trainer, { settings: {}, history: [] });
const saved = peakMemory();
const bytes = 4 * WIDTH * WIDTH;
console.log(JSON.stringify({
  loss,
  training: (trained - before) / bytes,
  saving: (saved - trained) / bytes,
}));
