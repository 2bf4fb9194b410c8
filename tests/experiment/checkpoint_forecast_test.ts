/** What a checkpoint is expected to take, held against trainers that are there. */

import { assertEquals } from "@std/assert";
import { ImageBatches, normalizeMnist } from "../../data/image_batches.ts";
import { expectedCheckpointBytes } from "../../experiment/checkpoint_forecast.ts";
import { trainerOptions } from "../../experiment/training.ts";
import { ALEXNET_ARCHITECTURE } from "../../models/alexnet.ts";
import { classifierLayouts } from "../../models/frozen_feature_layout.ts";
import { simpleCnn } from "../../models/simple_cnn.ts";
import { VGG16_ARCHITECTURE } from "../../models/vgg16.ts";
import {
  ALEXNET,
  DATA,
  FASTER_RCNN_ADAPTED,
  MODELS,
  RECIPES,
  SIMPLE_CNN,
  SIMPLE_CNN_ACCURATE,
  type TrainingSettings,
  VGG16,
} from "../../study.ts";
import { checkpointBytes } from "../../training/checkpoint.ts";
import { Trainer } from "../../training/trainer.ts";
import { testEngine } from "../engine/engine.ts";

const engine = await testEngine();

/** Bytes of a checkpoint of a trainer that does as the settings say. */
function bytesOfTrainer(settings: TrainingSettings): number {
  const digits = { images: new Uint8Array(784), labels: new Uint8Array(1), count: 1 };
  using model = simpleCnn();
  using batches = new ImageBatches(digits, normalizeMnist);
  using trainer = new Trainer(
    engine,
    model,
    batches,
    trainerOptions(settings, { seed: 1, count: 1 }),
  );
  return checkpointBytes(model, trainer);
}

Deno.test("expectedCheckpointBytes() is what checkpointBytes() says of each recipe's trainer", () => {
  for (const model of Object.values(RECIPES)) {
    const expected = expectedCheckpointBytes(model, model.training);
    assertEquals(expected, bytesOfTrainer(model.training), model.name);
  }
  const { training } = SIMPLE_CNN_ACCURATE;
  const { recipe } = training;
  const variations: TrainingSettings[] = [
    { ...training, recipe: {} },
    { ...training, recipe: { frozen: ["conv1.weight", "fc1.bias"] } },
    { ...training, recipe: { average: recipe.average } },
    // Of Muon's three one, the first, stays as it is.
    { ...training, recipe: { ...recipe, frozen: ["conv1.weight", "fc1.bias"] } },
  ];
  for (const settings of variations) {
    const expected = expectedCheckpointBytes(SIMPLE_CNN, settings);
    assertEquals(expected, bytesOfTrainer(settings), JSON.stringify(settings.recipe));
  }
});

Deno.test("expectedCheckpointBytes() is 0 where nothing is trained, and counts what is by study.ts", () => {
  assertEquals(expectedCheckpointBytes(FASTER_RCNN_ADAPTED, FASTER_RCNN_ADAPTED.training), 0);
  const classifiers = [[VGG16, VGG16_ARCHITECTURE], [ALEXNET, ALEXNET_ARCHITECTURE]] as const;
  for (const [model, architecture] of classifiers) {
    const sizes = [...classifierLayouts(architecture, DATA.classes).values()]
      .map(({ torchShape }) => torchShape.reduce((count, size) => count * size, 1));
    const trained = sizes.reduce((sum, size) => sum + size, 0);
    assertEquals(expectedCheckpointBytes(model, model.training), 12 * trained, model.name);
  }
  // A recipe names parameters of SimpleCNN.
  for (const { name, title, training } of MODELS) {
    if (training?.recipe) assertEquals(title, SIMPLE_CNN.title, name);
  }
});
