/**
 * What VGG16 and AlexNet share: convolutions that stay frozen, an adaptive average pool, and three
 * linear layers that are trained.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { dropout, randomNormal, relu } from "../engine/ops.ts";
import { DATA } from "../study.ts";
import type { FrozenFeatureClassifier } from "./classifier.ts";
import type { LoadedLayers } from "./loaded_layers.ts";
import { adaptiveAvgPool2d, conv2dRelu, linear, maxPool2d } from "./layers.ts";
import { featuresSha256, isFeature } from "./checkpoint/features_sha256.ts";
import { loadWeights, loadWeightsFile, type WeightTarget } from "./checkpoint/load_weights.ts";
import {
  bias,
  conv2dWeight,
  defaultInitializer,
  flattenedLinearWeight,
  type Initializer,
  linearWeight,
  parameterKey,
  type ParameterLayout,
  Parameters,
} from "./parameters.ts";
import { openCheckpoint } from "./checkpoint/open_checkpoint.ts";
import { type StateDict, type StateTensor, toFloat32 } from "./checkpoint/state_dict.ts";

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

/** Options of {@linkcode vgg16} and {@linkcode alexnet}. */
export interface FrozenFeatureClassifierOptions {
  /**
   * Number of classes.
   *
   * @default {10}
   */
  numClasses?: number;
  /**
   * Seed of the initial parameters, an integer 0..2³¹-1.
   *
   * @default {1}
   */
  seed?: number;
  /**
   * Channels of an image. With 1, a checkpoint's first convolution of three channels is averaged over
   * them.
   *
   * @default {3}
   */
  inChannels?: 1 | 3;
}

/** Units of the hidden layers. */
const HIDDEN = 4096;
/** Probability that dropout zeroes a unit. */
const DROPOUT_RATE = 0.5;

/**
 * Builds a network with random parameters: features as He et al. 2015 do (normal, √(2/fan_in), biases
 * zero), which keeps the scale of activations from layer to layer, up to the last convolution
 * ({@linkcode Architecture.randomFeatureScale}); the classifier as `torch.nn.Linear` does.
 *
 * @throws {RangeError} If `numClasses` is not a positive whole number or `inChannels` neither 1 nor 3.
 */
export function frozenFeatureClassifier(
  architecture: Architecture,
  options: FrozenFeatureClassifierOptions = {},
): FrozenFeatureClassifier {
  return new Network(architecture, options);
}

class Network implements FrozenFeatureClassifier {
  readonly name: string;
  readonly numClasses: number;
  readonly inChannels: number;
  readonly featureCount: number;
  readonly frozen: Parameters;
  readonly parameters: Parameters;
  #architecture: Architecture;

  constructor(architecture: Architecture, options: FrozenFeatureClassifierOptions) {
    const { numClasses = DATA.classes, seed = 1, inChannels = 3 } = options;
    if (!(Number.isSafeInteger(numClasses) && numClasses > 0)) {
      throw new RangeError(
        "Cannot build a model as numClasses must be a positive whole number: current value is " +
          numClasses,
      );
    }
    if (inChannels !== 1 && inChannels !== 3) {
      throw new RangeError(
        `Cannot build a model as inChannels must be 1 or 3: current value is ${inChannels}`,
      );
    }
    const { convolutions, pooledSize } = architecture;
    this.name = architecture.name;
    this.numClasses = numClasses;
    this.inChannels = inChannels;
    this.featureCount = convolutions.at(-1)!.outChannels * pooledSize ** 2;
    this.#architecture = architecture;
    const features = featureLayouts(architecture, inChannels);
    const initial = heInitializer(seed);
    const lastWeight = features.size - 2;
    this.frozen = new Parameters(features, (layout, index) => {
      const value = initial(layout, index);
      return index === lastWeight ? value.mul(architecture.randomFeatureScale) : value;
    });
    this.parameters = new Parameters(
      classifierLayouts(architecture, numClasses),
      defaultInitializer(seed, features.size),
    );
  }

  forward(images: tf.Tensor4D, dropoutKey?: tf.Tensor1D): tf.Tensor2D {
    return tf.tidy(() => this.classify(this.features(images), dropoutKey));
  }

  features(images: tf.Tensor4D): tf.Tensor2D {
    const { convolutions, pooledSize } = this.#architecture;
    return tf.tidy(() => {
      let x = images;
      for (const { name, stride = 1, padding, maxPool } of convolutions) {
        x = conv2dRelu(x, this.frozen, name, { stride, padding });
        if (maxPool !== undefined) x = maxPool2d(x, maxPool.size, maxPool.stride);
      }
      x = adaptiveAvgPool2d(x, pooledSize); // [n, pooledSize, pooledSize, channels]
      return x.reshape<tf.Tensor2D>([x.shape[0], this.featureCount]);
    });
  }

  classify(features: tf.Tensor2D, dropoutKey?: tf.Tensor1D): tf.Tensor2D {
    const { linears } = this.#architecture;
    return tf.tidy(() => {
      let x = features;
      let key = dropoutKey;
      for (const [index, { name, dropout: drops }] of linears.entries()) {
        if (drops && key !== undefined) {
          x = dropout(x, DROPOUT_RATE, key);
          key = secondKey(key);
        }
        x = linear(x, this.parameters, name); // [n, 4096], the last [n, numClasses]
        if (index < linears.length - 1) x = relu(x);
      }
      return x;
    });
  }

  loadStateDict(state: StateDict): void {
    loadWeights(state, this.#target());
  }

  featuresSha256(): Promise<string> {
    const { frozen } = this;
    return featuresSha256({
      names: () => [...frozen.shapes.keys()],
      read: (name) => Promise.resolve(frozen.toState(frozen.get(name), name)),
    });
  }

  loadPretrained(state: StateDict): LoadedLayers {
    const target = this.#pretrainedTarget(state.keys());
    loadWeights(state, target);
    return this.#loadedLayers(target);
  }

  async loadPretrainedFile(path: string): Promise<LoadedLayers> {
    const target = this.#pretrainedTarget(await checkpointNames(path));
    await loadWeightsFile(path, target);
    return this.#loadedLayers(target);
  }

  stateDict(): StateDict {
    return new Map([...this.frozen.stateDict(), ...this.parameters.stateDict()]);
  }

  dispose(): void {
    this.frozen.dispose();
    this.parameters.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #target(): WeightTarget {
    const { title, convolutions } = this.#architecture;
    const { name, outChannels, kernelSize } = convolutions[0]!;
    const first = `${name}.weight`;
    return {
      title,
      shapes: new Map([...this.frozen.shapes, ...this.parameters.shapes]),
      otherShapes: this.inChannels === 1
        ? new Map([[first, [outChannels, 3, kernelSize, kernelSize]]])
        : new Map(),
      assign: (name, tensor) => {
        const owner = this.frozen.shapes.has(name) ? this.frozen : this.parameters;
        const averaged = name === first && tensor.shape[1] !== this.inChannels;
        owner.assign(owner.get(name), name, averaged ? meanOverInputs(tensor) : tensor);
      },
    };
  }

  /** What is taken of a checkpoint with these names. */
  #pretrainedTarget(names: Iterable<string>): WeightTarget {
    const target = this.#target();
    const { name } = this.#architecture.linears.at(-1)!;
    const ignored = [...names].every(isFeature)
      ? [...this.parameters.shapes.keys()]
      : [`${name}.weight`, `${name}.bias`];
    const shapes = new Map([...target.shapes].filter(([name]) => !ignored.includes(name)));
    return { ...target, shapes, ignored };
  }

  #loadedLayers({ shapes }: WeightTarget): LoadedLayers {
    const { convolutions, linears } = this.#architecture;
    const all = [...convolutions, ...linears].map(({ name }) => name);
    const isTaken = (name: string) => shapes.has(`${name}.weight`);
    return {
      taken: all.filter(isTaken),
      initialized: all.filter((name) => !isTaken(name)),
    };
  }
}

async function checkpointNames(path: string): Promise<string[]> {
  using checkpoint = await openCheckpoint(path);
  return checkpoint.names();
}

/**
 * Weights normal with standard deviation √(2/fan_in), biases zero (He et al. 2015; torch's
 * `kaiming_normal_` with `mode="fan_in"`).
 *
 * @param seed Integer 0..2³¹-1; equal seeds give equal values.
 */
function heInitializer(seed: number): Initializer {
  return ({ torchShape, fanIn }, index) => {
    const shape = [...torchShape];
    if (shape.length === 1) return tf.zeros(shape);
    return tf.tidy(() => randomNormal(shape, parameterKey(seed, index)).mul(Math.sqrt(2 / fanIn)));
  };
}

function featureLayouts(
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

function classifierLayouts(
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

/** Averages a convolution's weight `[out, in, k, k]` over its input channels: `[out, 1, k, k]`. */
function meanOverInputs(tensor: StateTensor): StateTensor {
  const [outChannels, inChannels, height, width] = tensor.shape as [number, number, number, number];
  const values = toFloat32(tensor);
  const area = height * width;
  const data = Float32Array.from({ length: outChannels * area }, (_, index) => {
    const start = Math.floor(index / area) * inChannels * area + index % area;
    let sum = 0;
    for (let channel = 0; channel < inChannels; channel++) sum += values[start + channel * area]!;
    return sum / inChannels;
  });
  return { dtype: "float32", shape: [outChannels, 1, height, width], data };
}

/**
 * The key of a network's second dropout, made from that of its first, `[seed, step]` with
 * `seed >= 0`: `[-1 - seed, step]`, which nothing else uses.
 */
function secondKey(key: tf.Tensor1D): tf.Tensor1D {
  return tf.tidy(() => key.mul(tf.tensor1d([-1, 1], "int32")).sub(tf.tensor1d([1, 0], "int32")));
}
