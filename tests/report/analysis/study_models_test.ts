import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { simpleCnn } from "../../../models/simple_cnn.ts";
import {
  findModel,
  findPublished,
  PUBLISHED_MODELS,
} from "../../../report/analysis/study_models.ts";
import { DATA, MODELS, SIMPLE_CNN } from "../../../study.ts";
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
