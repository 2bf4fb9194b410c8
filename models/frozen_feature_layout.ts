/**
 * VGG16's and AlexNet's parameters: names, shapes, and what is taken of a checkpoint.
 *
 * @module
 */

import { isFeature } from "./checkpoint/features_sha256.ts";
import type { ExpectedWeights } from "./checkpoint/load_weights.ts";
import {
  bias,
  conv2dWeight,
  flattenedLinearWeight,
  linearWeight,
  type ParameterLayout,
} from "./parameters.ts";

/** One convolution with its ReLU, and the max-pool behind it, if there is one. */
export interface Convolution {
  /** PyTorch's name, prefix of `weight` and `bias`. */
  readonly name: string;
  readonly outChannels: number;
  readonly kernelSize: number;
  /** @default {1} */
  readonly stride?: number;
  readonly padding: number;
  readonly maxPool?: { readonly size: number; readonly stride: number };
}

/** A network as a table. ReLU follows every layer but the last linear one. */
export interface Architecture {
  readonly name: string;
  /** The name in messages. */
  readonly title: string;
  readonly convolutions: readonly Convolution[];
  /**
   * What the last convolution's random weights are multiplied by, so that features of MNIST have the
   * mean that torchvision's have, on average over seeds. As He et al. have them, features are so large
   * that training kills its units: an Adam step moves each weight by about the learning rate, and so a
   * unit's input by that times the sum of the features.
   */
  readonly randomFeatureScale: number;
  /** Height and width of the adaptive average pool's output. */
  readonly pooledSize: number;
  /** The classifier's layers, and whether dropout comes before each. */
  readonly linears: readonly { readonly name: string; readonly dropout: boolean }[];
}

/** Units of the hidden layers. */
const HIDDEN = 4096;

/** Features of one image: what the average pool leaves of the last convolution. */
export function featureCount({ convolutions, pooledSize }: Architecture): number {
  return convolutions.at(-1)!.outChannels * pooledSize ** 2;
}

/** Layouts of the convolutions' parameters, by PyTorch's names. */
export function featureLayouts(
  { convolutions }: Architecture,
  imageChannels: number,
): Map<string, ParameterLayout> {
  let inChannels = imageChannels;
  return new Map(convolutions.flatMap(({ name, outChannels, kernelSize }) => {
    const weight = conv2dWeight(inChannels, outChannels, kernelSize);
    inChannels = outChannels;
    return withBias(name, weight);
  }));
}

/** Layouts of the linear layers' parameters. */
export function classifierLayouts(
  { convolutions, pooledSize, linears }: Architecture,
  numClasses: number,
): Map<string, ParameterLayout> {
  const channels = convolutions.at(-1)!.outChannels;
  const [first, second, last] = linears.map(({ name }) => name);
  return new Map([
    ...withBias(first!, flattenedLinearWeight([channels, pooledSize, pooledSize], HIDDEN)),
    ...withBias(second!, linearWeight(HIDDEN, HIDDEN)),
    ...withBias(last!, linearWeight(HIDDEN, numClasses)),
  ]);
}

function withBias(name: string, weight: ParameterLayout): [string, ParameterLayout][] {
  const { torchShape, fanIn } = weight;
  return [[`${name}.weight`, weight], [`${name}.bias`, bias(torchShape[0]!, fanIn)]];
}

/** What a whole checkpoint must have. With one channel, a first convolution of three will do. */
export function expectedWeights(
  architecture: Architecture,
  { inChannels, numClasses }: { inChannels: number; numClasses: number },
): ExpectedWeights {
  const { title, convolutions } = architecture;
  const { name, outChannels, kernelSize } = convolutions[0]!;
  const layouts = [
    ...featureLayouts(architecture, inChannels),
    ...classifierLayouts(architecture, numClasses),
  ];
  return {
    title,
    shapes: new Map(layouts.map(([name, { torchShape }]) => [name, torchShape])),
    otherShapes: inChannels === 1
      ? new Map([[`${name}.weight`, [outChannels, 3, kernelSize, kernelSize]]])
      : new Map(),
  };
}

/**
 * Of that, what is taken to start from: all but the last layer, or the convolutions of a checkpoint
 * that has no more.
 *
 * @param names The checkpoint's.
 */
export function pretrainedPart<E extends ExpectedWeights>(
  expected: E,
  { linears }: Architecture,
  names: readonly string[],
): E {
  const { name } = linears.at(-1)!;
  const ignored = names.every(isFeature)
    ? [...expected.shapes.keys()].filter((name) => !isFeature(name))
    : [`${name}.weight`, `${name}.bias`];
  const shapes = new Map([...expected.shapes].filter(([name]) => !ignored.includes(name)));
  return { ...expected, shapes, ignored };
}
