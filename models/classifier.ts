/**
 * What training and evaluation need of a model that maps images to class scores.
 *
 * @module
 */

import type { Box } from "../data/grey_picture.ts";
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from "../engine/ops.ts";
import type { LoadedLayers } from "./loaded_layers.ts";
import type { Parameters } from "./parameters.ts";
import type { StateDict } from "./checkpoint/state_dict.ts";
import type { WindowPlan } from "./windows.ts";

/** Options of {@linkcode Classifier.loadStateDict}. */
export interface LoadStateDictOptions {
  /** The file that the weights are from, for errors. */
  path?: string;
}

/** A model that scores each image for each class. */
export interface Classifier extends Disposable {
  /** The name that the study's results carry. */
  readonly name: string;
  /** Number of classes, the length of a row of logits. */
  readonly numClasses: number;
  /** Trainable parameters, under PyTorch's names and in PyTorch's order. */
  readonly parameters: Parameters;
  /**
   * Computes logits.
   *
   * @param images float32 `[n, h, w, c]`, normalised.
   * @param dropoutKey int32 `[2]`; when given, dropout is on and drawn from this key.
   * @returns float32 `[n, numClasses]`.
   */
  forward(images: Tensor4D, dropoutKey?: Tensor1D): Tensor2D;
  /**
   * Takes over all parameters of a checkpoint. Prefixes such as DataParallel's `module.` are taken off
   * its names where they fit exactly without. Nothing is changed unless all of it fits.
   *
   * @throws {StudyError} If names are missing, unknown or of another shape, of which the first ten of
   *   each kind are named, or a weight is of no floating-point dtype or not finite as float32.
   */
  loadStateDict(state: StateDict, options?: LoadStateDictOptions): void;
  /** The parameters as PyTorch would save them. */
  stateDict(): StateDict;
  /** Frees the parameters, as leaving the scope of a `using` does. */
  dispose(): void;
}

/** Features of square images that share a background, computed where they differ from it. */
export interface WindowedFeatures {
  /**
   * Plans a batch.
   *
   * @param boxes By image the part outside of which it is background, within the image and not empty.
   */
  plan(boxes: readonly Box[]): WindowPlan;
  /**
   * Computes what every batch takes from the background.
   *
   * @param background float32 `[1, side, side, inChannels]`, an image that is nothing else.
   */
  backgroundMaps(background: Tensor4D): Tensor4D[];
  /**
   * Computes what {@linkcode FrozenFeatureClassifier.features} does, but for rounding.
   *
   * @param images float32 `[n, side, side, inChannels]`.
   * @param plan Theirs, or another of the same key.
   * @param backgroundMaps Of {@linkcode backgroundMaps}.
   * @param planTensors Those of their plan, of {@linkcode planTensors}.
   * @returns float32 `[n, featureCount]`.
   */
  features(
    images: Tensor4D,
    plan: WindowPlan,
    backgroundMaps: readonly Tensor4D[],
    planTensors: readonly Tensor[],
  ): Tensor2D;
}

/**
 * A classifier in two halves: features that stay as they are, and a classifier trained on them.
 *
 * {@linkcode Classifier.parameters} are the second half's; `forward` is `classify` of `features`, and
 * `stateDict` and `loadStateDict` cover both.
 */
export interface FrozenFeatureClassifier extends Classifier {
  /** Channels of an image, 3 or 1. */
  readonly inChannels: number;
  /** How many images {@linkcode evaluate} gives it at a time. */
  readonly batchSize: number;
  /** Length of a row of features. */
  readonly featureCount: number;
  /** Parameters of the features, never trained, under PyTorch's names. */
  readonly frozen: Parameters;
  /**
   * Computes what the classifier is trained on.
   *
   * @param images float32 `[n, h, w, inChannels]`, normalised.
   * @returns float32 `[n, featureCount]`, the feature maps flattened as `[h, w, c]`.
   */
  features(images: Tensor4D): Tensor2D;
  /**
   * {@linkcode features} of images that are background around a box, in less time.
   *
   * @internal
   * @param imageSide Height and width of an image.
   */
  windowedFeatures(imageSide: number): WindowedFeatures;
  /**
   * Scores features.
   *
   * @param features float32 `[n, featureCount]`.
   * @param dropoutKey int32 `[2]`, not below zero; when given, dropout is on and drawn from it.
   * @returns float32 `[n, numClasses]`.
   */
  classify(features: Tensor2D, dropoutKey?: Tensor1D): Tensor2D;
  /** See {@linkcode featuresSha256}: the identity of what {@linkcode features} computes. */
  featuresSha256(): Promise<string>;
  /**
   * Takes over all parameters except the last layer's, which stays new, whatever its number of classes
   * in the checkpoint. Of a checkpoint that has the features alone, the whole classifier stays new.
   * Nothing is changed unless all of it fits.
   *
   * @returns Which layers it took and which stay new.
   * @throws {StudyError} As {@linkcode Classifier.loadStateDict}.
   */
  loadPretrained(state: StateDict): LoadedLayers;
  /**
   * {@linkcode FrozenFeatureClassifier.loadPretrained} of a file, in memory one tensor at a time. The
   * file is read twice: nothing is changed unless all of it fits.
   *
   * @throws {StudyError} As {@linkcode Classifier.loadStateDict}, or if the file is damaged.
   */
  loadPretrainedFile(path: string): Promise<LoadedLayers>;
}
