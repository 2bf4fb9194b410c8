/**
 * VGG16 (Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
 * Recognition", 2014, configuration D), as torchvision has it, its features frozen.
 *
 * Deviation: without pretrained weights it is initialised as {@linkcode frozenFeatureClassifier} says.
 *
 * @module
 */

import { VGG16 } from "../study.ts";
import type { FrozenFeatureClassifier } from "./classifier.ts";
import {
  frozenFeatureClassifier,
  type FrozenFeatureClassifierOptions,
} from "./frozen_feature_classifier.ts";
import type { Architecture } from "./frozen_feature_layout.ts";

const THREE = { kernelSize: 3, padding: 1 };
const HALVE = { maxPool: { size: 2, stride: 2 } };

export const VGG16_ARCHITECTURE: Architecture = {
  name: VGG16.name,
  title: VGG16.title,
  convolutions: [
    { name: "features.0", outChannels: 64, ...THREE },
    { name: "features.2", outChannels: 64, ...THREE, ...HALVE }, // [n, 112, 112, 64] of 224
    { name: "features.5", outChannels: 128, ...THREE },
    { name: "features.7", outChannels: 128, ...THREE, ...HALVE }, // [n, 56, 56, 128]
    { name: "features.10", outChannels: 256, ...THREE },
    { name: "features.12", outChannels: 256, ...THREE },
    { name: "features.14", outChannels: 256, ...THREE, ...HALVE }, // [n, 28, 28, 256]
    { name: "features.17", outChannels: 512, ...THREE },
    { name: "features.19", outChannels: 512, ...THREE },
    { name: "features.21", outChannels: 512, ...THREE, ...HALVE }, // [n, 14, 14, 512]
    { name: "features.24", outChannels: 512, ...THREE },
    { name: "features.26", outChannels: 512, ...THREE },
    { name: "features.28", outChannels: 512, ...THREE, ...HALVE }, // [n, 7, 7, 512]
  ],
  randomFeatureScale: 0.077, // a mean of 0.106 instead of 0.98 to 1.95
  pooledSize: 7,
  linears: [
    { name: "classifier.0", dropout: false },
    { name: "classifier.3", dropout: true },
    { name: "classifier.6", dropout: true },
  ],
};

/**
 * A VGG16 with random parameters. An engine must be running.
 *
 * 138 million parameters at 1,000 classes, 553 MB. Its images are `[n, 224, 224, 3]`, normalised as
 * {@linkcode rgb224} does; other sizes work from 32 on.
 */
export function vgg16(options: FrozenFeatureClassifierOptions = {}): FrozenFeatureClassifier {
  return frozenFeatureClassifier(VGG16_ARCHITECTURE, options);
}
