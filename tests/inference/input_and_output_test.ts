/** What the card of an exported model says of its input. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { inputAndOutput } from "../../inference/input_and_output.ts";

Deno.test("inputAndOutput() gives the shape in the framework's order, with the normalisation", () => {
  const simple = { side: 28, channels: 1, detection: undefined };
  assertStringIncludes(inputAndOutput(simple, ["n", "c", "h", "w"]), "`[n, 1, 28, 28]`");
  const colour = inputAndOutput({ ...simple, side: 224, channels: 3 }, ["n", "h", "w", "c"]);
  for (const part of ["`[n, 224, 224, 3]`", "enlarged from 28×28", "minus 0.485, 0.456, 0.406"]) {
    assertStringIncludes(colour, part);
  }
});

Deno.test("inputAndOutput() says of a detector how it was fed, and an epsilon unlike torchvision's", () => {
  const said = (normalises: boolean, batchNormEpsilon: number) => {
    const model = { side: 224, channels: 3, detection: { normalises, batchNormEpsilon } };
    const text = inputAndOutput(model, ["n", "c", "h", "w"]);
    assertStringIncludes(text, "as torchvision's `fasterrcnn_resnet50_fpn` with `num_classes=11`");
    return [
      /minus 0\.485/,
      /of images normalised twice/,
      /255 and no more/,
      /for layer in model\.modules\(\):\n.*\(torch\.nn\.BatchNorm2d, torchvision\.ops\.FrozenBatchNorm2d\).*\n +layer\.eps = 0\n/,
    ]
      .map((words) => words.test(text));
  };
  assertEquals(said(true, 0), [true, true, false, true]);
  assertEquals(said(false, 1e-5), [false, false, true, false]);
});
