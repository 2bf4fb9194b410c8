/**
 * AlexNet (Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014), as
 * torchvision has it, its features frozen.
 *
 * Deviation: without pretrained weights it is initialised as {@linkcode frozenFeatureClassifier} says.
 *
 * @module
 */

import { ALEXNET } from "../study.ts";
import type { FrozenFeatureClassifier } from "./classifier.ts";
import {
  frozenFeatureClassifier,
  type FrozenFeatureClassifierOptions,
} from "./frozen_feature_classifier.ts";
import type { Architecture } from "./frozen_feature_layout.ts";

const HALVE = { maxPool: { size: 3, stride: 2 } };

export const ALEXNET_ARCHITECTURE: Architecture = {
  name: ALEXNET.name,
  title: ALEXNET.title,
  convolutions: [
    // [n, 27, 27, 64] of 224
    { name: "features.0", outChannels: 64, kernelSize: 11, stride: 4, padding: 2, ...HALVE },
    { name: "features.3", outChannels: 192, kernelSize: 5, padding: 2, ...HALVE }, // [n, 13, 13, 192]
    { name: "features.6", outChannels: 384, kernelSize: 3, padding: 1 },
    { name: "features.8", outChannels: 256, kernelSize: 3, padding: 1 },
    { name: "features.10", outChannels: 256, kernelSize: 3, padding: 1, ...HALVE }, // [n, 6, 6, 256]
  ],
  randomFeatureScale: 0.157, // a mean of 0.369 instead of 2.06 to 2.88
  pooledSize: 6,
  linears: [
    { name: "classifier.1", dropout: true },
    { name: "classifier.4", dropout: true },
    { name: "classifier.6", dropout: false },
  ],
};

/**
 * An AlexNet with random parameters. An engine must be running.
 *
 * 61 million parameters at 1,000 classes, 244 MB. Its images are `[n, 224, 224, 3]`, normalised as
 * {@linkcode rgb224} does; other sizes work from 63 on.
 */
export function alexnet(options: FrozenFeatureClassifierOptions = {}): FrozenFeatureClassifier {
  return frozenFeatureClassifier(ALEXNET_ARCHITECTURE, options);
}
