/**
 * Features of images that share a background, in batches of images that differ from it in parts of
 * about the same size.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { Box } from "../../data/grey_picture.ts";
import type { CompiledFunction } from "../../engine/compile.ts";
import type { Engine } from "../../engine/engine.ts";
import type { WindowedFeatures } from "../../models/classifier.ts";
import { planTensors, type WindowPlan } from "../../models/windows.ts";
import type { BatchSource } from "../trainer.ts";

/** What the images of a set have in common. */
export interface SharedBackground {
  /** Height and width of an image as the model takes it. */
  readonly imageSide: number;
  /** The part of an image, as the model takes it, outside of which it is the background; not empty. */
  boxOf(index: number): Box;
  /** An image of nothing else, float32 `[1, imageSide, imageSide, c]`. */
  image(): tf.Tensor4D;
}

/**
 * Compiled functions kept at a time, those used last. MNIST's training images come to 72 sizes of
 * windows with VGG16, most of them rare; a function takes some 8 MB, and 0.15 s to compile.
 */
export const MOST_FUNCTIONS = 32;

/** A compiled function for each of the sizes of windows used last, and the background's maps. */
export class WindowedExtraction implements Disposable {
  #engine: Pick<Engine, "compile">;
  #features: WindowedFeatures;
  #images: BatchSource<tf.Tensor4D>;
  #background: SharedBackground;
  #maps: tf.Tensor4D[] | undefined;
  #functions = new Map<string, CompiledFunction<tf.Tensor[], tf.Tensor>>();

  /** Nothing is computed or compiled before it is needed. */
  constructor(
    engine: Pick<Engine, "compile">,
    features: WindowedFeatures,
    images: BatchSource<tf.Tensor4D>,
    background: SharedBackground,
  ) {
    this.#engine = engine;
    this.#features = features;
    this.#images = images;
    this.#background = background;
  }

  /** Narrow boxes first, and of equally wide ones the low ones. */
  order(indices: readonly number[]): number[] {
    const boxes = new Map(indices.map((index) => [index, this.#background.boxOf(index)]));
    return indices.toSorted((a, b) => {
      const [one, other] = [boxes.get(a)!, boxes.get(b)!];
      return one.width - other.width || one.height - other.height || a - b;
    });
  }

  /** See `Extraction` in `feature_extractor.ts`. */
  compute(indices: Int32Array): tf.Tensor {
    const plan = this.#features.plan(Array.from(indices, (index) => this.#background.boxOf(index)));
    const maps = this.#maps ??= this.#backgroundMaps();
    return tf.tidy(() => {
      const windows = planTensors(plan);
      const run = this.#function(plan, windows.length);
      return run(...maps, ...windows, ...this.#images.tensors(indices));
    });
  }

  #function(plan: WindowPlan, windows: number): CompiledFunction<tf.Tensor[], tf.Tensor> {
    const functions = this.#functions;
    const run = functions.get(plan.key) ?? this.#compile(plan, windows);
    // Those used last come last.
    functions.delete(plan.key);
    functions.set(plan.key, run);
    if (functions.size > MOST_FUNCTIONS) {
      const [key, unused] = functions.entries().next().value!;
      unused.dispose();
      functions.delete(key);
    }
    return run;
  }

  #compile(plan: WindowPlan, windows: number): CompiledFunction<tf.Tensor[], tf.Tensor> {
    const maps = this.#maps!.length;
    return this.#engine.compile((...tensors: tf.Tensor[]): tf.Tensor =>
      this.#features.features(
        this.#images.batch(tensors.slice(maps + windows)).inputs,
        plan,
        tensors.slice(0, maps) as tf.Tensor4D[],
        tensors.slice(maps, maps + windows),
      )
    );
  }

  /** In the number format in which the images' maps are computed. */
  #backgroundMaps(): tf.Tensor4D[] {
    using run = this.#engine.compile((image: tf.Tensor4D): tf.Tensor[] =>
      this.#features.backgroundMaps(image)
    );
    const image = this.#background.image();
    const maps = run(image);
    image.dispose();
    return maps as tf.Tensor4D[];
  }

  /** Frees the compiled functions and the background's maps. */
  [Symbol.dispose](): void {
    for (const run of this.#functions.values()) run.dispose();
    this.#functions.clear();
    tf.dispose(this.#maps);
    this.#maps = undefined;
  }
}
