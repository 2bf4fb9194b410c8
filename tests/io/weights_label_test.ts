import { assertEquals } from "@std/assert";
import {
  RANDOM_LABEL,
  WEIGHTS_TITLES,
  type WeightsKind,
  weightsKind,
  weightsLabel,
} from "../../io/weights_label.ts";

Deno.test("weightsKind() knows every label that is written", () => {
  for (const kind of Object.keys(WEIGHTS_TITLES) as WeightsKind[]) {
    const label = kind === "random" ? RANDOM_LABEL : weightsLabel(kind, "a.pth");
    assertEquals([label, weightsKind(label)], [label, kind]);
  }
});

Deno.test("weightsKind() knows the labels of older results, and that some say nothing", () => {
  assertEquals(weightsKind("torchvision:alexnet-owt-7be5be79.pth"), "torchvision");
  assertEquals(weightsKind("random (seed 1)"), "random");
  assertEquals(weightsKind("file:torchvision:x"), "file");
  for (const label of ["", "none", "randomised", "torchvision"]) {
    assertEquals(weightsKind(label), undefined);
  }
});
