/**
 * Faster R-CNN with a ResNet-50 feature pyramid, as torchvision's `fasterrcnn_resnet50_fpn` at
 * inference (Ren et al., 2015; Lin et al., 2017), under torchvision's parameter names.
 *
 * The network below the box predictor is frozen: its batch normalisation is folded into its
 * convolutions. It runs as one compiled function per batch size in pixels; what is chosen among boxes
 * is chosen here.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { compile, type CompiledFunction } from "../engine/compile.ts";
import { biasAdd, relu } from "../engine/ops.ts";
import { FASTER_RCNN_ADAPTED } from "../study.ts";
import { ANCHOR_SIZES, anchorBoxes } from "./detection/anchors.ts";
import { postprocessDetections } from "./detection/box_detections.ts";
import type { ImageSize } from "./detection/boxes.ts";
import {
  batchImages,
  type DetectionTransformOptions,
  resizeBoxes,
  transformDefaults,
} from "./detection/detection_transform.ts";
import type { Detector, LoadDetectorOptions } from "./detection/detector.ts";
import { requireDetectorFit } from "./detection/detector_fit.ts";
import { BOX_FEATURES } from "./detection/faster_rcnn_layout.ts";
import { FrozenWeights } from "./detection/faster_rcnn_weights.ts";
import type { Detection } from "./label_mapping.ts";
import { linear } from "./layers.ts";
import { bias, defaultInitializer, linearWeight, Parameters } from "./parameters.ts";
import { bestAnchors, filterProposals, type Proposals } from "./detection/region_proposals.ts";
import { regionProposalHead, resnet50Fpn } from "./detection/resnet50_fpn.ts";
import {
  inferScales,
  multiScaleRoiAlign,
  padForRoiAlign,
  type Pyramid,
} from "./detection/roi_align.ts";
import type { StateDict } from "./checkpoint/state_dict.ts";
import { requireUsable } from "./checkpoint/usable_weights.ts";

export type { Detector, LoadDetectorOptions } from "./detection/detector.ts";

/** Options of {@linkcode fasterRcnnResnet50Fpn}; torchvision's names. */
export interface FasterRcnnOptions extends DetectionTransformOptions {
  /**
   * Classes of the box predictor, background included.
   *
   * @default {91}
   */
  numClasses?: number;
  /**
   * Seed of random parameters, an integer 0..2³¹-1.
   *
   * @default {1}
   */
  seed?: number;
}

/** The box head runs on multiples of as many boxes, so that it is compiled for few sizes. */
const BOXES_STEP = 250;

const CLS_SCORE = "roi_heads.box_predictor.cls_score";
const BBOX_PRED = "roi_heads.box_predictor.bbox_pred";

/**
 * A Faster R-CNN with torchvision's initial values, drawn from a seed. An engine must be running.
 *
 * At 800×800 pixels the whole process took 1.0 GB for one image at a time and 1.4 GB for two (measured
 * on a CPU): weights twice, as loaded and as computed with, 340 MB, and 0.4 GB per image.
 */
export function fasterRcnnResnet50Fpn(options: FasterRcnnOptions = {}): Detector {
  return new FasterRcnn(options);
}

/** The network's results for a batch before boxes are pooled. */
export interface ProposedBatch {
  /** The pyramid's four levels. */
  pyramid: Pyramid;
  /** Each image's size after resizing. */
  sizes: ImageSize[];
  proposals: Proposals[];
}

/** The detector that {@linkcode fasterRcnnResnet50Fpn} makes. */
export class FasterRcnn implements Detector {
  readonly numClasses: number;
  readonly featureCount = BOX_FEATURES;
  readonly predictor: Parameters;
  #transform: Required<DetectionTransformOptions>;
  #weights: FrozenWeights;
  #pyramid: CompiledFunction<[tf.Tensor4D], tf.Tensor[]>;
  #proposalNetwork: CompiledFunction<[tf.Tensor4D], tf.Tensor[]>;
  #boxHead: CompiledFunction<[tf.Tensor4D], tf.Tensor2D>;

  constructor(options: FasterRcnnOptions = {}) {
    const { numClasses = 91, seed = 1 } = options;
    if (!Number.isInteger(numClasses) || numClasses < 2) {
      throw new RangeError(
        `Cannot build a detector as numClasses must be an integer >= 2: current value is ${numClasses}`,
      );
    }
    this.numClasses = numClasses;
    this.#transform = transformDefaults(options);
    this.#weights = new FrozenWeights(seed);
    this.predictor = new Parameters(
      new Map([
        [`${CLS_SCORE}.weight`, linearWeight(BOX_FEATURES, numClasses)],
        [`${CLS_SCORE}.bias`, bias(numClasses, BOX_FEATURES)],
        [`${BBOX_PRED}.weight`, linearWeight(BOX_FEATURES, 4 * numClasses)],
        [`${BBOX_PRED}.bias`, bias(4 * numClasses, BOX_FEATURES)],
      ]),
      defaultInitializer(seed, this.#weights.shapes.size),
    );
    const convolution = this.#weights.convolution.bind(this.#weights);
    this.#pyramid = compile((images) => resnet50Fpn(images, convolution).map(padForRoiAlign));
    this.#proposalNetwork = compile((images) => {
      const levels = resnet50Fpn(images, convolution);
      const heads = regionProposalHead(levels, convolution);
      return [...levels.map(padForRoiAlign), ...heads.flatMap(bestAnchors)];
    });
    this.#boxHead = compile((pooled) => this.#runBoxHead(pooled));
  }

  get shapes(): ReadonlyMap<string, readonly number[]> {
    return new Map([...this.#weights.shapes, ...this.predictor.shapes]);
  }

  get batchNormEpsilon(): number {
    return this.#weights.epsilon;
  }

  loadStateDict(state: StateDict, options: LoadDetectorOptions = {}): void {
    this.predictor.requireUndisposed();
    const { keepPredictor = false, batchNormEpsilon = this.batchNormEpsilon } = options;
    const { onUnwrap, path } = options;
    const shapes = keepPredictor ? this.#weights.shapes : this.shapes;
    const expected = { shapes, keepPredictor };
    const { entries: current, removed } = requireDetectorFit(state, expected, path);
    for (const name of shapes.keys()) {
      requireUsable(name, current.get(name)!, path ?? FASTER_RCNN_ADAPTED.title);
    }
    if (removed !== "") onUnwrap?.(removed);
    this.#forgetRecordings();
    this.#weights.load(current, batchNormEpsilon);
    if (keepPredictor) return;
    for (const [name, variable] of this.predictor.variables) {
      this.predictor.assign(variable, name, current.get(name)!);
    }
  }

  stateDict(): StateDict {
    return new Map([...this.#weights.stateDict(), ...this.predictor.stateDict()]);
  }

  async detect(images: readonly tf.Tensor3D[]): Promise<Detection[]> {
    if (images.length === 0) return [];
    const { pyramid, sizes, proposals } = await this.propose(images);
    const { numClasses } = this;
    const [logits, codes] = await this.#read(pyramid, () => {
      const { features, rows } = this.#features(pyramid, proposals.map(({ boxes }) => boxes));
      return [CLS_SCORE, BBOX_PRED].map((name) =>
        linear(features, this.predictor, name).gather(rows)
      );
    });
    let start = 0;
    return images.map(({ shape: [height, width] }, i) => {
      const { boxes } = proposals[i]!;
      const end = start + boxes.length / 4;
      const predictions = {
        logits: logits!.subarray(numClasses * start, numClasses * end),
        codes: codes!.subarray(4 * numClasses * start, 4 * numClasses * end),
        numClasses,
      };
      start = end;
      const detection = postprocessDetections(predictions, boxes, sizes[i]!);
      resizeBoxes(detection.boxes, sizes[i]!, [height, width]);
      return detection;
    });
  }

  async boxFeatures(
    images: readonly tf.Tensor3D[],
    boxes: readonly Float32Array[],
  ): Promise<Float32Array> {
    if (images.length !== boxes.length) {
      throw new RangeError(
        `Cannot take box features as each image needs its boxes: there are ${images.length} ` +
          `images and ${boxes.length} arrays of boxes`,
      );
    }
    if (images.length === 0) return new Float32Array(0);
    const { outputs, sizes } = this.#run(this.#pyramid, images);
    const maps = outputs as tf.Tensor4D[];
    const pyramid = { maps, scales: scalesOf(maps, sizes) };
    const resized = boxes.map((ofImage, i) => {
      const [height, width] = images[i]!.shape;
      const copy = ofImage.slice();
      resizeBoxes(copy, [height, width], sizes[i]!);
      return copy;
    });
    const [values] = await this.#read(pyramid, () => {
      const { features, rows } = this.#features(pyramid, resized);
      return [features.gather(rows)];
    });
    return values!;
  }

  /**
   * The first half of detection: pyramid and proposals.
   *
   * @param images At least one; the caller disposes the maps.
   */
  async propose(images: readonly tf.Tensor3D[]): Promise<ProposedBatch> {
    const { outputs, sizes, batch } = this.#run(this.#proposalNetwork, images);
    const maps = outputs.slice(0, -3 * ANCHOR_SIZES.length) as tf.Tensor4D[];
    const found = outputs.slice(maps.length);
    const values = await Promise.all(found.map((tensor) => tensor.data()));
    tf.dispose(found);
    // The fifth level has every other pixel of the fourth.
    const mapSizes = maps.map(({ shape: [, h, w] }): ImageSize => [h - 2, w - 2]);
    const [h, w] = mapSizes.at(-1)!;
    mapSizes.push([Math.ceil(h / 2), Math.ceil(w / 2)]);
    const proposals = sizes.map((size, image) => {
      const levels = ANCHOR_SIZES.map((anchorSize, level) => {
        const [objectness, indices, codes] = values.slice(3 * level, 3 * level + 3).map((data) => {
          const length = data.length / images.length;
          return data.subarray(image * length, (image + 1) * length);
        });
        const grid = { map: mapSizes[level]!, batch, size: anchorSize };
        return {
          objectness: objectness as Float32Array,
          anchors: anchorBoxes(indices!, grid),
          codes: codes as Float32Array,
        };
      });
      return filterProposals(levels, size);
    });
    return { pyramid: { maps, scales: scalesOf(maps, sizes) }, sizes, proposals };
  }

  dispose(): void {
    this.#forgetRecordings();
    this.#weights.dispose();
    this.predictor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #forgetRecordings(): void {
    for (const fn of [this.#pyramid, this.#proposalNetwork, this.#boxHead]) fn.dispose();
  }

  /** Runs a part of the network on images; `batch` is their height and width with padding. */
  #run(
    part: (images: tf.Tensor4D) => tf.Tensor[],
    images: readonly tf.Tensor3D[],
  ): { outputs: tf.Tensor[]; sizes: ImageSize[]; batch: ImageSize } {
    // What is frozen would be made anew.
    this.predictor.requireUndisposed();
    this.#weights.prepare();
    const { images: batch, sizes } = batchImages(images, this.#transform);
    try {
      const [, height, width] = batch.shape;
      return { outputs: part(batch), sizes, batch: [height, width] };
    } finally {
      batch.dispose();
    }
  }

  /** Reads what `compute` makes of a pyramid, and frees both. */
  async #read(pyramid: Pyramid, compute: () => tf.Tensor[]): Promise<Float32Array[]> {
    const results: tf.Tensor[] = [];
    try {
      results.push(...tf.tidy(compute));
      return await Promise.all(results.map((tensor) => tensor.data<"float32">()));
    } finally {
      tf.dispose([...results, ...pyramid.maps]);
    }
  }

  /**
   * Features of boxes in pixels of the resized images: float32 `[n, 1024]`, n a multiple of
   * {@linkcode BOXES_STEP}, and the row of each box.
   */
  #features(
    pyramid: Pyramid,
    boxes: readonly Float32Array[],
  ): { features: tf.Tensor2D; rows: tf.Tensor1D } {
    const counts = boxes.map(({ length }) => length / 4);
    const count = counts.reduce((sum, n) => sum + n, 0);
    const regions = {
      boxes: Float32Array.from(boxes.flatMap((ofImage) => [...ofImage])),
      images: Int32Array.from(counts.flatMap((n, image) => new Array<number>(n).fill(image))),
    };
    const total = Math.max(1, Math.ceil(count / BOXES_STEP)) * BOXES_STEP;
    const { pooled, rows } = multiScaleRoiAlign(pyramid, regions, { total });
    return { features: this.#boxHead(pooled), rows: tf.tensor1d(rows, "int32") };
  }

  #runBoxHead(pooled: tf.Tensor4D): tf.Tensor2D {
    let x = pooled.reshape<tf.Tensor2D>([pooled.shape[0], -1]); // [n, 12544]
    for (const name of ["fc6", "fc7"] as const) {
      const { weight, bias } = this.#weights.linear(name);
      x = relu(biasAdd(tf.matMul(x, weight), bias)); // [n, 1024]
    }
    return x;
  }
}

/** The scales of padded maps. */
function scalesOf(maps: readonly tf.Tensor4D[], sizes: readonly ImageSize[]): number[] {
  return inferScales(maps.map(({ shape }) => shape[1] - 2), sizes);
}
