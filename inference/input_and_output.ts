/**
 * What a model takes and gives, in words for those who use its weights elsewhere.
 *
 * @module
 */

import { IMAGE_SIDE } from "../data/dataset.ts";
import { IMAGENET_GREY } from "../data/rgb224.ts";
import { IMAGENET_NORMALIZATION, MNIST_NORMALIZATION, type Normalization } from "../study.ts";
import type { DetectionFacts, LoadedModel } from "./loaded_model.ts";

/** What torchvision's batch normalisation adds to a variance, but for its first COCO weights. */
const TORCHVISION_EPSILON = 1e-5;

/** How images of other models than SimpleCNN are enlarged. */
const ENLARGED = "enlarged from 28×28 as PIL's bilinear resize does on 8-bit pixels";

/**
 * Sentences on a model's input and output.
 *
 * @param order The axes of its images in the framework's order: n, c, h and w.
 */
export function inputAndOutput(
  { side, channels, detection }: Pick<LoadedModel, "side" | "channels" | "detection">,
  order: readonly string[],
): string {
  if (detection !== undefined) return ofDetector(side, detection);
  const lengths: Readonly<Record<string, number>> = { c: channels, h: side, w: side };
  const shape = order.map((axis) => lengths[axis] ?? axis).join(", ");
  const normalization = side === IMAGE_SIDE
    ? MNIST_NORMALIZATION
    : channels === 1
    ? IMAGENET_GREY
    : IMAGENET_NORMALIZATION;
  const enlarged = side === IMAGE_SIDE ? "" : `, ${ENLARGED}`;
  return `Input: float32 \`[${shape}]\`, light digits on dark${enlarged}; grey values divided by ` +
    `255, ${normalised(normalization)}. Output: logits \`[n, 10]\` of the digits 0 to 9, which ` +
    "softmax makes probabilities of.";
}

function ofDetector(side: number, { normalises, batchNormEpsilon }: DetectionFacts): string {
  const fed = normalises
    ? `255 and then, as in the study, ${
      normalised(IMAGENET_NORMALIZATION)
    }, although the detector ` +
      "normalises them itself: its accuracy is of images normalised twice"
    : "255 and no more, as the detector normalises them itself";
  const epsilon = batchNormEpsilon === TORCHVISION_EPSILON
    ? ""
    : ` Its batch normalisation adds ${batchNormEpsilon} to a variance; in torchvision, whichever ` +
      `kind of layer the model was built with:\n\n${settingEpsilon(batchNormEpsilon)}`;
  return "Input and output as torchvision's `fasterrcnn_resnet50_fpn` with `num_classes=11`: label " +
    `0 is the background, label k the digit k − 1. Images: float32 \`[3, ${side}, ${side}]\`, the ` +
    `same grey in all channels, light digits on dark, ${ENLARGED}, divided by ${fed}.${epsilon}`;
}

/** Python for all layers: torchvision's own `overwrite_eps` passes over those of `weights=None`. */
function settingEpsilon(epsilon: number): string {
  return [
    "```python",
    "for layer in model.modules():",
    "    if isinstance(layer, (torch.nn.BatchNorm2d, torchvision.ops.FrozenBatchNorm2d)):",
    `        layer.eps = ${epsilon}`,
    "```",
  ].join("\n");
}

function normalised({ mean, std }: Normalization): string {
  return `minus ${mean.join(", ")}, over ${std.join(", ")}`;
}
