/**
 * The units of work of parts 4 and 2 that the bench times on our side.
 *
 * @module
 */

import type * as TF from "@tensorflow/tfjs";
import type { Engine } from "../engine/engine.ts";
import { sparseSoftmaxCrossEntropy } from "../engine/ops.ts";
import { alexnet } from "../models/alexnet.ts";
import type { FrozenFeatureClassifier } from "../models/classifier.ts";
import { fasterRcnnResnet50Fpn } from "../models/faster_rcnn.ts";
import { vgg16 } from "../models/vgg16.ts";
import { DATA, DETECTION, VGG16 } from "../study.ts";
import { Adam } from "../training/adam.ts";
import { classifierOn } from "../training/features/feature_batches.ts";
import { formulaWeight, image as formulaImage } from "./faster_rcnn_formulas.ts";

/** The kinds of work; what they are is told in `reference/transfer.py`. */
export const TRANSFER_CASES = [
  "alexnet_features",
  "alexnet_classifier",
  "vgg16_features",
  "vgg16_classifier",
  "detector",
  "detector_batch",
] as const;

/** One of {@linkcode TRANSFER_CASES}. */
export type TransferCase = typeof TRANSFER_CASES[number];

/** Part 4 trains both of its models with the same settings. */
const { batchSize, learningRate, weightDecay } = VGG16.training;
const ADAM = { learningRate, weightDecay } as const;

/** Images of a batch, in the study's part 2 too. */
export const TRANSFER_BATCH = batchSize;

const NUM_CLASSES = DATA.classes;
const DETECTOR_CLASSES = 91;
const IMAGE_SIZE = 224;
/** Seeds of the formulas, as `reference/transfer.py` has them. */
const FIRST_WEIGHT_SEED = 1001;
const FIRST_IMAGE_SEED = 1;

/** Something to be done again and again. */
interface Job {
  unit(): void | Promise<void>;
  dispose(): void;
}

/** Does one kind of work at a time: a model with its optimiser's state takes up to 2 GB. */
export class TransferWork {
  #engine: Engine;
  #job: { work: TransferCase; job: Job } | undefined;

  /** Nothing is made before it is asked for. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** A function that does one unit; that of the work asked for before is freed. */
  unit(work: TransferCase): Job["unit"] {
    if (this.#job?.work !== work) {
      this.#job?.job.dispose();
      this.#job = undefined;
      this.#job = { work, job: this.#make(work) };
    }
    return this.#job.job.unit;
  }

  #make(work: TransferCase): Job {
    switch (work) {
      case "alexnet_features":
        return this.#features(alexnet({ numClasses: NUM_CLASSES }));
      case "vgg16_features":
        return this.#features(vgg16({ numClasses: NUM_CLASSES }));
      case "alexnet_classifier":
        return this.#classifier(alexnet({ numClasses: NUM_CLASSES }));
      case "vgg16_classifier":
        return this.#classifier(vgg16({ numClasses: NUM_CLASSES }));
      case "detector":
        return this.#detector(1);
      case "detector_batch":
        return this.#detector(TRANSFER_BATCH);
    }
  }

  /** The features of a batch that is on the device, read back. */
  #features(model: FrozenFeatureClassifier): Job {
    const { tf } = this.#engine;
    const compiled = this.#engine.compile((images: TF.Tensor) =>
      model.features(images as TF.Tensor4D)
    );
    const images = tf.randomNormal([TRANSFER_BATCH, IMAGE_SIZE, IMAGE_SIZE, 3]);
    return {
      unit: () => tf.tidy(() => void compiled(images).dataSync()),
      dispose: () => disposeAll(compiled, images, model),
    };
  }

  /** A training step on features that are on the device; the loss is read. */
  #classifier(model: FrozenFeatureClassifier): Job {
    const { tf } = this.#engine;
    const adam = new Adam(model.parameters.variables, ADAM);
    const variables = [...model.parameters.variables.values()];
    const { forward, precision } = classifierOn(model);
    const compiled = this.#engine.compile(
      (features: TF.Tensor, labels: TF.Tensor1D, key: TF.Tensor1D, scalars: TF.Tensor1D) => {
        const { value, grads } = tf.variableGrads(() => {
          const logits = forward(features as TF.Tensor2D, key);
          return sparseSoftmaxCrossEntropy(logits, labels).mean();
        }, variables);
        adam.apply(grads, scalars);
        return value;
      },
      { precision },
    );
    const features = tf.randomUniform([TRANSFER_BATCH, model.featureCount]);
    const labels = tf.randomUniform<TF.Rank.R1>([TRANSFER_BATCH], 0, NUM_CLASSES, "int32");
    let step = 0;
    return {
      unit: () =>
        tf.tidy(() => {
          step++;
          const key = tf.tensor1d([1, step], "int32");
          const scalars = tf.tensor1d(adam.stepScalars(step));
          void compiled(features, labels, key, scalars).dataSync();
        }),
      dispose: () => disposeAll(compiled, features, labels, adam, model),
    };
  }

  /**
   * What is detected in images that are on the device, in calls of as many as part 2 makes; weights and
   * images are by formula.
   */
  #detector(count: number): Job {
    const { tf } = this.#engine;
    const model = fasterRcnnResnet50Fpn({ numClasses: DETECTOR_CLASSES });
    model.loadStateDict(
      new Map([...model.shapes].map(([name, shape], index) => {
        const data = formulaWeight(name, shape, FIRST_WEIGHT_SEED + index);
        return [name, { dtype: "float32", shape: [...shape], data }];
      })),
    );
    const images = Array.from({ length: count }, (_, index) => {
      const pixels = formulaImage(FIRST_IMAGE_SEED + index, IMAGE_SIZE, IMAGE_SIZE);
      return tf.tensor3d(pixels, [IMAGE_SIZE, IMAGE_SIZE, 3]);
    });
    return {
      unit: async () => {
        for (let start = 0; start < count; start += DETECTION.batchSize) {
          await model.detect(images.slice(start, start + DETECTION.batchSize));
        }
      },
      dispose: () => disposeAll(...images, model),
    };
  }
}

function disposeAll(...owners: readonly { dispose(): void }[]): void {
  for (const owner of owners) owner.dispose();
}
