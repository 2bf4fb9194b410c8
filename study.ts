/**
 * The study on one page: which models it has, with which settings they are trained, and what was
 * published of them.
 *
 * This file is data and imports nothing. Scripts, report, bench and forecasts read it, and no
 * setting, model name or published number stands anywhere else. The study is a PyTorch notebook run
 * on a Colab GPU, without a title or an address to cite; {@linkcode PROCEDURE} describes what it does
 * in our words. It has no part 3.
 *
 * @module
 */

/** Where the study's procedure and our deviations from it are described. */
export const PROCEDURE = "docs/study.md";

/** The data that every published number is of. */
export const DATA = {
  /** Name in the `dataset` column. */
  name: "mnist",
  trainImages: 60_000,
  testImages: 10_000,
  classes: 10,
} as const;

/** From grey values 0..255 to what a model takes: divided by 255, minus `mean`, over `std`. */
export interface Normalization {
  /** One number for each channel. */
  mean: readonly number[];
  std: readonly number[];
}

/** Mean and standard deviation of MNIST's training images. */
export const MNIST_NORMALIZATION = {
  mean: [0.1307],
  std: [0.3081],
} as const satisfies Normalization;

/** Those of ImageNet's red, green and blue, which torchvision's weights were trained with. */
export const IMAGENET_NORMALIZATION = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
} as const satisfies Normalization;

/** A part of the study. */
export type PartNumber = 1 | 2 | 4;

/** How each image of a batch is moved at random, each by numbers drawn evenly from a range. */
export interface AugmentationSettings {
  /** Pixels, at most, in each direction. */
  shift?: number;
  /** Degrees, at most, in each direction. */
  rotation?: number;
  /** How much further a row of pixels goes to the side than the one before it, at most. */
  shear?: number;
  /** How much wider and, apart from that, how much higher, or narrower and lower: a share. */
  scale?: number;
}

/** How a model is trained: PyTorch's Adam on mean cross-entropy, reshuffled every epoch. */
export interface TrainingSettings {
  /** Passes over the training images. */
  epochs: number;
  /** Images for each step; the last step of an epoch takes what is left. */
  batchSize: number;
  /** Adam's learning rate; with `oneCycle` the highest of the schedule. */
  learningRate: number;
  /** Adam's L2 factor of the parameter that is added to its gradient, biases included. */
  weightDecay: number;
  /** Whether the learning rate follows PyTorch's `OneCycleLR`, and with which settings. */
  oneCycle?: boolean | OneCycleSettings;
  /** What else is unlike the study's. */
  recipe?: RecipeSettings;
}

/** Settings of PyTorch's `OneCycleLR`, under its names. */
export interface OneCycleSettings {
  /** Share of the steps in which the rate rises. */
  pctStart?: number;
  /** The first rate is the highest over this. */
  divFactor?: number;
  /** The last rate is the first one over this. */
  finalDivFactor?: number;
  /** Along half a cosine or a straight line. */
  annealStrategy?: "cos" | "linear";
}

/** Ingredients of a recipe for SimpleCNN. Without one, training is as the study has it. */
export interface RecipeSettings {
  /** Decay of Adam's second moment. */
  beta2?: number;
  /** Share of each label that is spread over all classes, 0..1. */
  labelSmoothing?: number;
  /** Probability that a hidden unit is zeroed in training. */
  dropoutRate?: number;
  /**
   * Whether the first layer's filters start as those that whiten images: the share of the largest
   * variance that is added to each.
   */
  whitening?: number;
  /** Parameters that stay as they start. */
  frozen?: readonly string[];
  /** Parameters that Muon updates instead of Adam, with which highest learning rate and momentum. */
  muon?: { parameters: readonly string[]; learningRate: number; momentum: number };
  /** A running mean of the weights, which is what is tested: its decay, taken every so many steps. */
  average?: { decay: number; every: number };
  /** How images are moved at random. */
  augmentation?: AugmentationSettings;
}

/** What the study reports of a model; see {@linkcode PROCEDURE} for how each number is made. */
export interface PublishedResult {
  /** Mean of the test batches' mean losses. */
  testLoss: number;
  /** Percent of the test images, 0..100. */
  accuracy: number;
  /** Support-weighted F1, 0..1. */
  f1: number;
  /** Seconds of all epochs, or the study's words where nothing was trained. */
  trainingTime: number | string;
  /** Milliseconds of the model's call, where the study gives them. */
  inferenceMsPerImage?: number;
  /** Epoch by epoch; empty where nothing was trained. */
  epochs: readonly PublishedEpoch[];
  /** What it was computed on. */
  device: string;
}

/** What the study prints after an epoch. */
export interface PublishedEpoch {
  /** Mean of the batches' mean losses. */
  trainLoss: number;
  /** Images classified correctly as they were trained on, of all training images. */
  correct: number;
  /** The same in percent, as printed. */
  trainAccuracy: number;
  seconds: number;
}

/** A model of the study or one of our variations on it. */
export interface StudyModel {
  part: PartNumber;
  /** Its name in the results; the study's, where the study has it. */
  name: string;
  /** The name of its architecture, for people. */
  title: string;
  /** What is done with it, a phrase. */
  description: string;
  /**
   * Weights and biases, whether trained or frozen, with ten digits as its classes. Running statistics
   * of batch normalisation are not counted, nor is frozen batch normalisation, as in torchvision's
   * tables.
   */
  parameters: number;
  /** Those that are trained. */
  trainedParameters: number;
  /** Multiplications with an addition for one image, forwards. */
  multiplyAdds: number;
  /** How it is trained; `null` where nothing is. */
  training: TrainingSettings | null;
  /** What its published weights were trained on; `null` for a model trained from scratch. */
  pretrainedOn: "ImageNet" | "COCO" | null;
  /** `null` for a variation of ours. */
  published: PublishedResult | null;
}

const COLAB = "Colab GPU";
const WEIGHT_DECAY = 1e-4;

/** What the study writes in place of a training time. */
export const NOT_TIMED = { inferenceOnly: "N/A (Inference Only)", error: "N/A (Error)" } as const;

// Part 1: a network of the study's own, trained from scratch.

export const SIMPLE_CNN = {
  part: 1,
  name: "SimpleCNN",
  title: "SimpleCNN",
  description: "two convolutions and two linear layers, trained from scratch",
  parameters: 3_199_106,
  trainedParameters: 3_199_106,
  multiplyAdds: 13_808_400,
  training: { epochs: 10, batchSize: 128, learningRate: 0.001, weightDecay: WEIGHT_DECAY },
  pretrainedOn: null,
  published: {
    testLoss: 0.0224,
    accuracy: 99.27,
    f1: 0.9927,
    trainingTime: 143.84,
    epochs: [
      { trainLoss: 0.1421, correct: 57_362, trainAccuracy: 95.60, seconds: 15.59 },
      { trainLoss: 0.0485, correct: 59_054, trainAccuracy: 98.42, seconds: 15.64 },
      { trainLoss: 0.0356, correct: 59_338, trainAccuracy: 98.90, seconds: 14.03 },
      { trainLoss: 0.0290, correct: 59_445, trainAccuracy: 99.08, seconds: 15.23 },
      { trainLoss: 0.0249, correct: 59_520, trainAccuracy: 99.20, seconds: 13.57 },
      { trainLoss: 0.0230, correct: 59_543, trainAccuracy: 99.24, seconds: 13.47 },
      { trainLoss: 0.0196, correct: 59_593, trainAccuracy: 99.32, seconds: 14.10 },
      { trainLoss: 0.0192, correct: 59_617, trainAccuracy: 99.36, seconds: 14.71 },
      { trainLoss: 0.0180, correct: 59_639, trainAccuracy: 99.40, seconds: 13.84 },
      { trainLoss: 0.0164, correct: 59_682, trainAccuracy: 99.47, seconds: 13.68 },
    ],
    device: COLAB,
  },
} as const satisfies StudyModel;

/**
 * Ours: chosen on the last 10,000 of MNIST's training digits, by trials that were not kept;
 * bench/tune_fast.ts says what each ingredient is worth.
 */
export const SIMPLE_CNN_FAST = {
  ...SIMPLE_CNN,
  name: "SimpleCNN_Fast",
  description: "the same network, trained in one pass over the images with Muon and Adam",
  training: {
    epochs: 1,
    batchSize: 128,
    learningRate: 0.004,
    weightDecay: 0,
    oneCycle: { pctStart: 0.2, divFactor: 10, annealStrategy: "linear" },
    recipe: {
      beta2: 0.99,
      labelSmoothing: 0.05,
      dropoutRate: 0.1,
      whitening: 0.03,
      muon: {
        parameters: ["conv1.weight", "conv2.weight", "fc2.weight"],
        learningRate: 0.03,
        momentum: 0.9,
      },
    },
  },
  published: null,
} as const satisfies StudyModel;

/**
 * Ours: as accurate as it becomes in the published recipe's time; chosen on the same digits, by trials that
 * were not kept.
 */
export const SIMPLE_CNN_ACCURATE = {
  ...SIMPLE_CNN,
  name: "SimpleCNN_Accurate",
  description:
    "the same network, trained with Muon and Adam, with data augmentation and averaged weights",
  training: {
    ...SIMPLE_CNN_FAST.training,
    epochs: 13,
    learningRate: 0.002,
    recipe: {
      ...SIMPLE_CNN_FAST.training.recipe,
      dropoutRate: 0.3,
      muon: { ...SIMPLE_CNN_FAST.training.recipe.muon, learningRate: 0.015 },
      average: { decay: 0.99, every: 5 },
      augmentation: { shift: 1, rotation: 10, scale: 0.1, shear: 0.1 },
    },
  },
  published: null,
} as const satisfies StudyModel;

/** Ways to train part 1's network: the study's, ours in one pass over the images, ours in its time. */
export const RECIPES = {
  published: SIMPLE_CNN,
  fast: SIMPLE_CNN_FAST,
  accurate: SIMPLE_CNN_ACCURATE,
} as const;

/** A way to train part 1's network. */
export type Recipe = keyof typeof RECIPES;

// Part 2: a detector whose box head is new and untrained, its best detection taken for the digit.

export const FASTER_RCNN_ADAPTED = {
  part: 2,
  name: "FasterRCNN_Adapted",
  title: "Faster R-CNN",
  description:
    "Faster R-CNN, a detector, with a new, untrained head for digits; its best detection " +
    "is read as the digit",
  parameters: 41_345_286,
  trainedParameters: 0,
  // torchvision's own count (`_ops` of its weights' `meta`), as are VGG16's and AlexNet's.
  multiplyAdds: 134.38e9,
  training: null,
  pretrainedOn: "COCO",
  published: {
    testLoss: 0,
    accuracy: 11.35,
    f1: 0.0231,
    trainingTime: NOT_TIMED.inferenceOnly,
    inferenceMsPerImage: 80.91,
    epochs: [],
    device: COLAB,
  },
} as const satisfies StudyModel;

/** Ours: the study normalises the images and the detector does the same again; here only it does. */
export const FASTER_RCNN_NORMALISE_ONCE = {
  ...FASTER_RCNN_ADAPTED,
  name: "FasterRCNN_Adapted_NormaliseOnce",
  description: "the same, but with images that are normalised once instead of twice",
  published: null,
} as const satisfies StudyModel;

/** Ours: what the detector can do once its box head is trained. A step takes boxes, not images. */
export const FASTER_RCNN_HEAD_TUNED = {
  ...FASTER_RCNN_ADAPTED,
  name: "FasterRCNN_HeadTuned",
  description: "the same detector with its head trained",
  trainedParameters: 56_375,
  training: { epochs: 50, batchSize: 128, learningRate: 0.001, weightDecay: WEIGHT_DECAY },
  published: null,
} as const satisfies StudyModel;

/** How part 2 goes through the images. */
export const DETECTION = {
  /** Images for each call of the detector. The study has 32; detections do not depend on it. */
  batchSize: 2,
  /** Training images of {@linkcode FASTER_RCNN_HEAD_TUNED}, and how many at most. */
  headImages: 300,
  maxHeadImages: 2500,
} as const;

// Part 4: networks pretrained on photographs; their features are frozen, their classifiers trained.

const FINE_TUNING = {
  epochs: 8,
  batchSize: 32,
  learningRate: 0.0005,
  weightDecay: WEIGHT_DECAY,
} as const satisfies TrainingSettings;

export const VGG16 = {
  part: 4,
  name: "vgg16_FineTuned",
  title: "VGG16",
  description: "VGG16 with its features frozen and its classifier trained",
  parameters: 134_301_514,
  trainedParameters: 119_586_826,
  multiplyAdds: 15.47e9,
  training: FINE_TUNING,
  pretrainedOn: "ImageNet",
  published: {
    testLoss: 0.0542,
    accuracy: 99.00,
    f1: 0.9900,
    trainingTime: 3346.77,
    epochs: [
      { trainLoss: 0.1638, correct: 57_483, trainAccuracy: 95.81, seconds: 418.52 },
      { trainLoss: 0.1148, correct: 58_524, trainAccuracy: 97.54, seconds: 418.96 },
      { trainLoss: 0.1049, correct: 58_674, trainAccuracy: 97.79, seconds: 418.22 },
      { trainLoss: 0.1013, correct: 58_786, trainAccuracy: 97.98, seconds: 418.29 },
      { trainLoss: 0.0984, correct: 58_877, trainAccuracy: 98.13, seconds: 418.56 },
      { trainLoss: 0.0965, correct: 58_927, trainAccuracy: 98.21, seconds: 418.26 },
      { trainLoss: 0.0936, correct: 58_970, trainAccuracy: 98.28, seconds: 418.03 },
      { trainLoss: 0.0954, correct: 58_965, trainAccuracy: 98.28, seconds: 417.92 },
    ],
    device: COLAB,
  },
} as const satisfies StudyModel;

export const ALEXNET = {
  part: 4,
  name: "alexnet_FineTuned",
  title: "AlexNet",
  description: "AlexNet with its features frozen and its classifier trained",
  parameters: 57_044_810,
  trainedParameters: 54_575_114,
  multiplyAdds: 0.714e9,
  training: FINE_TUNING,
  pretrainedOn: "ImageNet",
  published: {
    testLoss: 0.0293,
    accuracy: 99.14,
    f1: 0.9914,
    trainingTime: 1042.70,
    epochs: [
      { trainLoss: 0.1474, correct: 57_408, trainAccuracy: 95.68, seconds: 130.50 },
      { trainLoss: 0.0927, correct: 58_491, trainAccuracy: 97.48, seconds: 130.03 },
      { trainLoss: 0.0886, correct: 58_589, trainAccuracy: 97.65, seconds: 128.25 },
      { trainLoss: 0.0801, correct: 58_703, trainAccuracy: 97.84, seconds: 132.33 },
      { trainLoss: 0.0787, correct: 58_691, trainAccuracy: 97.82, seconds: 129.40 },
      { trainLoss: 0.0776, correct: 58_738, trainAccuracy: 97.90, seconds: 130.13 },
      { trainLoss: 0.0708, correct: 58_823, trainAccuracy: 98.04, seconds: 130.92 },
      { trainLoss: 0.0721, correct: 58_778, trainAccuracy: 97.96, seconds: 131.14 },
    ],
    device: COLAB,
  },
} as const satisfies StudyModel;

/** Ours: images of one channel, for which the first convolution is averaged over its three. */
export const VGG16_ONE_CHANNEL = {
  ...VGG16,
  name: "vgg16_FineTuned_OneChannel",
  description: "the same VGG16 on images of one channel instead of the same grey in three",
  parameters: 134_300_362,
  multiplyAdds: 15.41e9,
  published: null,
} as const satisfies StudyModel;

/** Ours, as {@linkcode VGG16_ONE_CHANNEL}. */
export const ALEXNET_ONE_CHANNEL = {
  ...ALEXNET,
  name: "alexnet_FineTuned_OneChannel",
  description: "the same AlexNet on images of one channel instead of the same grey in three",
  parameters: 57_029_322,
  multiplyAdds: 0.667e9,
  published: null,
} as const satisfies StudyModel;

/** Part 4's networks by their names on the command line, and by the channels of their images. */
export const FINE_TUNED = {
  vgg16: { 3: VGG16, 1: VGG16_ONE_CHANNEL },
  alexnet: { 3: ALEXNET, 1: ALEXNET_ONE_CHANNEL },
} as const;

/** Every model, the study's in its order, each followed by our variations on it. */
export const MODELS: readonly StudyModel[] = [
  SIMPLE_CNN,
  SIMPLE_CNN_FAST,
  SIMPLE_CNN_ACCURATE,
  FASTER_RCNN_ADAPTED,
  FASTER_RCNN_NORMALISE_ONCE,
  FASTER_RCNN_HEAD_TUNED,
  VGG16,
  VGG16_ONE_CHANNEL,
  ALEXNET,
  ALEXNET_ONE_CHANNEL,
];

/** The detector as the study used it, then our variations on it. */
export const DETECTORS: readonly StudyModel[] = MODELS.filter(({ part }) => part === 2);

/** What the study concludes, as its results imply it; the report tests each on our runs. */
export const CLAIMS = {
  mostAccurate: `${SIMPLE_CNN.name}, small and trained from scratch, is the most accurate of the ` +
    "four.",
  closeButSlow: "Fine-tuned networks that were pretrained on photographs come close to it, and " +
    "take far longer to train.",
  noClassifier: "A detector pretrained on COCO whose new head is untrained is no classifier: it " +
    "does about as well as guessing.",
} as const;

/** How much a part does. */
export interface PartSize {
  /** Passes over the training images; absent where nothing is trained. */
  epochs?: number;
  /** Training images, at most; all that there are if absent. */
  limit?: number;
  /** Test images, at most; all that there are if absent. */
  testLimit?: number;
}

/** How much of the study `deno task all` does; `full` is all of it, as published. */
export const PRESETS = {
  smoke: {
    1: { epochs: 1, limit: 500, testLimit: 200 },
    2: { testLimit: 4 },
    4: { epochs: 1, limit: 64, testLimit: 32 },
  },
  quick: {
    1: { epochs: SIMPLE_CNN.training.epochs, limit: 8000, testLimit: 2000 },
    2: { testLimit: 200 },
    4: { epochs: FINE_TUNING.epochs, limit: 1000, testLimit: 500 },
  },
  full: { 1: { epochs: SIMPLE_CNN.training.epochs }, 2: {}, 4: { epochs: FINE_TUNING.epochs } },
} as const satisfies Record<string, Record<PartNumber, PartSize>>;
