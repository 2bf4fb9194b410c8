/**
 * A trained model that is ready to answer: the network with its weights, and how it is fed.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { IMAGE_PIXELS, IMAGE_SIDE } from "../data/idx.ts";
import { normalizeMnist, transformImages } from "../data/image_batches.ts";
import { normalizeGrey224, normalizeRgb224, RESIZED_SIDE, toTensorRgb224 } from "../data/rgb224.ts";
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from "../engine/ops.ts";
import { StudyError } from "../io/errors.ts";
import { eventTurn } from "../io/event_turn.ts";
import type { StateDict } from "../models/checkpoint/state_dict.ts";
import type {
  Classifier,
  FrozenFeatureClassifier,
  LoadStateDictOptions,
} from "../models/classifier.ts";
import type { Detector } from "../models/faster_rcnn.ts";
import type { Detection } from "../models/label_mapping.ts";
import type { Parameters } from "../models/parameters.ts";
import type { LocatedRun } from "../report/record/find_run.ts";
import { DATA, DETECTION } from "../study.ts";

/** A trained model, ready to answer. */
export interface LoadedModel extends Classifier {
  /** The name of its architecture, for people: `VGG16`. */
  readonly title: string;
  /** The run that trained it; `undefined` where it comes from a file of weights. */
  readonly run: LocatedRun | undefined;
  /** Where its weights are from, for people: files and what was drawn from a seed. */
  readonly weights: string;
  /** Height and width of the images that {@linkcode Classifier.forward} takes, 28 or 224. */
  readonly side: number;
  /** Their channels, 1 or 3. */
  readonly channels: number;
  /** Of a detector what its weights do not say; `undefined` of a classifier. */
  readonly detection: DetectionFacts | undefined;
  /** How many images it takes at a time. */
  readonly batchSize: number;
  /**
   * From pixels to what {@linkcode Classifier.forward} takes.
   *
   * @param pixels float32 `[n, 784]`, values 0..255, light digits on dark as MNIST has them.
   * @returns float32 `[n, side, side, channels]`.
   */
  readonly transform: (pixels: Tensor) => Tensor4D;
  /**
   * How likely each digit is.
   *
   * @param images Grey values 0..255, `[n * 784]`, light digits on dark as MNIST has them.
   * @returns `[n * 10]`: of a classifier softmax, which sums to 1. Of a detector, the score of each
   *   digit's best detection, which need not; all are 0 where nothing was detected.
   * @param signal Looked at between batches, where timers and signals have their turn.
   * @throws {RangeError} If the length is not a multiple of 784.
   * @throws {InterruptedError} If `signal` is aborted, with its reason as the `cause`.
   */
  probabilities(images: Uint8Array, signal?: AbortSignal): Promise<Float32Array>;
}

/** A model that has been found, and can be loaded as far as could be told without an engine. */
export interface LocatedModel {
  /** Its name in the results. */
  readonly name: string;
  /** Loads it: an engine must be running, and the caller disposes of the model. */
  load(): Promise<LoadedModel>;
}

/** What the weights of a detector do not say of it. */
export interface DetectionFacts {
  /** Whether it is fed normalised images, which it normalises again, as the study does. */
  readonly normalises: boolean;
  /** What its batch normalisation adds to a variance. */
  readonly batchNormEpsilon: number;
}

/** What a model is besides its network. */
export interface ModelFacts {
  /** Its name in the results. */
  name: string;
  title: string;
  run: LocatedRun | undefined;
  weights: string;
}

/** Images of 28×28 for each call of a classifier. */
const BATCH = 256;

/** What its networks have in common. */
abstract class Ready implements LoadedModel {
  readonly name: string;
  readonly title: string;
  readonly run: LocatedRun | undefined;
  readonly weights: string;
  readonly numClasses = DATA.classes;
  abstract readonly side: number;
  abstract readonly channels: number;
  abstract readonly detection: DetectionFacts | undefined;
  abstract readonly batchSize: number;
  abstract readonly parameters: Parameters;
  abstract readonly transform: (pixels: Tensor) => Tensor4D;

  constructor({ name, title, run, weights }: ModelFacts) {
    this.name = name;
    this.title = title;
    this.run = run;
    this.weights = weights;
  }

  abstract forward(images: Tensor4D, dropoutKey?: Tensor1D): Tensor2D;
  abstract loadStateDict(state: StateDict, options?: LoadStateDictOptions): void;
  abstract stateDict(): StateDict;
  abstract dispose(): void;

  /** The probabilities of some images, as many as one call takes. */
  protected abstract answer(images: Uint8Array): Promise<Float32Array>;

  async probabilities(images: Uint8Array, signal?: AbortSignal): Promise<Float32Array> {
    if (images.length % IMAGE_PIXELS !== 0) {
      throw new RangeError(
        `Cannot classify images as their length must be a multiple of ${IMAGE_PIXELS}: current ` +
          `value is ${images.length}`,
      );
    }
    const count = images.length / IMAGE_PIXELS;
    const result = new Float32Array(count * this.numClasses);
    for (let start = 0; start < count; start += this.batchSize) {
      if (start > 0 || signal !== undefined) await eventTurn(signal);
      const end = start + this.batchSize;
      const batch = images.subarray(start * IMAGE_PIXELS, end * IMAGE_PIXELS);
      result.set(await this.answer(batch), start * this.numClasses);
    }
    return result;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A network that scores images. */
class ReadyClassifier extends Ready {
  readonly side: number;
  readonly channels: number;
  readonly detection = undefined;
  readonly batchSize: number;
  readonly transform: (pixels: Tensor) => Tensor4D;
  readonly #network: Classifier;

  constructor(network: Classifier | FrozenFeatureClassifier, facts: ModelFacts) {
    super(facts);
    this.#network = network;
    const isFrozen = "inChannels" in network;
    this.side = isFrozen ? RESIZED_SIDE : IMAGE_SIDE;
    this.channels = isFrozen ? network.inChannels : 1;
    this.batchSize = isFrozen ? network.batchSize : BATCH;
    this.transform = !isFrozen
      ? normalizeMnist
      : this.channels === 1
      ? normalizeGrey224
      : normalizeRgb224;
  }

  get parameters(): Parameters {
    return this.#network.parameters;
  }

  forward(images: Tensor4D, dropoutKey?: Tensor1D): Tensor2D {
    return this.#network.forward(images, dropoutKey);
  }

  loadStateDict(state: StateDict, options?: LoadStateDictOptions): void {
    this.#network.loadStateDict(state, options);
  }

  stateDict(): StateDict {
    return this.#network.stateDict();
  }

  dispose(): void {
    this.#network.dispose();
  }

  protected async answer(images: Uint8Array): Promise<Float32Array> {
    const scores = tf.tidy(() => tf.softmax(this.forward(transformImages(images, this.transform))));
    try {
      return await scores.data<"float32">();
    } finally {
      scores.dispose();
    }
  }
}

/** A detector, whose best detection of a digit is that digit's score. */
class ReadyDetector extends Ready {
  readonly side = RESIZED_SIDE;
  readonly channels = 3;
  readonly batchSize = DETECTION.batchSize;
  readonly transform: (pixels: Tensor) => Tensor4D;
  readonly #normalises: boolean;
  readonly #detector: Detector;

  constructor(detector: Detector, facts: ModelFacts & { normalises: boolean }) {
    super(facts);
    this.#detector = detector;
    this.#normalises = facts.normalises;
    this.transform = facts.normalises ? normalizeRgb224 : toTensorRgb224;
  }

  get detection(): DetectionFacts {
    const { batchNormEpsilon } = this.#detector;
    return { normalises: this.#normalises, batchNormEpsilon };
  }

  get parameters(): Parameters {
    return this.#detector.predictor;
  }

  forward(): never {
    throw new StudyError(
      `${this.title} finds boxes and has no logits: ask probabilities() for its answer`,
    );
  }

  loadStateDict(state: StateDict, options?: LoadStateDictOptions): void {
    this.#detector.loadStateDict(state, options);
  }

  stateDict(): StateDict {
    return this.#detector.stateDict();
  }

  dispose(): void {
    this.#detector.dispose();
  }

  protected async answer(images: Uint8Array): Promise<Float32Array> {
    const inputs = tf.tidy(() =>
      tf.unstack(transformImages(images, this.transform)) as tf.Tensor3D[]
    );
    try {
      const detections = await this.#detector.detect(inputs);
      return Float32Array.from(detections.flatMap(bestScores));
    } finally {
      tf.dispose(inputs);
    }
  }
}

/** The best score of each digit, 0 where it was not detected. Label k is the digit k − 1. */
function bestScores({ scores, labels }: Detection): number[] {
  const best = new Array<number>(DATA.classes).fill(0);
  for (const [i, label] of labels.entries()) {
    if (label > 0) best[label - 1] = Math.max(best[label - 1]!, scores[i]!);
  }
  return best;
}

/** A network with its weights as a model that answers; it owns the network from here on. */
export function readyClassifier(network: Classifier, facts: ModelFacts): LoadedModel {
  return new ReadyClassifier(network, facts);
}

/**
 * A detector with its weights as a model that answers; it owns the detector from here on.
 *
 * @param facts `normalises` says whether it is fed normalised images, as the study does.
 */
export function readyDetector(
  detector: Detector,
  facts: ModelFacts & { normalises: boolean },
): LoadedModel {
  return new ReadyDetector(detector, facts);
}
