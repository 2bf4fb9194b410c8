/**
 * What the models of the study's scripts are, and how large.
 *
 * @module
 */

/**
 * Weights and biases, all of them, whether trained or frozen. Running statistics of batch
 * normalisation are not counted, nor is frozen batch normalisation, as in torchvision's tables. Sums
 * over the layers as torch and torchvision build them for ten digits; the detector's box head has
 * 11 classes, background included.
 */
const PARAMETERS = {
  simpleCnn: 3_199_106,
  fasterRcnn: 41_345_286,
  vgg16: 134_301_514,
  alexnet: 57_044_810,
} as const;

/** A model of the study's scripts. */
interface Architecture {
  /** What is done with it, a phrase. */
  description: string;
  parameters: number;
}

const ARCHITECTURES: ReadonlyMap<string, Architecture> = new Map([
  ["SimpleCNN", {
    description: "two convolutions and two linear layers, trained from scratch",
    parameters: PARAMETERS.simpleCnn,
  }],
  ["SimpleCNN_Fast", {
    description: "the same network, trained with a one-cycle learning rate in fewer epochs",
    parameters: PARAMETERS.simpleCnn,
  }],
  ["FasterRCNN_Adapted", {
    description: "Faster R-CNN, a detector, with a new head for digits that is not trained; the " +
      "best detection is read as the digit",
    parameters: PARAMETERS.fasterRcnn,
  }],
  ["FasterRCNN_Adapted_NormaliseOnce", {
    description: "the same, but with images that are normalised once instead of twice",
    parameters: PARAMETERS.fasterRcnn,
  }],
  ["FasterRCNN_HeadTuned", {
    description: "the same detector with its head trained",
    parameters: PARAMETERS.fasterRcnn,
  }],
  ["vgg16_FineTuned", {
    description: "VGG16 with its features frozen and its classifier trained",
    parameters: PARAMETERS.vgg16,
  }],
  ["alexnet_FineTuned", {
    description: "AlexNet with its features frozen and its classifier trained",
    parameters: PARAMETERS.alexnet,
  }],
]);

/** Weights and biases in the model of this name; `null` if it is not one of ours. */
export function parameterCount(model: string): number | null {
  return ARCHITECTURES.get(model)?.parameters ?? null;
}

/** What is done with the model of this name, a phrase; `""` if it is not one of ours. */
export function describeModel(model: string): string {
  return ARCHITECTURES.get(model)?.description ?? "";
}
