/**
 * Batches of features that were computed before: a frozen-feature model's classifier is trained and
 * evaluated on them.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { FrozenFeatureClassifier } from "../../models/classifier.ts";
import type { LabelledBatches } from "../evaluate.ts";
import type { TrainableModel } from "../trainer.ts";

/** Features in rows, one for each image. */
export interface FeatureRows {
  /** Features of one image. */
  readonly columns: number;
  /**
   * Copies rows.
   *
   * @param indices int32 `[n]`.
   * @returns float32 `[n * columns]`, an array of the caller's own.
   */
  read(indices: Int32Array): Float32Array;
}

/** Features as a source of batches. */
export class FeatureBatches implements LabelledBatches<tf.Tensor2D> {
  readonly labels: Uint8Array;
  #rows: FeatureRows;

  /** @param labels Classes of the rows, in their order. */
  constructor(rows: FeatureRows, labels: Uint8Array) {
    this.#rows = rows;
    this.labels = labels;
  }

  get count(): number {
    return this.labels.length;
  }

  tensors(indices: Int32Array): tf.Tensor[] {
    const { columns } = this.#rows;
    const classes = Int32Array.from(indices, (index) => this.labels[index]!);
    return [
      tf.tensor2d(this.#rows.read(indices), [indices.length, columns], "float32"),
      tf.tensor1d(classes, "int32"),
    ];
  }

  batch(tensors: readonly tf.Tensor[]): { inputs: tf.Tensor2D; targets: tf.Tensor1D } {
    const [inputs, targets] = tensors as [tf.Tensor2D, tf.Tensor1D];
    return { inputs, targets };
  }
}

/**
 * Rows that lie in memory.
 *
 * @param values float32 `[n * columns]`.
 */
export function rowsInMemory(values: Float32Array, columns: number): FeatureRows {
  return {
    columns,
    read(indices) {
      const rows = new Float32Array(indices.length * columns);
      indices.forEach((index, i) =>
        rows.set(values.subarray(index * columns, (index + 1) * columns), i * columns)
      );
      return rows;
    },
  };
}

/**
 * The part of a model that is trained, as a model on features. Its products are float32: in bfloat16
 * the weights are copied first, and a step of 32 images was no faster for 400 to 900 MB more.
 */
export function classifierOn(
  model: Pick<FrozenFeatureClassifier, "numClasses" | "parameters" | "classify">,
): TrainableModel<tf.Tensor2D> {
  return {
    numClasses: model.numClasses,
    parameters: model.parameters,
    precision: "float32",
    forward: (features, dropoutKey) => model.classify(features, dropoutKey),
  };
}
