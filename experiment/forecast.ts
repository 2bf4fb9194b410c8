/**
 * How long the parts of the study will take, from how fast the machine is and how much they do.
 *
 * @module
 */

import {
  ALEXNET,
  FASTER_RCNN_ADAPTED,
  type PartNumber,
  type PartSize,
  type StudyModel,
  VGG16,
} from "../study.ts";

/** What `machine_rates.ts` measures of this machine. */
export interface MachineRates {
  /** From the launch of a part to a started engine. */
  startSeconds: number;
  /** Training images that there are. */
  trainImages: number;
  /** Test images that there are. */
  testImages: number;
  /** Images a second that SimpleCNN is trained on. */
  trainingImagesPerSecond: number;
  /** Floating-point operations a second of a 3×3 convolution. */
  convolutionFlopPerSecond: number;
  /** Seconds of a training step with batches of 32, for each parameter of a linear layer. */
  secondsPerParameter: number;
}

/** Images and steps that parts 2 and 4 begin with: they compile, and part 4 measures itself. */
const FIRST = { detections: 2, features: 48, steps: 3 } as const;

/** Seconds that a part is expected to take, downloads left out. */
export function expectedSeconds(part: PartNumber, size: PartSize, rates: MachineRates): number {
  return rates.startSeconds + workSeconds(part, size, rates);
}

/** Images of the data set that a part works with. */
export function imageCounts(
  { limit, testLimit }: PartSize,
  { trainImages, testImages }: MachineRates,
): { train: number; test: number } {
  return {
    train: Math.min(limit ?? Infinity, trainImages),
    test: Math.min(testLimit ?? Infinity, testImages),
  };
}

function workSeconds(part: PartNumber, size: PartSize, rates: MachineRates): number {
  const { train, test } = imageCounts(size, rates);
  const { epochs = 0 } = size;
  switch (part) {
    case 1:
      // A gradient step is three forward passes' worth of work.
      return (epochs * train + test / 3) / rates.trainingImagesPerSecond;
    case 2:
      return inferenceSeconds(FASTER_RCNN_ADAPTED, FIRST.detections + test, rates);
    case 4:
      return [VGG16, ALEXNET].reduce((sum, model) => {
        const images = FIRST.features + train + test;
        const steps = FIRST.steps + epochs * Math.ceil(train / model.training.batchSize);
        return sum + inferenceSeconds(model, images, rates) + stepSeconds(model, steps, rates);
      }, 0);
  }
}

/** Seconds in which a model answers so many images. */
export function inferenceSeconds(
  { multiplyAdds }: Pick<StudyModel, "multiplyAdds">,
  images: number,
  { convolutionFlopPerSecond }: MachineRates,
): number {
  return images * 2 * multiplyAdds / convolutionFlopPerSecond;
}

/** Seconds of so many steps of a classifier on frozen features. */
export function stepSeconds(
  { trainedParameters }: Pick<StudyModel, "trainedParameters">,
  steps: number,
  { secondsPerParameter }: MachineRates,
): number {
  return steps * trainedParameters * secondsPerParameter;
}

/** An estimate as a person reads it: `40 s`, `12 min`, `5 h 20 min`. */
export function roundDuration(seconds: number): string {
  if (seconds < 90) return `${Math.max(5, 5 * Math.round(seconds / 5))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const tens = 10 * Math.round(minutes / 10);
  return `${Math.floor(tens / 60)} h ${String(tens % 60).padStart(2, "0")} min`;
}
