import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { StudyError } from "../../io/errors.ts";
import { saveCheckpoint } from "../../models/checkpoint/safetensors.ts";
import { elementCount, type StateDict } from "../../models/checkpoint/state_dict.ts";
import { checkDetectorFile, fittingModels } from "../../models/fitting_models.ts";
import { withFolder } from "../report/result_rows.ts";
import { frozenNetwork } from "../../models/detection/faster_rcnn_layout.ts";
import { expectedWeights } from "../../models/frozen_feature_layout.ts";
import { ALEXNET_ARCHITECTURE } from "../../models/alexnet.ts";
import { VGG16_ARCHITECTURE } from "../../models/vgg16.ts";
import { simpleCnnLayouts } from "../../models/simple_cnn.ts";

type Shapes = ReadonlyMap<string, readonly number[]>;

/** Which models take a checkpoint of these shapes under changed names, and how. */
function takers(shapes: Shapes, change = (name: string) => name): string[] {
  const found = new Map([...shapes].map(([name, shape]) => [change(name), { shape }]));
  return fittingModels(found).filter(({ fits }) => fits)
    .map(({ title, use, removed }) => `${title} | ${use} | ${removed}`);
}

const IMAGENET = { inChannels: 3, numClasses: 1000 };
const alexnet = expectedWeights(ALEXNET_ARCHITECTURE, IMAGENET).shapes;
const vgg16 = expectedWeights(VGG16_ARCHITECTURE, IMAGENET).shapes;
const PART4 = "deno task part4 --models alexnet --weights FILE";

Deno.test("fittingModels() knows torchvision's checkpoints, whatever their classes", () => {
  assertEquals(takers(alexnet), [`AlexNet | ${PART4} | `]);
  assertEquals(takers(vgg16), [
    "VGG16 | deno task part4 --models vgg16 --weights FILE | ",
  ]);
  const detector = new Map([
    ...[...frozenNetwork().layouts].map(([name, { shape }]) => [name, shape] as const),
    ["roi_heads.box_predictor.cls_score.weight", [91, 1024]] as const,
  ]);
  const part2 = "Faster R-CNN | deno task part2 --weights FILE | ";
  assertEquals(takers(detector), [part2]);
  assertEquals(takers(detector, (name) => `module.${name}`), [`${part2}"module."`]);
  const older = (name: string) => name.replace(/^(backbone\.fpn.*)\.0\.(weight|bias)$/, "$1.$2");
  assertEquals(takers(detector, older), [part2]);
});

Deno.test("fittingModels() takes convolutions alone, one channel, and wrapped names", () => {
  const features = new Map([...alexnet].filter(([name]) => name.startsWith("features.")));
  assertEquals(takers(features), [`AlexNet | ${PART4} | `]);
  assertEquals(takers(features, (name) => `model.${name}`), [`AlexNet | ${PART4} | "model."`]);
  const imagenetExample = (name: string) => name.replace("features.", "features.module.");
  assertEquals(takers(alexnet, imagenetExample), [`AlexNet | ${PART4} | "module."`]);
  const grey = new Map([...alexnet, ["features.0.weight", [64, 1, 11, 11]]] as const);
  assertEquals(takers(grey), [`AlexNet | ${PART4} --in-channels 1 | `]);
});

Deno.test("fittingModels() says of the others what does not fit", () => {
  const layouts = simpleCnnLayouts(10);
  const simple = new Map([...layouts].map(([name, { torchShape }]) => [name, torchShape]));
  assertEquals(takers(simple).map((line) => line.split(" | ")[0]), ["SimpleCNN"]);
  const found = new Map(
    [...simple, ["fc2.bias", [7]] as const].map(([name, shape]) => [name, { shape }] as const),
  );
  const [own, ...others] = fittingModels(found);
  assertEquals(own!.misfit, "1 of another shape (fc2.bias [7] instead of [10])");
  for (const { misfit } of others) assertStringIncludes(misfit, " missing (");
});

Deno.test("checkDetectorFile() takes what part 2 takes, and refuses a NaN by name", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "detector.safetensors");
    const state: StateDict = new Map(
      [...frozenNetwork().layouts].map(([name, { shape }]) => [
        `module.${name}`,
        // Zeros of half the width: the file is of no use but to be looked at.
        { dtype: "float16", shape: [...shape], data: new Uint16Array(elementCount(shape)) },
      ]),
    );
    await saveCheckpoint(path, state);
    await checkDetectorFile(path);
    (state.get("module.rpn.head.conv.0.0.bias")!.data as Uint16Array)[7] = 0x7e00;
    await saveCheckpoint(path, state);
    const { message } = await assertRejects(() => checkDetectorFile(path), StudyError);
    assertEquals(
      message,
      `${path}: rpn.head.conv.0.0.bias has values that are not finite; give other weights`,
    );
  }));
