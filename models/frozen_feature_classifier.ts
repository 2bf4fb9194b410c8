/**
 * What VGG16 and AlexNet share: convolutions that stay frozen, an adaptive average pool, and three
 * linear layers that are trained.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { StudyError } from "../io/errors.ts";
import { requirePositiveWhole } from "../io/positive_whole.ts";
import { dropout, randomNormal, relu } from "../engine/ops.ts";
import { DATA } from "../study.ts";
import type {
  FrozenFeatureClassifier,
  LoadStateDictOptions,
  WindowedFeatures,
} from "./classifier.ts";
import { featureLayers, runFeatureLayers } from "./feature_layers.ts";
import type { LoadedLayers } from "./loaded_layers.ts";
import { adaptiveAvgPool2d, linear } from "./layers.ts";
import { withoutMoments } from "./checkpoint/optimizer_state.ts";
import { featuresSha256 } from "./checkpoint/features_sha256.ts";
import {
  loadWeights,
  loadWeightsFile,
  type TakenWeights,
  type WeightTarget,
} from "./checkpoint/load_weights.ts";
import {
  type Architecture,
  classifierLayouts,
  expectedWeights,
  featureCount,
  featureLayouts,
  pretrainedPart,
} from "./frozen_feature_layout.ts";
import { defaultInitializer, type Initializer, parameterKey, Parameters } from "./parameters.ts";
import { type StateDict, type StateTensor, toFloat32 } from "./checkpoint/state_dict.ts";
import { WindowedMaps } from "./windows.ts";

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

/** Images of 224×224 at a time: of one, a map of VGG16's first layer takes 13 MB. */
const BATCH = 32;

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
  readonly batchSize = BATCH;
  readonly featureCount: number;
  readonly frozen: Parameters;
  readonly parameters: Parameters;
  #architecture: Architecture;

  constructor(architecture: Architecture, options: FrozenFeatureClassifierOptions) {
    const { numClasses = DATA.classes, seed = 1, inChannels = 3 } = options;
    requirePositiveWhole("build a model", "numClasses", numClasses);
    if (inChannels !== 1 && inChannels !== 3) {
      throw new RangeError(
        `Cannot build a model as inChannels must be 1 or 3: current value is ${inChannels}`,
      );
    }
    this.name = architecture.name;
    this.numClasses = numClasses;
    this.inChannels = inChannels;
    this.featureCount = featureCount(architecture);
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
    const layers = featureLayers(this.#architecture);
    return tf.tidy(() => this.#pooled(runFeatureLayers(layers, images, this.frozen)));
  }

  windowedFeatures(imageSide: number): WindowedFeatures {
    const maps = new WindowedMaps(this.#architecture, this.frozen, imageSide);
    return {
      plan: (boxes) => maps.plan(boxes),
      backgroundMaps: (background) => maps.backgroundMaps(background),
      features: (...batch) => tf.tidy(() => this.#pooled(maps.maps(...batch))),
    };
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

  loadStateDict(state: StateDict, { path }: LoadStateDictOptions = {}): void {
    this.#refuseHalf(withoutMoments(state).keys().toArray());
    loadWeights(state, () => this.#target(), path);
  }

  featuresSha256(): Promise<string> {
    const { frozen } = this;
    return featuresSha256({
      names: () => [...frozen.shapes.keys()],
      read: (name) => Promise.resolve(frozen.toState(frozen.get(name), name)),
    });
  }

  loadPretrained(state: StateDict): LoadedLayers {
    return this.#loadedLayers(loadWeights(state, (names) => this.#pretrainedTarget(names)));
  }

  async loadPretrainedFile(path: string): Promise<LoadedLayers> {
    return this.#loadedLayers(
      await loadWeightsFile(path, (names) => this.#pretrainedTarget(names)),
    );
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

  /** From the last convolution's maps to rows of features. */
  #pooled(maps: tf.Tensor4D): tf.Tensor2D {
    const x = adaptiveAvgPool2d(maps, this.#architecture.pooledSize);
    return x.reshape<tf.Tensor2D>([x.shape[0], this.featureCount]);
  }

  /** A run's checkpoint has what is trained and nothing else. */
  #refuseHalf(names: readonly string[]): void {
    if (names.length !== this.parameters.shapes.size) return;
    if (!names.every((name) => this.parameters.shapes.has(name))) return;
    throw new StudyError(
      `The weights are of ${this.#architecture.title}'s classifier alone, as in a run's checkpoint: ` +
        "loadModel(run) puts it together with its convolutions",
    );
  }

  #target(): WeightTarget {
    const { name } = this.#architecture.convolutions[0]!;
    return {
      ...expectedWeights(this.#architecture, this),
      assign: (parameter, tensor) => {
        const owner = this.frozen.shapes.has(parameter) ? this.frozen : this.parameters;
        const averaged = parameter === `${name}.weight` && tensor.shape[1] !== this.inChannels;
        owner.assign(owner.get(parameter), parameter, averaged ? meanOverInputs(tensor) : tensor);
      },
    };
  }

  #pretrainedTarget(names: readonly string[]): WeightTarget {
    return pretrainedPart(this.#target(), this.#architecture, names);
  }

  #loadedLayers({ names, removed }: TakenWeights): LoadedLayers {
    const { convolutions, linears } = this.#architecture;
    const all = [...convolutions, ...linears].map(({ name }) => name);
    const isTaken = (name: string) => names.has(`${name}.weight`);
    return {
      taken: all.filter(isTaken),
      initialized: all.filter((name) => !isTaken(name)),
      removed,
    };
  }
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
