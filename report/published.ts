/**
 * What the study published, as DESIGN.md gives it (measured by its authors on a Colab GPU).
 *
 * @module
 */

/** One model's published result and the settings it was obtained with. */
export interface PublishedResult {
  /** Part of the study. */
  part: number;
  /** The model's name in the study. */
  model: string;
  /** Mean of the test batches' mean losses. */
  testLoss: number;
  /** Percent of the test images. */
  accuracy: number;
  /** Support-weighted F1, 0..1. */
  f1: number;
  /** Seconds, or the study's words where nothing was trained. */
  trainingTime: number | string;
  /** Milliseconds, where the study gives them. */
  inferenceMsPerImage?: number;
  /** Percent correct while training, epoch by epoch. */
  trainAccuracy: readonly number[];
  /** Name of the data set in our `dataset` column. */
  dataset: string;
  /** Images tested on. */
  testImages: number;
  /** How it was trained; absent where nothing was. */
  training?: PublishedTraining;
  /** Pretrained weights that it started from; absent where it started from random ones. */
  pretrained?: string;
}

/** Settings of a training run. */
export interface PublishedTraining {
  /** Passes over the training images. */
  epochs: number;
  /** Images trained on. */
  images: number;
  /** Images per step. */
  batchSize: number;
  /** Adam's step size. */
  learningRate: number;
  /** Adam's L2 term. */
  weightDecay: number;
}

const data = { dataset: "mnist", testImages: 10_000 } as const;
const fineTuning = {
  epochs: 8,
  images: 60_000,
  batchSize: 32,
  learningRate: 0.0005,
  weightDecay: 1e-4,
} as const;

/** The published results, in the study's order. */
export const PUBLISHED: readonly PublishedResult[] = [
  {
    part: 1,
    model: "SimpleCNN",
    testLoss: 0.0224,
    accuracy: 99.27,
    f1: 0.9927,
    trainingTime: 143.84,
    trainAccuracy: [95.60, 98.42, 98.90, 99.08, 99.20, 99.24, 99.32, 99.36, 99.40, 99.47],
    ...data,
    training: {
      epochs: 10,
      images: 60_000,
      batchSize: 128,
      learningRate: 0.001,
      weightDecay: 1e-4,
    },
  },
  {
    part: 2,
    model: "FasterRCNN_Adapted",
    testLoss: 0,
    accuracy: 11.35,
    f1: 0.0231,
    trainingTime: "N/A (Inference Only)",
    inferenceMsPerImage: 80.91,
    trainAccuracy: [],
    ...data,
    pretrained: "COCO",
  },
  {
    part: 4,
    model: "vgg16_FineTuned",
    testLoss: 0.0542,
    accuracy: 99.00,
    f1: 0.9900,
    trainingTime: 3346.77,
    trainAccuracy: [95.81, 97.54, 97.79, 97.98, 98.13, 98.21, 98.28, 98.28],
    ...data,
    training: fineTuning,
    pretrained: "ImageNet",
  },
  {
    part: 4,
    model: "alexnet_FineTuned",
    testLoss: 0.0293,
    accuracy: 99.14,
    f1: 0.9914,
    trainingTime: 1042.70,
    trainAccuracy: [95.68, 97.48, 97.65, 97.84, 97.82, 97.90, 98.04, 97.96],
    ...data,
    training: fineTuning,
    pretrained: "ImageNet",
  },
];
