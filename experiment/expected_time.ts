/**
 * How long the parts of the study will take, from how fast the machine is and how much they do.
 *
 * @module
 */

/** What `machine_rates.ts` measures. */
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

/** The parts of the study, which has no part 3. */
export type PartNumber = 1 | 2 | 4;

/** How much a part does. */
export interface PartSize {
  /** Passes over the training images; absent where nothing is trained. */
  epochs?: number;
  /** Training images, at most; all that there are if absent. */
  limit?: number;
  /** Test images, at most; all that there are if absent. */
  testLimit?: number;
}

/**
 * Multiplications with an addition for one image, as torchvision gives them for its weights (`_ops`
 * of their `meta`, in 10⁹), and parameters of the classifiers that part 4 trains.
 */
const COSTS = {
  fasterRcnn: { multiplyAdds: 134.38e9 },
  vgg16: { multiplyAdds: 15.47e9, classifierParameters: 119_586_826 },
  alexnet: { multiplyAdds: 0.714e9, classifierParameters: 54_575_114 },
} as const;

const FINE_TUNING_BATCH = 32;

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
  const inference = (images: number, multiplyAdds: number) =>
    images * 2 * multiplyAdds / rates.convolutionFlopPerSecond;
  switch (part) {
    case 1:
      // A gradient step is three forward passes' worth of work.
      return (epochs * train + test / 3) / rates.trainingImagesPerSecond;
    case 2:
      return inference(FIRST.detections + test, COSTS.fasterRcnn.multiplyAdds);
    case 4: {
      const steps = FIRST.steps + epochs * Math.ceil(train / FINE_TUNING_BATCH);
      const images = FIRST.features + train + test;
      return [COSTS.vgg16, COSTS.alexnet].reduce(
        (sum, { multiplyAdds, classifierParameters }) =>
          sum + inference(images, multiplyAdds) +
          steps * classifierParameters * rates.secondsPerParameter,
        0,
      );
    }
  }
}

/** An estimate as a person reads it: `40 s`, `12 min`, `5 h 20 min`. */
export function roundDuration(seconds: number): string {
  if (seconds < 90) return `${Math.max(5, 5 * Math.round(seconds / 5))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const tens = 10 * Math.round(minutes / 10);
  return `${Math.floor(tens / 60)} h ${String(tens % 60).padStart(2, "0")} min`;
}
