/**
 * RoIAlign over a feature pyramid: `torchvision.ops.MultiScaleRoIAlign` with 7×7 outputs and a
 * sampling ratio of 2, not aligned.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { boxAreas, type ImageSize } from "./boxes.ts";

/** Side of a pooled region. */
export const POOLED_SIZE = 7;
/** Samples per side of one of its cells. */
const SAMPLING_RATIO = 2;
/** Side of a box whose features come from level 4, stride 16. */
const CANONICAL_SIZE = 224;
const CANONICAL_LEVEL = 4;
/** Lifts sizes that are a level's own just below it through rounding. */
const LEVEL_EPSILON = 1e-6;
/** Boxes sampled at once: bounds the memory for samples to 50 MB at 256 channels. */
const CHUNK = 256;
/** Fewer are filled up to a multiple of this: for each size oneDNN makes code, and keeps it. */
const CHUNK_STEP = 32;

/** Feature maps that boxes are pooled from. */
export interface Pyramid {
  /** float32 `[n, h, w, c]` of each level, through {@linkcode padForRoiAlign}. */
  maps: readonly tf.Tensor4D[];
  /** How much smaller than the images each is; see {@linkcode inferScales}. */
  scales: readonly number[];
}

/** Boxes in a batch of images. */
export interface RegionsOfInterest {
  /** `[n*4]` corners in pixels of the resized images. */
  boxes: Float32Array;
  /** `[n]` which image of the batch each is in. */
  images: Int32Array;
}

/**
 * How much smaller each map is than the images, as torchvision guesses it: the nearest power of two.
 *
 * @param heights Heights of the maps, largest first.
 * @param imageSizes Sizes of the resized images, without padding.
 */
export function inferScales(
  heights: readonly number[],
  imageSizes: readonly ImageSize[],
): number[] {
  const largest = Math.max(...imageSizes.map(([height]) => height));
  return heights.map((height) => 2 ** Math.round(Math.log2(height / largest)));
}

/**
 * Which map each box takes its features from: eq. 1 of the paper on feature pyramids (Lin et al.,
 * 2017), in float32 as torchvision's `LevelMapper`.
 *
 * @param boxes `[n*4]` corners in pixels.
 * @param scales Of the maps, each half the one before.
 * @returns `[n]` indices into `scales`.
 */
export function pyramidLevels(boxes: Float32Array, scales: readonly number[]): Uint8Array {
  const first = -Math.log2(scales[0]!);
  const last = -Math.log2(scales.at(-1)!);
  const { fround } = Math;
  return Uint8Array.from(boxAreas(boxes), (area) => {
    const octaves = fround(Math.log2(fround(fround(Math.sqrt(area)) / CANONICAL_SIZE)));
    const level = Math.floor(fround(fround(CANONICAL_LEVEL + octaves) + fround(LEVEL_EPSILON)));
    return Math.min(Math.max(level, first), last) - first;
  });
}

/**
 * A map with its outermost rows and columns doubled, as {@linkcode multiScaleRoiAlign} takes it.
 *
 * @param map float32 `[n, h, w, c]`.
 * @returns `[n, h + 2, w + 2, c]`.
 */
export function padForRoiAlign(map: tf.Tensor4D): tf.Tensor4D {
  return tf.mirrorPad(map, [[0, 0], [1, 1], [1, 1], [0, 0]], "symmetric");
}

/**
 * Pools each box from its level of the pyramid. Runs eagerly: how many boxes a level gets is known
 * only now.
 *
 * @param total Rows of the result, zeros behind those of the boxes; by default as many as boxes.
 * @returns `pooled`, float32 `[total, 7, 7, c]` in the order of levels, and `rows`, int32 `[boxes]`:
 * where each box's features are in it.
 */
export function multiScaleRoiAlign(
  { maps, scales }: Pyramid,
  regions: RegionsOfInterest,
  { total }: { total?: number } = {},
): { pooled: tf.Tensor4D; rows: Int32Array } {
  const levels = pyramidLevels(regions.boxes, scales);
  const rows = new Int32Array(levels.length);
  let row = 0;
  const pooled = tf.tidy(() => {
    const parts: tf.Tensor4D[] = [];
    for (const [level, map] of maps.entries()) {
      const members: number[] = [];
      levels.forEach((found, i) => {
        if (found !== level) return;
        rows[i] = row++;
        members.push(i);
      });
      for (let start = 0; start < members.length; start += CHUNK) {
        const chunk = members.slice(start, start + CHUNK);
        parts.push(tf.tidy(() => roiAlign([map, scales[level]!], regions, chunk)));
      }
    }
    const missing = (total ?? row) - row;
    if (missing > 0 || row === 0) {
      parts.push(tf.zeros([missing, POOLED_SIZE, POOLED_SIZE, maps[0]!.shape[3]]));
    }
    return parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
  });
  return { pooled, rows };
}

/** Samples 14×14 points of each of the `members` and averages them in fours. */
function roiAlign(
  [map, scale]: [tf.Tensor4D, number],
  { boxes, images }: RegionsOfInterest,
  members: readonly number[],
): tf.Tensor4D {
  const samples = POOLED_SIZE * SAMPLING_RATIO;
  const count = Math.ceil(members.length / CHUNK_STEP) * CHUNK_STEP;
  // What fills up lies outside of the map, where all is 0.
  const ends = new Float32Array(4 * count).fill(-1);
  for (const [i, member] of members.entries()) {
    for (const axis of [0, 1]) {
      const low = boxes[4 * member + axis]! * scale;
      const high = boxes[4 * member + axis + 2]! * scale;
      // A region is at least one place of the map wide.
      const step = Math.max(high - low, 1) / samples;
      // CropAndResize takes the first and the last sample, y before x, in lengths of the map.
      const last = map.shape[axis === 0 ? 2 : 1] - 1;
      ends[4 * i + 1 - axis] = (1 + low + 0.5 * step) / last;
      ends[4 * i + 3 - axis] = (1 + low + (samples - 0.5) * step) / last;
    }
  }
  const sampled = tf.image.cropAndResize(
    map,
    tf.tensor2d(ends, [count, 4]),
    tf.tensor1d(Int32Array.from({ length: count }, (_, i) => images[members[i] ?? 0]!), "int32"),
    [samples, samples],
    "bilinear",
    0,
  );
  const pooled = tf.avgPool(sampled, SAMPLING_RATIO, SAMPLING_RATIO, "valid");
  return count === members.length ? pooled : pooled.slice(0, members.length);
}
