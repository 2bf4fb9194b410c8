/**
 * The networks of part 4 by their names on the command line: what they are built from and start from.
 *
 * @module
 */

import { alexnet, ALEXNET_ARCHITECTURE } from "./alexnet.ts";
import { ALEXNET_WEIGHTS, VGG16_WEIGHTS } from "./checkpoint/pretrained.ts";
import { vgg16, VGG16_ARCHITECTURE } from "./vgg16.ts";

/** The keys are those of `FINE_TUNED` in `study.ts`, which has the models that they are. */
export const FINE_TUNED_NETWORKS = {
  vgg16: { build: vgg16, architecture: VGG16_ARCHITECTURE, source: VGG16_WEIGHTS },
  alexnet: { build: alexnet, architecture: ALEXNET_ARCHITECTURE, source: ALEXNET_WEIGHTS },
} as const;
