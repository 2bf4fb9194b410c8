/**
 * Computes the features of images, for a cache.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { CompiledFunction } from "../../engine/compile.ts";
import type { Engine } from "../../engine/engine.ts";
import { eventTurn } from "../../io/event_turn.ts";
import type { FrozenFeatureClassifier } from "../../models/classifier.ts";
import type { BatchSource } from "../trainer.ts";

/**
 * Images at a time. Batches always begin at multiples of this and are always full, the last one
 * padded: so the bits of an image's features depend on nothing but the image and its index, however
 * many images are asked for and wherever a computation was interrupted.
 */
export const EXTRACTION_BATCH = 16;

/** Options of {@linkcode FeatureExtractor.extract}. */
export interface ExtractOptions {
  /** Called with the rows done. */
  onProgress?: (done: number) => void;
  /** Aborts between two batches. */
  signal?: AbortSignal;
}

/** The frozen part of a model, compiled, on one set of images. */
export class FeatureExtractor implements Disposable {
  /** Features of one image. */
  readonly columns: number;
  #images: BatchSource<tf.Tensor4D>;
  #run: CompiledFunction<tf.Tensor[], tf.Tensor>;

  /** The function is compiled when first used. */
  constructor(
    engine: Engine,
    model: Pick<FrozenFeatureClassifier, "featureCount" | "features">,
    images: BatchSource<tf.Tensor4D>,
  ) {
    this.columns = model.featureCount;
    this.#images = images;
    this.#run = engine.compile((...tensors: tf.Tensor[]): tf.Tensor =>
      model.features(images.batch(tensors).inputs)
    );
  }

  /**
   * Computes the features of a run of images.
   *
   * @param first Index of the first, a multiple of {@linkcode EXTRACTION_BATCH}.
   * @param rows Number of images.
   * @returns float32 `[rows * columns]`.
   * @throws {InterruptedError} If aborted.
   */
  async extract(
    first: number,
    rows: number,
    { onProgress, signal }: ExtractOptions = {},
  ): Promise<Float32Array> {
    if (first % EXTRACTION_BATCH !== 0) {
      throw new RangeError(
        `Cannot extract features as first must be a multiple of ${EXTRACTION_BATCH}: current ` +
          `value is ${first}`,
      );
    }
    const { columns } = this;
    const values = new Float32Array(rows * columns);
    const last = this.#images.count - 1;
    for (let done = 0; done < rows; done += EXTRACTION_BATCH) {
      await eventTurn(signal);
      const indices = Int32Array.from(
        { length: EXTRACTION_BATCH },
        (_, i) => Math.min(first + done + i, last),
      );
      const features = tf.tidy(() => this.#run(...this.#images.tensors(indices)));
      const wanted = Math.min(EXTRACTION_BATCH, rows - done);
      values.set(features.dataSync<"float32">().subarray(0, wanted * columns), done * columns);
      features.dispose();
      onProgress?.(done + wanted);
    }
    return values;
  }

  /** Frees the compiled function. */
  [Symbol.dispose](): void {
    this.#run.dispose();
  }
}
