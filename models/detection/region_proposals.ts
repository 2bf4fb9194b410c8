/**
 * The region proposal network behind its convolutions: which anchors, moved and scaled, become
 * proposals (`torchvision`'s `RegionProposalNetwork` at inference).
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { ANCHOR_RATIOS } from "./anchors.ts";
import {
  batchedNms,
  clipBoxes,
  decodeBoxes,
  type ImageSize,
  largeBoxes,
  takeBoxes,
} from "./boxes.ts";

/** Best anchors of each level that are considered, per image. */
const PRE_NMS_TOP_N = 1000;
/** Most proposals per image. */
const POST_NMS_TOP_N = 1000;
/** Overlap of proposals of one level above which the worse is dropped. */
const NMS_THRESHOLD = 0.7;
/** Shortest side of a proposal in pixels. */
const MIN_SIZE = 1e-3;

/**
 * The best anchors of one level.
 *
 * @param head float32 `[n, h, w, 15]`: objectness of each ratio's anchor, then dx, dy, dw, dh of each.
 * @returns For k = min(1000, 3hw): objectness `[n, k]` from high to low, the anchors' indices int32
 * `[n, k]`, and their codes `[n, k, 4]`.
 */
export function bestAnchors(head: tf.Tensor4D): [tf.Tensor2D, tf.Tensor2D, tf.Tensor3D] {
  const [n, h, w] = head.shape;
  const ratios = ANCHOR_RATIOS.length;
  const count = h * w * ratios;
  const objectness = head.slice([0, 0, 0, 0], [n, h, w, ratios]).reshape<tf.Tensor2D>([n, count]);
  const codes = head.slice([0, 0, 0, ratios], [n, h, w, 4 * ratios]).reshape([n, count, 4]);
  const best = tf.topk(objectness, Math.min(PRE_NMS_TOP_N, count));
  const bestCodes = tf.gather(codes, best.indices, 1, 1) as tf.Tensor3D;
  return [best.values, best.indices, bestCodes];
}

/** The {@linkcode bestAnchors} of one image on one level, k of them. */
export interface LevelCandidates {
  /** `[k]` logits from high to low. */
  objectness: Float32Array;
  /** `[k*4]` corners of the anchors. */
  anchors: Float32Array;
  /** `[k*4]` dx, dy, dw, dh. */
  codes: Float32Array;
}

/** Proposals for one image, best first. */
export interface Proposals {
  /** `[n*4]` corners in pixels of the resized image, n at most 1,000. */
  boxes: Float32Array;
  /** `[n]` objectness as a probability, 0..1. */
  scores: Float32Array;
}

/**
 * Proposals of one image: decoded, clipped, without the small ones and those that overlap better ones
 * of their level.
 *
 * @param levels Candidates of each level.
 * @param imageSize Size of the resized image, without its padding.
 */
export function filterProposals(
  levels: readonly LevelCandidates[],
  imageSize: ImageSize,
): Proposals {
  const count = levels.reduce((sum, { objectness }) => sum + objectness.length, 0);
  const boxes = new Float32Array(4 * count);
  const scores = new Float32Array(count);
  const levelOf = new Uint8Array(count);
  let start = 0;
  for (const [level, { objectness, anchors, codes }] of levels.entries()) {
    boxes.set(decodeBoxes(codes, anchors), 4 * start);
    scores.set(objectness.map((logit) => 1 / (1 + Math.exp(-logit))), start);
    levelOf.fill(level, start, start += objectness.length);
  }
  clipBoxes(boxes, imageSize);
  const large = largeBoxes(boxes, MIN_SIZE);
  const candidates = takeBoxes(boxes, large);
  const candidateScores = Float32Array.from(large, (i) => scores[i]!);
  const kept = batchedNms(candidates, candidateScores, large.map((i) => levelOf[i]!), {
    threshold: NMS_THRESHOLD,
    limit: POST_NMS_TOP_N,
  });
  return {
    boxes: takeBoxes(candidates, kept),
    scores: Float32Array.from(kept, (i) => candidateScores[i]!),
  };
}
