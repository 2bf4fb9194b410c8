/**
 * Computes the features of images, for a cache.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { Engine } from "../../engine/engine.ts";
import { eventTurn } from "../../io/event_turn.ts";
import type { FrozenFeatureClassifier } from "../../models/classifier.ts";
import type { BatchSource } from "../trainer.ts";
import { rowsMissing } from "./feature_shard.ts";
import { type SharedBackground, WindowedExtraction } from "./windowed_extraction.ts";

/**
 * Images at a time. Batches always begin at multiples of this and are always full, the last one
 * padded: so the bits of an image's features depend on nothing but the image and its index, however
 * many images are asked for and wherever a computation was interrupted.
 */
export const EXTRACTION_BATCH = 16;

/**
 * Images of which batches are made where those whose windows are alike are computed together: there the
 * last bits of an image's features depend on these as well.
 */
export const WINDOWED_GROUP = 8 * EXTRACTION_BATCH;

/** Options of {@linkcode FeatureExtractor.extract}. */
export interface ExtractOptions {
  /**
   * Where rows go as soon as they are computed, `[rows * columns]`. Those whose first value is not NaN
   * are there already, and may be left as they are.
   *
   * @default {an array of its own}
   */
  values?: Float32Array;
  /** Called with the rows done. */
  onProgress?: (done: number) => void;
  /** Aborts between two batches. */
  signal?: AbortSignal;
}

/** What computes rows of features. */
export interface FeatureSource {
  /**
   * Rows that are best asked for in one call, a multiple of {@linkcode EXTRACTION_BATCH}.
   *
   * @default {EXTRACTION_BATCH}
   */
  readonly group?: number;
  /** See {@linkcode FeatureExtractor.extract}. */
  extract(first: number, rows: number, options?: ExtractOptions): Promise<Float32Array>;
}

/** How batches are made and computed. */
interface Extraction extends Disposable {
  /** The indices in the order in which they make up batches. */
  order(indices: readonly number[]): readonly number[];
  /**
   * Computes a batch.
   *
   * @param indices int32 `[EXTRACTION_BATCH]`.
   * @returns float32 `[EXTRACTION_BATCH, columns]`, the caller's own.
   */
  compute(indices: Int32Array): tf.Tensor;
}

/** The frozen part of a model, compiled, on one set of images. */
export class FeatureExtractor implements FeatureSource, Disposable {
  /** Features of one image. */
  readonly columns: number;
  readonly group: number;
  #extraction: Extraction;

  /**
   * Functions are compiled when first used.
   *
   * @param background If given, features are computed where images differ from it, in less time.
   */
  constructor(
    engine: Engine,
    model:
      & Pick<FrozenFeatureClassifier, "featureCount" | "features">
      & Partial<
        Pick<FrozenFeatureClassifier, "windowedFeatures">
      >,
    images: BatchSource<tf.Tensor4D>,
    background?: SharedBackground,
  ) {
    this.columns = model.featureCount;
    const windowed = background && model.windowedFeatures?.(background.imageSide);
    this.group = windowed === undefined ? EXTRACTION_BATCH : WINDOWED_GROUP;
    this.#extraction = windowed === undefined
      ? wholeImages(engine, model, images)
      : new WindowedExtraction(engine, windowed, images, background!);
  }

  /**
   * Computes the features of a run of images.
   *
   * @param first Index of the first, a multiple of {@linkcode EXTRACTION_BATCH}.
   * @param rows Number of images.
   * @returns float32 `[rows * columns]`; `values`, if given.
   * @throws {InterruptedError} If aborted.
   */
  async extract(first: number, rows: number, options: ExtractOptions = {}): Promise<Float32Array> {
    if (first % EXTRACTION_BATCH !== 0) {
      throw new RangeError(
        `Cannot extract features as first must be a multiple of ${EXTRACTION_BATCH}: current ` +
          `value is ${first}`,
      );
    }
    const { columns } = this;
    const { values = new Float32Array(rows * columns).fill(NaN), onProgress, signal } = options;
    const missing = new Set(rowsMissing(values, columns));
    const order = this.#extraction.order(Array.from({ length: rows }, (_, i) => first + i));
    for (let done = 0; done < rows; done += EXTRACTION_BATCH) {
      const wanted = order.slice(done, done + EXTRACTION_BATCH);
      if (!wanted.some((index) => missing.has(index - first))) continue;
      await eventTurn(signal);
      const padded = Int32Array.from(
        { length: EXTRACTION_BATCH },
        (_, i) => wanted[i] ?? wanted.at(-1)!,
      );
      const features = this.#extraction.compute(padded);
      const computed = features.dataSync<"float32">();
      for (const [i, index] of wanted.entries()) {
        values.set(computed.subarray(i * columns, (i + 1) * columns), (index - first) * columns);
      }
      features.dispose();
      onProgress?.(done + wanted.length);
    }
    return values;
  }

  /** Frees the compiled functions. */
  [Symbol.dispose](): void {
    this.#extraction[Symbol.dispose]();
  }
}

function wholeImages(
  engine: Engine,
  model: Pick<FrozenFeatureClassifier, "features">,
  images: BatchSource<tf.Tensor4D>,
): Extraction {
  const run = engine.compile((...tensors: tf.Tensor[]): tf.Tensor =>
    model.features(images.batch(tensors).inputs)
  );
  return {
    order: (indices) => indices,
    compute: (indices) => tf.tidy(() => run(...images.tensors(indices))),
    [Symbol.dispose]: () => run.dispose(),
  };
}
