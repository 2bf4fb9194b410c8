/**
 * Faster R-CNN's frozen parameters: torchvision's names, shapes and initial values.
 *
 * @module
 */

import { ANCHOR_RATIOS } from "./anchors.ts";
import { EXPANSION, PYRAMID_CHANNELS, STAGES } from "./resnet50_fpn.ts";
import { POOLED_SIZE } from "./roi_align.ts";

/** Length of a box's features. */
export const BOX_FEATURES = 1024;

/** A frozen parameter or buffer. */
export interface FrozenLayout {
  readonly shape: readonly number[];
  /** How it starts; `scale` is a constant's value, a normal's deviation, a uniform's bound. */
  readonly initial: { readonly kind: "constant" | "normal" | "uniform"; readonly scale: number };
}

/** A convolution of the network. */
export interface ConvolutionLayout {
  /** Names of the convolutions that it joins, one output after the other; mostly one. */
  readonly parts: readonly string[];
  /** Name of the batch normalisation behind it; without one, it has a bias. */
  readonly norm?: string;
}

/** Everything but the predictor. */
export interface FrozenNetwork {
  /** Parameters and buffers by torchvision's names, in its order. */
  readonly layouts: ReadonlyMap<string, FrozenLayout>;
  /** Convolutions by the names under which the network asks for them. */
  readonly convolutions: ReadonlyMap<string, ConvolutionLayout>;
}

/** Describes the network below the box predictor. */
export function frozenNetwork(): FrozenNetwork {
  const layouts = new Map<string, FrozenLayout>();
  const convolutions = new Map<string, ConvolutionLayout>();
  const constant = (value: number) => ({ kind: "constant", scale: value }) as const;

  /** A convolution with batch normalisation: He et al.'s initial values, by its outputs. */
  const normalised = (
    [name, norm]: [name: string, norm: string],
    [inChannels, outChannels, kernelSize]: [number, number, number],
  ) => {
    const scale = Math.sqrt(2 / (outChannels * kernelSize ** 2));
    const shape = [outChannels, inChannels, kernelSize, kernelSize];
    layouts.set(`${name}.weight`, { shape, initial: { kind: "normal", scale } });
    layouts.set(`${norm}.weight`, { shape: [outChannels], initial: constant(1) });
    layouts.set(`${norm}.bias`, { shape: [outChannels], initial: constant(0) });
    layouts.set(`${norm}.running_mean`, { shape: [outChannels], initial: constant(0) });
    layouts.set(`${norm}.running_var`, { shape: [outChannels], initial: constant(1) });
    convolutions.set(name, { parts: [name], norm });
  };
  normalised(["backbone.body.conv1", "backbone.body.bn1"], [3, 64, 7]);
  let inChannels = 64;
  for (const { name, blocks, channels } of STAGES) {
    for (let block = 0; block < blocks; block++) {
      const at = `backbone.body.${name}.${block}`;
      normalised([`${at}.conv1`, `${at}.bn1`], [inChannels, channels, 1]);
      normalised([`${at}.conv2`, `${at}.bn2`], [channels, channels, 3]);
      normalised([`${at}.conv3`, `${at}.bn3`], [channels, EXPANSION * channels, 1]);
      if (block === 0) {
        const sizes: [number, number, number] = [inChannels, EXPANSION * channels, 1];
        normalised([`${at}.downsample.0`, `${at}.downsample.1`], sizes);
      }
      inChannels = EXPANSION * channels;
    }
  }

  const biased = (
    name: string,
    shape: readonly number[],
    initial: { weight: FrozenLayout["initial"]; bias: FrozenLayout["initial"] },
  ) => {
    layouts.set(`${name}.weight`, { shape, initial: initial.weight });
    layouts.set(`${name}.bias`, { shape: shape.slice(0, 1), initial: initial.bias });
    convolutions.set(name, { parts: [name] });
  };
  const c = PYRAMID_CHANNELS;
  const pyramid = (name: string, channels: number, kernelSize: number) => {
    const bound = Math.sqrt(3 / (channels * kernelSize ** 2));
    const weight = { kind: "uniform", scale: bound } as const;
    biased(name, [c, channels, kernelSize, kernelSize], { weight, bias: constant(0) });
  };
  for (const [i, { channels }] of STAGES.entries()) {
    pyramid(`backbone.fpn.inner_blocks.${i}.0`, EXPANSION * channels, 1);
  }
  for (const i of STAGES.keys()) pyramid(`backbone.fpn.layer_blocks.${i}.0`, c, 3);

  const narrow = { weight: { kind: "normal", scale: 0.01 } as const, bias: constant(0) };
  const ratios = ANCHOR_RATIOS.length;
  biased("rpn.head.conv.0.0", [c, c, 3, 3], narrow);
  biased("rpn.head.cls_logits", [ratios, c, 1, 1], narrow);
  biased("rpn.head.bbox_pred", [4 * ratios, c, 1, 1], narrow);
  // Run as one convolution, which reads the map once.
  const parts = ["rpn.head.cls_logits", "rpn.head.bbox_pred"];
  for (const part of parts) convolutions.delete(part);
  convolutions.set("rpn.head.predictors", { parts });

  for (const [name, size] of [["fc6", c * POOLED_SIZE ** 2], ["fc7", BOX_FEATURES]] as const) {
    const uniform = { kind: "uniform", scale: 1 / Math.sqrt(size) } as const;
    layouts.set(`roi_heads.box_head.${name}.weight`, {
      shape: [BOX_FEATURES, size],
      initial: uniform,
    });
    layouts.set(`roi_heads.box_head.${name}.bias`, { shape: [BOX_FEATURES], initial: uniform });
  }
  return { layouts, convolutions };
}

/**
 * What a detector takes of a checkpoint's entries, under current names: no counters of batches, and no
 * predictor if it keeps its own.
 */
export function relevantEntries<T>(
  entries: ReadonlyMap<string, T>,
  { keepPredictor }: { keepPredictor: boolean },
): Map<string, T> {
  return new Map(
    [...entries].map(([name, entry]) => [currentName(name), entry] as const).filter(([name]) =>
      !name.endsWith(".num_batches_tracked") &&
      !(keepPredictor && name.startsWith("roi_heads.box_predictor."))
    ),
  );
}

/** A parameter's name in current torchvision, given that or the first version's. */
function currentName(name: string): string {
  return name
    .replace(/^(backbone\.fpn\.(?:inner|layer)_blocks\.\d)\.(weight|bias)$/, "$1.0.$2")
    .replace(/^rpn\.head\.conv\.(weight|bias)$/, "rpn.head.conv.0.0.$1");
}
