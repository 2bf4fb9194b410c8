/**
 * SimpleCNN as a recipe of part 1 builds it, and whether the recipe fits what it is trained on.
 *
 * @module
 */

import type { ImageSet } from "../data/dataset.ts";
import { IMAGE_PIXELS } from "../data/idx.ts";
import { mnist28 } from "../data/image_batches.ts";
import type { Reporter } from "../io/reporter.ts";
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

/** The most of its first weights that a running mean is to hold in the end, about which nothing is said. */
const NEGLIGIBLE_SHARE = 0.01;

/**
 * Warns of a recipe's running mean of the weights that so few steps leave almost as it began.
 *
 * @param count Training images.
 */
export function warnOfShortMean(
  { epochs, batchSize, recipe }: TrainingSettings,
  { count, reporter }: { count: number; reporter: Reporter },
): void {
  if (!recipe?.average) return;
  const { decay, every } = recipe.average;
  const updates = Math.floor(epochs * Math.ceil(count / batchSize) / every);
  const share = decay ** (updates - 1);
  if (updates === 0 || share <= NEGLIGIBLE_SHARE) return;
  reporter.warn(
    `The averaged weights, which are tested, will still hold ${
      (100 * share).toFixed(0)
    } % of those ` +
      `of step ${every}: the recipe is meant for longer runs`,
  );
}
