/**
 * ResNet-50 (He et al., 2016, in the form with the stride on the 3×3 convolutions) under a feature
 * pyramid (Lin et al., 2017), and the region proposal head on it, as
 * `torchvision.models.detection.fasterrcnn_resnet50_fpn` has them.
 *
 * Batch normalisation is frozen: the weights come with it folded into the convolutions.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { biasAdd, relu } from "../../engine/ops.ts";

/** A convolution's weights: float32 `[k, k, in, out]` and `[out]`. */
export interface ConvolutionWeights {
  weight: tf.Tensor4D;
  bias: tf.Tensor1D;
}

/** Finds a convolution's weights by its name in torchvision. */
export type WeightSource = (name: string) => ConvolutionWeights;

/** Blocks of each of the four stages, and channels within them; a block's output has four times as
 * many. */
export const STAGES = [
  { name: "layer1", blocks: 3, channels: 64, stride: 1 },
  { name: "layer2", blocks: 4, channels: 128, stride: 2 },
  { name: "layer3", blocks: 6, channels: 256, stride: 2 },
  { name: "layer4", blocks: 3, channels: 512, stride: 2 },
] as const;

/** Channels of a block's output over those within it. */
export const EXPANSION = 4;
/** Channels of each level of the pyramid. */
export const PYRAMID_CHANNELS = 256;

/** What comes after a convolution. */
interface ConvolutionOptions {
  /** @default {1} */
  stride?: number;
  /** Added to the result. */
  add?: tf.Tensor4D;
  /** Whether ReLU comes last. @default {true} */
  activate?: boolean;
}

/**
 * The four levels of the pyramid, largest map first.
 *
 * @param images float32 `[n, h, w, 3]`, normalised; h and w multiples of 32.
 * @returns float32 `[n, h/s, w/s, 256]` for s = 4, 8, 16, 32.
 */
export function resnet50Fpn(images: tf.Tensor4D, weights: WeightSource): tf.Tensor4D[] {
  const stages = resnet50(images, weights);
  const convolve = (x: tf.Tensor4D, name: string, add?: tf.Tensor4D) =>
    convolution(x, weights(`backbone.fpn.${name}.0`), {
      activate: false,
      ...(add !== undefined && { add }),
    });
  const levels: tf.Tensor4D[] = [];
  let inner: tf.Tensor4D | undefined;
  for (let i = stages.length - 1; i >= 0; i--) {
    const [, h, w] = stages[i]!.shape;
    const above = inner && tf.image.resizeNearestNeighbor(inner, [h, w]);
    inner = convolve(stages[i]!, `inner_blocks.${i}`, above); // [n, h, w, 256]
    levels.unshift(convolve(inner, `layer_blocks.${i}`));
  }
  return levels;
}

/**
 * The region proposal head on the pyramid, and on a fifth level that takes every other pixel of the
 * fourth.
 *
 * @param weights Of `rpn.head.conv.0.0`, and of `rpn.head.predictors`: `cls_logits` and `bbox_pred`
 * one after the other.
 * @returns float32 `[n, h, w, 15]` per level; see {@linkcode bestAnchors}.
 */
export function regionProposalHead(
  levels: readonly tf.Tensor4D[],
  weights: WeightSource,
): tf.Tensor4D[] {
  const last = levels.at(-1)!;
  const subsampled = tf.maxPool(last, 1, 2, "valid");
  return [...levels, subsampled].map((level) => {
    const hidden = convolution(level, weights("rpn.head.conv.0.0"));
    return convolution(hidden, weights("rpn.head.predictors"), { activate: false });
  });
}

/** Outputs of the four stages, `[n, h/s, w/s, 256 | 512 | 1024 | 2048]` for s = 4, 8, 16, 32. */
function resnet50(images: tf.Tensor4D, weights: WeightSource): tf.Tensor4D[] {
  const at = (name: string) => weights(`backbone.body.${name}`);
  let x = convolution(images, at("conv1"), { stride: 2 }); // [n, h/2, w/2, 64]
  // Nothing is below 0 here, so padding with 0 is padding with −∞.
  x = tf.maxPool(x.pad<tf.Tensor4D>([[0, 0], [1, 0], [1, 0], [0, 0]]), 3, 2, "valid");
  return STAGES.map(({ name, blocks, stride }) => {
    for (let block = 0; block < blocks; block++) {
      const prefix = `${name}.${block}`;
      const isFirst = block === 0;
      const shortcut = isFirst
        ? convolution(x, at(`${prefix}.downsample.0`), { stride, activate: false })
        : x;
      x = convolution(x, at(`${prefix}.conv1`));
      x = convolution(x, at(`${prefix}.conv2`), { stride: isFirst ? stride : 1 });
      x = convolution(x, at(`${prefix}.conv3`), { add: shortcut });
    }
    return x;
  });
}

/** `torch.nn.Conv2d` with padding of half the kernel, and what follows. */
function convolution(
  x: tf.Tensor4D,
  { weight, bias }: ConvolutionWeights,
  { stride = 1, add, activate = true }: ConvolutionOptions = {},
): tf.Tensor4D {
  const padding = (weight.shape[0] - 1) / 2;
  // PyTorch pads both sides alike; with a stride, "same" does not.
  const sides: [number, number] = [padding, padding];
  // Where ops run one by one, what lies between them would take gigabytes.
  return tf.tidy(() => {
    const isPadded = stride > 1 && padding > 0;
    const padded = isPadded ? x.pad<tf.Tensor4D>([[0, 0], sides, sides, [0, 0]]) : x;
    let y = biasAdd(tf.conv2d(padded, weight, stride, stride > 1 ? "valid" : "same"), bias);
    if (add !== undefined) y = y.add(add);
    return activate ? relu(y) : y;
  });
}
