/**
 * The loss that a box predictor is trained with: torchvision's `fastrcnn_loss`.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { sparseSoftmaxCrossEntropy } from "../../engine/ops.ts";

/** Where smooth L1 turns from square to straight. */
const BETA = 1 / 9;

/**
 * `torchvision.models.detection.roi_heads.fastrcnn_loss`, its two terms added: the mean
 * cross-entropy, and the smooth L1 loss (beta 1/9) of the deltas of each digit box's own class, its
 * sum divided by the number of all boxes.
 *
 * @param logits float32 `[n, classes]`.
 * @param deltas float32 `[n, classes * 4]`, class after class.
 * @param labels int32 `[n]`; 0 is background, which has no box.
 * @param targets float32 `[n, 4]` of `encodeBoxes` with torchvision's factors; anything finite
 *   for background.
 */
export function fastRcnnLoss(
  logits: tf.Tensor2D,
  deltas: tf.Tensor2D,
  labels: tf.Tensor1D,
  targets: tf.Tensor2D,
): tf.Scalar {
  return tf.tidy(() => {
    const [count, classes] = logits.shape;
    const classification = sparseSoftmaxCrossEntropy(logits, labels).mean();
    const own = tf.oneHot(labels, classes).cast("float32").expandDims(2); // [n, classes, 1]
    const ownDeltas = deltas.reshape([count, classes, 4]).mul(own).sum(1); // [n, 4]
    const hasBox = labels.greater(0).cast("float32").expandDims(1); // [n, 1]
    const error = ownDeltas.sub(targets).abs().mul(hasBox);
    const square = error.minimum(BETA);
    const smooth = square.square().mul(0.5 / BETA).add(error.sub(square));
    return classification.add(smooth.sum().div(count));
  });
}
