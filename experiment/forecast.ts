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
  SIMPLE_CNN,
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
  { trainImages, testImages }: Pick<MachineRates, "trainImages" | "testImages">,
): { train: number; test: number } {
  return {
    train: Math.min(limit ?? Infinity, trainImages),
    test: Math.min(testLimit ?? Infinity, testImages),
  };
}

function workSeconds(part: PartNumber, size: PartSize, rates: MachineRates): number {
  const models = { 1: [SIMPLE_CNN], 2: [FASTER_RCNN_ADAPTED], 4: [VGG16, ALEXNET] }[part];
  return models.reduce((sum, model) => sum + modelSeconds(model, size, rates), 0);
}

/** How much is done with a model. */
export interface ModelWork extends PartSize {
  /**
   * Runs, each with a seed of its own.
   *
   * @default {1}
   */
  runs?: number;
  /**
   * Images of a step, in part 4.
   *
   * @default {the study's}
   */
  batchSize?: number;
  /** Whether part 4 computes features in every epoch, or once for each run, or once for all. */
  features?: "every epoch" | "each run" | "once";
}

/** Seconds of a model's runs, from a started engine on. */
export function modelSeconds(model: StudyModel, work: ModelWork, rates: MachineRates): number {
  const { train, test } = imageCounts(work, rates);
  const { epochs = 0, runs = 1, features = "once" } = work;
  const inference = (images: number) => inferenceSeconds(model, images, rates);
  switch (model.part) {
    case 1:
      // A gradient step is three forward passes' worth of work.
      return runs * (epochs * train + test / 3) / rates.trainingImagesPerSecond;
    case 2:
      // Training images are seen once, and only where a predictor is trained.
      return runs * inference(FIRST.detections + (epochs > 0 ? train : 0) + test);
    case 4: {
      const { batchSize = model.training!.batchSize } = work;
      const steps = FIRST.steps + epochs * Math.ceil(train / batchSize);
      const passes = features === "every epoch" ? epochs : 1;
      const extractions = features === "once" ? 1 : runs;
      return runs * stepSeconds(model, steps, rates) +
        extractions * inference(FIRST.features + passes * train + test);
    }
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
