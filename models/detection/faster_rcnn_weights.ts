/**
 * Faster R-CNN's frozen weights: kept as torchvision saves them, and folded for the device.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { randomNormal, randomUniform } from "../../engine/ops.ts";
import {
  BOX_FEATURES,
  type ConvolutionLayout,
  type FrozenLayout,
  frozenNetwork,
} from "./faster_rcnn_layout.ts";
import { flattenedLinearWeight, linearWeight } from "../parameters.ts";
import { type ConvolutionWeights, PYRAMID_CHANNELS } from "./resnet50_fpn.ts";
import { POOLED_SIZE } from "./roi_align.ts";
import { type StateDict, type StateTensor, toFloat32 } from "../checkpoint/state_dict.ts";

const NETWORK = frozenNetwork();

/** torchvision's epsilon of batch normalisation, but for its first COCO weights. */
const DEFAULT_EPSILON = 1e-5;

/** A linear layer's weights: float32 `[in, out]` and `[out]`. */
export interface LinearWeights {
  weight: tf.Tensor2D;
  bias: tf.Tensor1D;
}

/** The weights below the predictor. */
export class FrozenWeights {
  #seed: number;
  #epsilon = DEFAULT_EPSILON;
  /** Values by name, once loaded or drawn. */
  #values: ReadonlyMap<string, Float32Array> | undefined;
  /** What the network computes with, made from the values on first use. */
  #layers = new Map<string, { weight: tf.Variable; bias: tf.Variable }>();

  /** @param seed Of random values, which are drawn when needed if none have been loaded. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Shapes by torchvision's names, in its order. */
  get shapes(): ReadonlyMap<string, readonly number[]> {
    return new Map([...NETWORK.layouts].map(([name, { shape }]) => [name, shape]));
  }

  /** What batch normalisation adds to a variance. */
  get epsilon(): number {
    return this.#epsilon;
  }

  /**
   * Takes over values of all names; their shapes have been checked.
   *
   * @param epsilon What batch normalisation adds to a variance.
   */
  load(state: ReadonlyMap<string, StateTensor>, epsilon: number): void {
    this.dispose();
    this.#epsilon = epsilon;
    this.#values = new Map(
      [...NETWORK.layouts.keys()].map((name) => [name, toFloat32(state.get(name)!).slice()]),
    );
  }

  /** The values under torchvision's names. */
  stateDict(): StateDict {
    return new Map([...NETWORK.layouts].map(([name, { shape }]): [string, StateTensor] => [
      name,
      { dtype: "float32", shape: [...shape], data: this.#value(name).slice() },
    ]));
  }

  /** A convolution with its batch normalisation folded in. */
  convolution(name: string): ConvolutionWeights {
    const { weight, bias } = this.#layer(name, () => this.#fold(NETWORK.convolutions.get(name)!));
    return { weight: weight as tf.Tensor as tf.Tensor4D, bias: bias as tf.Tensor as tf.Tensor1D };
  }

  /** A layer of the box head. */
  linear(name: "fc6" | "fc7"): LinearWeights {
    const { weight, bias } = this.#layer(name, () => {
      const prefix = `roi_heads.box_head.${name}`;
      const layout = name === "fc6"
        ? flattenedLinearWeight([PYRAMID_CHANNELS, POOLED_SIZE, POOLED_SIZE], BOX_FEATURES)
        : linearWeight(BOX_FEATURES, BOX_FEATURES);
      return {
        weight: layout.fromTorch(this.#tensor(`${prefix}.weight`)),
        bias: this.#tensor(`${prefix}.bias`),
      };
    });
    return { weight: weight as tf.Tensor as tf.Tensor2D, bias: bias as tf.Tensor as tf.Tensor1D };
  }

  /** Makes all that the network computes with, which a recording could not. */
  prepare(): void {
    for (const name of NETWORK.convolutions.keys()) this.convolution(name);
    for (const name of ["fc6", "fc7"] as const) this.linear(name);
  }

  /** Frees what is on the device. */
  dispose(): void {
    for (const layer of this.#layers.values()) tf.dispose([layer.weight, layer.bias]);
    this.#layers.clear();
  }

  #layer(name: string, make: () => { weight: tf.Tensor; bias: tf.Tensor }) {
    let layer = this.#layers.get(name);
    if (layer === undefined) {
      const { weight, bias } = tf.tidy(make);
      const variable = (value: tf.Tensor) => tf.variable(value, false, crypto.randomUUID());
      layer = { weight: variable(weight), bias: variable(bias) };
      tf.dispose([weight, bias]);
      this.#layers.set(name, layer);
    }
    return layer;
  }

  /** Joins the parts and scales each output as its batch normalisation would. */
  #fold({ parts, norm }: ConvolutionLayout): { weight: tf.Tensor; bias: tf.Tensor } {
    const joined = tf.concat(parts.map((part) => this.#tensor(`${part}.weight`)));
    const weight = joined.transpose([2, 3, 1, 0]); // [k, k, in, out]
    if (norm === undefined) {
      return { weight, bias: tf.concat(parts.map((part) => this.#tensor(`${part}.bias`))) };
    }
    const variance = this.#tensor(`${norm}.running_var`);
    const scale = this.#tensor(`${norm}.weight`).mul(variance.add(this.#epsilon).rsqrt());
    const shift = this.#tensor(`${norm}.running_mean`).mul(scale);
    return { weight: weight.mul(scale), bias: this.#tensor(`${norm}.bias`).sub(shift) };
  }

  #tensor(name: string): tf.Tensor {
    return tf.tensor(this.#value(name), [...NETWORK.layouts.get(name)!.shape], "float32");
  }

  #value(name: string): Float32Array {
    this.#values ??= new Map(
      [...NETWORK.layouts].map(([name, layout], i) => [name, initialValue(layout, this.#seed, i)]),
    );
    return this.#values.get(name)!;
  }
}

/** Random values as torchvision draws them, or the constant. */
function initialValue({ shape, initial }: FrozenLayout, seed: number, index: number): Float32Array {
  const { kind, scale } = initial;
  const tensor = tf.tidy(() => {
    const key = tf.tensor1d([seed, -1 - index], "int32");
    if (kind === "constant") return tf.fill([...shape], scale);
    if (kind === "normal") return randomNormal([...shape], key).mul(scale);
    return randomUniform([...shape], key).mul(2 * scale).sub(scale);
  });
  const values = tensor.dataSync<"float32">();
  tensor.dispose();
  return values;
}
