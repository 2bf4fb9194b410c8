/**
 * What part 2 and the training of its predictor need of an object detector.
 *
 * @module
 */

import type { Tensor3D } from "../../engine/ops.ts";
import type { LoadStateDictOptions } from "../classifier.ts";
import type { Detection } from "../label_mapping.ts";
import type { Parameters } from "../parameters.ts";
import type { StateDict } from "../checkpoint/state_dict.ts";

/** Options of {@linkcode Detector.loadStateDict}. */
export interface LoadDetectorOptions extends LoadStateDictOptions {
  /**
   * Keep the box predictor and ignore the checkpoint's: for weights trained on other classes.
   *
   * @default {false}
   */
  keepPredictor?: boolean;
  /**
   * What batch normalisation adds to a variance. torchvision takes 0 with its first COCO weights
   * (`fasterrcnn_resnet50_fpn_coco-258fb6c6.pth`), which were made so, and 1e-5 with all others.
   *
   * @default {the detector's own, 1e-5 at first}
   */
  batchNormEpsilon?: number;
  /** Is told what was taken off the checkpoint's names, such as `"module."`, if anything. */
  onUnwrap?: (removed: string) => void;
}

/** A model that finds objects in images. */
export interface Detector extends Disposable {
  /** Classes of the box predictor, background included. */
  readonly numClasses: number;
  /** Length of a box's features. */
  readonly featureCount: number;
  /** The box predictor, `roi_heads.box_predictor.{cls_score,bbox_pred}.{weight,bias}`. */
  readonly predictor: Parameters;
  /** Shapes of all weights by torchvision's names, in its order and layouts. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** What batch normalisation adds to a variance, which no weights say. */
  readonly batchNormEpsilon: number;
  /**
   * Takes over the weights of a checkpoint, in torchvision's current spelling or its first
   * (`backbone.fpn.inner_blocks.0.weight`, `rpn.head.conv.weight`). Prefixes such as
   * DataParallel's `module.` are taken off where the names fit exactly without.
   *
   * @throws {StudyError} If names are missing, unknown or of another shape, of which the first ten of
   *   each kind are named, or a weight is of no floating-point dtype or not finite as float32.
   */
  loadStateDict(state: StateDict, options?: LoadDetectorOptions): void;
  /** All weights under torchvision's current names, batch normalisation as it was loaded. */
  stateDict(): StateDict;
  /**
   * Finds objects.
   *
   * @param images float32 `[h, w, 3]` each, of any sizes. The detector normalises them, whether they
   * have been normalised or not.
   * @returns Each image's detections, best first, in pixels of that image.
   */
  detect(images: readonly Tensor3D[]): Promise<Detection[]>;
  /**
   * The box predictor's input for given boxes, computed as in detection.
   *
   * @param images As in {@linkcode Detector.detect}.
   * @param boxes Per image `[k*4]` corners x1, y1, x2, y2 in its pixels.
   * @returns `[boxes of all images * featureCount]`.
   */
  boxFeatures(
    images: readonly Tensor3D[],
    boxes: readonly Float32Array[],
  ): Promise<Float32Array>;
  /** Frees everything on the device, as leaving the scope of a `using` does. */
  dispose(): void;
}
