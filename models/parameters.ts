/**
 * A model's parameters: tfjs variables in tfjs' layouts, known by PyTorch's names and shapes.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { matchStateDict, type StateDict, type StateTensor, toFloat32 } from "./state_dict.ts";

/** How PyTorch stores a parameter, and how it becomes ours. */
export interface ParameterLayout {
  /** Shape in a PyTorch checkpoint. */
  readonly torchShape: readonly number[];
  /** Inputs of one output unit: what PyTorch's default initialisation scales by. */
  readonly fanIn: number;
  /** PyTorch's layout to ours. */
  fromTorch(tensor: tf.Tensor): tf.Tensor;
  /** Ours to PyTorch's. */
  toTorch(tensor: tf.Tensor): tf.Tensor;
}

/**
 * Weight of a convolution: `[out, in, k, k]` in PyTorch, `[k, k, in, out]` here.
 */
export function conv2dWeight(
  inChannels: number,
  outChannels: number,
  kernelSize: number,
): ParameterLayout {
  return {
    torchShape: [outChannels, inChannels, kernelSize, kernelSize],
    fanIn: inChannels * kernelSize * kernelSize,
    fromTorch: (tensor) => tensor.transpose([2, 3, 1, 0]),
    toTorch: (tensor) => tensor.transpose([3, 2, 0, 1]),
  };
}

/** Weight of a linear layer: `[out, in]` in PyTorch, `[in, out]` here. */
export function linearWeight(inFeatures: number, outFeatures: number): ParameterLayout {
  return {
    torchShape: [outFeatures, inFeatures],
    fanIn: inFeatures,
    fromTorch: (tensor) => tensor.transpose(),
    toTorch: (tensor) => tensor.transpose(),
  };
}

/**
 * Weight of a linear layer behind flattened feature maps: PyTorch flattens `[c, h, w]`, we flatten
 * `[h, w, c]`, so its inputs are reordered.
 */
export function flattenedLinearWeight(
  [channels, height, width]: readonly [number, number, number],
  outFeatures: number,
): ParameterLayout {
  const inFeatures = channels * height * width;
  return {
    torchShape: [outFeatures, inFeatures],
    fanIn: inFeatures,
    fromTorch: (tensor) =>
      tensor.reshape([outFeatures, channels, height, width]).transpose([2, 3, 1, 0])
        .reshape([inFeatures, outFeatures]),
    toTorch: (tensor) =>
      tensor.reshape([height, width, channels, outFeatures]).transpose([3, 2, 0, 1])
        .reshape([outFeatures, inFeatures]),
  };
}

/** A bias, the same in both. `fanIn` is that of the weight beside it. */
export function bias(size: number, fanIn: number): ParameterLayout {
  return {
    torchShape: [size],
    fanIn,
    fromTorch: (tensor) => tensor,
    toTorch: (tensor) => tensor,
  };
}

/** Named variables with their layouts. */
export class Parameters {
  /** The variables, in PyTorch's order. */
  readonly variables: ReadonlyMap<string, tf.Variable>;
  #layouts: ReadonlyMap<string, ParameterLayout>;

  /**
   * Makes the variables.
   *
   * @param layouts PyTorch's name to layout.
   * @param initial Initial value of a parameter in PyTorch's layout; `index` counts from 0.
   */
  constructor(
    layouts: ReadonlyMap<string, ParameterLayout>,
    initial: (layout: ParameterLayout, index: number) => tf.Tensor,
  ) {
    this.#layouts = layouts;
    this.variables = new Map([...layouts].map(([name, layout], index) => {
      const value = tf.tidy(() => layout.fromTorch(initial(layout, index)));
      const variable = tf.variable(value, true, `${crypto.randomUUID()}/${name}`);
      value.dispose();
      return [name, variable];
    }));
  }

  /** The variable of that name. */
  get(name: string): tf.Variable {
    const variable = this.variables.get(name);
    if (variable === undefined) throw new Error(`No parameter is named ${name}`);
    return variable;
  }

  /** See {@linkcode Classifier.loadStateDict}. `what` names the model in errors. */
  load(state: StateDict, what: string): void {
    const expected = new Map(
      [...this.#layouts].map(([name, { torchShape }]) => [name, torchShape]),
    );
    matchStateDict(state, expected, { what });
    for (const [name, variable] of this.variables) this.assign(variable, name, state.get(name)!);
  }

  /** See {@linkcode Classifier.stateDict}. */
  stateDict(): StateDict {
    return new Map([...this.variables].map(([name, variable]) => [
      name,
      this.toState(variable, name),
    ]));
  }

  /**
   * Sets a variable laid out like the parameter `name`: that parameter or one of Adam's moments.
   *
   * @param state In PyTorch's layout and shape.
   */
  assign(variable: tf.Variable, name: string, state: StateTensor): void {
    const layout = this.#layout(name);
    tf.tidy(() => {
      const value = tf.tensor(toFloat32(state), [...layout.torchShape], "float32");
      variable.assign(layout.fromTorch(value));
    });
  }

  /** The reverse of {@linkcode Parameters.assign}. */
  toState(variable: tf.Variable, name: string): StateTensor {
    const { torchShape, toTorch } = this.#layout(name);
    // tf.tidy() would walk through an array of numbers, so it gets the tensor.
    const tensor = tf.tidy(() => toTorch(variable).clone());
    const data = tensor.dataSync<"float32">();
    tensor.dispose();
    return { dtype: "float32", shape: [...torchShape], data };
  }

  /** Frees the variables. */
  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
  }

  #layout(name: string): ParameterLayout {
    const layout = this.#layouts.get(name);
    if (layout === undefined) throw new Error(`No parameter is named ${name}`);
    return layout;
  }
}
