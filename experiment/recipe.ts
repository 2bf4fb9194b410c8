/**
 * SimpleCNN as a recipe of part 1 builds it.
 *
 * @module
 */

import type { ImageSet } from "../data/dataset.ts";
import { IMAGE_PIXELS } from "../data/idx.ts";
import { mnist28 } from "../data/image_batches.ts";
import type { Classifier } from "../models/classifier.ts";
import { defaultInitializer } from "../models/parameters.ts";
import { simpleCnn } from "../models/simple_cnn.ts";
import { whiteningInitializer } from "../models/whitening.ts";
import type { TrainingSettings } from "../study.ts";

/** Training images whose patches say how to whiten. */
const WHITENED_IMAGES = 1000;

/**
 * A fresh SimpleCNN: as PyTorch initialises it, but for what the recipe says.
 *
 * @param train The images that it will be trained on.
 */
export function recipeNetwork(
  { recipe = {} }: TrainingSettings,
  { seed, train }: { seed: number; train: ImageSet },
): Classifier {
  const { dropoutRate, whitening } = recipe;
  const options = { seed, ...(dropoutRate !== undefined && { dropoutRate }) };
  if (whitening === undefined) return simpleCnn(options);
  const images = mnist28(train.images.subarray(0, WHITENED_IMAGES * IMAGE_PIXELS));
  try {
    const initializer = whiteningInitializer(defaultInitializer(seed), images, whitening);
    return simpleCnn({ ...options, initializer });
  } finally {
    images.dispose();
  }
}
