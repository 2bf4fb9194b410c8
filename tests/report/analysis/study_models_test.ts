import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { ALEXNET_ARCHITECTURE } from "../../../models/alexnet.ts";
import { elementCount } from "../../../models/checkpoint/state_dict.ts";
import { expectedWeights } from "../../../models/frozen_feature_layout.ts";
import { simpleCnn } from "../../../models/simple_cnn.ts";
import { VGG16_ARCHITECTURE } from "../../../models/vgg16.ts";
import {
  findModel,
  findPublished,
  PUBLISHED_MODELS,
} from "../../../report/analysis/study_models.ts";
import { DATA, FINE_TUNED, MODELS, SIMPLE_CNN } from "../../../study.ts";
import { testEngine } from "../../engine/engine.ts";
// Made by tests/reference/report_statistics.py.
import golden from "../../fixtures/report_statistics.json" with { type: "json" };

await testEngine();

Deno.test("the parameters of SIMPLE_CNN are those of simpleCnn()", () => {
  const model = simpleCnn();
  let count = 0;
  for (const { data } of model.stateDict().values()) count += data.length;
  model.dispose();
  assertEquals(SIMPLE_CNN.parameters, count);
});

Deno.test("the parameters of each model equal torch's and torchvision's counts", () => {
  for (const [name, count] of Object.entries(golden.parameters)) {
    assertEquals(findModel(name)?.parameters, count, name);
  }
  for (const { description } of MODELS) assert(description !== "");
});

Deno.test("a network for images of one channel has two thirds of the first filters less", () => {
  const architectures = { vgg16: VGG16_ARCHITECTURE, alexnet: ALEXNET_ARCHITECTURE } as const;
  for (const [word, architecture] of Object.entries(architectures)) {
    for (const inChannels of [1, 3] as const) {
      const { shapes } = expectedWeights(architecture, { inChannels, numClasses: DATA.classes });
      const count = [...shapes.values()].reduce((sum, shape) => sum + elementCount(shape), 0);
      const { name, parameters } = FINE_TUNED[word as keyof typeof FINE_TUNED][inChannels];
      assertEquals(parameters, count, name);
    }
  }
});

Deno.test("a published result has each epoch that was trained", () => {
  for (const { training, published } of PUBLISHED_MODELS) {
    assertEquals(published.epochs.length, training?.epochs ?? 0);
    for (const { correct, trainAccuracy } of published.epochs) {
      assertAlmostEquals(100 * correct / DATA.trainImages, trainAccuracy, 0.00501);
    }
  }
});

Deno.test("findModel() knows our variations, findPublished() the study's models alone", () => {
  assertEquals(findModel("SimpleCNN_Fast")?.part, 1);
  assertEquals(findPublished("SimpleCNN_Fast"), undefined);
  assertEquals(findPublished("SimpleCNN")?.published.accuracy, 99.27);
  assertEquals(findModel("Another"), undefined);
});
