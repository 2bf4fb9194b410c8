/**
 * A model's parameters: tfjs variables in tfjs' layouts, known by PyTorch's names and shapes.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import {
  assignSlice,
  randomUniform,
  type Tensor,
  type Tensor1D,
  type Variable,
} from "../engine/ops.ts";
import { requirePositiveWhole } from "../io/positive_whole.ts";
import { loadWeights } from "./checkpoint/load_weights.ts";
import { type StateDict, type StateTensor, toFloat32 } from "./checkpoint/state_dict.ts";

/**
 * How PyTorch stores a parameter, and how it becomes ours.
 *
 * Outputs are PyTorch's first axis and our last. Both ways take any number of them, so that a large
 * parameter can be carried over in pieces.
 */
export interface ParameterLayout {
  /** Shape in a PyTorch checkpoint. */
  readonly torchShape: readonly number[];
  /** Inputs of one output unit: what PyTorch's default initialisation scales by. */
  readonly fanIn: number;
  /** From PyTorch's layout to ours, for some or all outputs. */
  fromTorch(tensor: Tensor): Tensor;
  /** The reverse of {@linkcode ParameterLayout.fromTorch}. */
  toTorch(tensor: Tensor): Tensor;
}

/**
 * Weight of a convolution: float32 `[out, in, k, k]` in PyTorch, `[k, k, in, out]` here.
 *
 * @param inChannels Channels of what it takes.
 * @param outChannels Channels of what it gives.
 * @param kernelSize Height and width of its filters, in pixels.
 * @throws {RangeError} If one of them is not a positive whole number.
 */
export function conv2dWeight(
  inChannels: number,
  outChannels: number,
  kernelSize: number,
): ParameterLayout {
  requireSizes({ inChannels, outChannels, kernelSize });
  return {
    torchShape: [outChannels, inChannels, kernelSize, kernelSize],
    fanIn: inChannels * kernelSize * kernelSize,
    fromTorch: (tensor) => tensor.transpose([2, 3, 1, 0]),
    toTorch: (tensor) => tensor.transpose([3, 2, 0, 1]),
  };
}

/**
 * Weight of a linear layer: float32 `[out, in]` in PyTorch, `[in, out]` here.
 *
 * @param inFeatures Length of a row that it takes.
 * @param outFeatures Length of a row that it gives.
 * @throws {RangeError} If one of them is not a positive whole number.
 */
export function linearWeight(inFeatures: number, outFeatures: number): ParameterLayout {
  requireSizes({ inFeatures, outFeatures });
  return {
    torchShape: [outFeatures, inFeatures],
    fanIn: inFeatures,
    fromTorch: (tensor) => tensor.transpose(),
    toTorch: (tensor) => tensor.transpose(),
  };
}

/**
 * Weight of a linear layer behind flattened feature maps, float32 `[out, c h w]` in PyTorch and
 * `[h w c, out]` here: PyTorch flattens `[c, h, w]`, we flatten `[h, w, c]`, so its inputs are reordered.
 *
 * @param maps Channels, height and width of the maps of one image.
 * @param outFeatures Length of a row that it gives.
 * @throws {RangeError} If one of them is not a positive whole number.
 */
export function flattenedLinearWeight(
  maps: readonly [channels: number, height: number, width: number],
  outFeatures: number,
): ParameterLayout {
  const [channels, height, width] = maps;
  requireSizes({ channels, height, width, outFeatures });
  const inFeatures = channels * height * width;
  return {
    torchShape: [outFeatures, inFeatures],
    fanIn: inFeatures,
    fromTorch: (tensor) =>
      tensor.reshape([-1, channels, height, width]).transpose([2, 3, 1, 0])
        .reshape([inFeatures, -1]),
    toTorch: (tensor) =>
      tensor.reshape([height, width, channels, -1]).transpose([3, 2, 0, 1])
        .reshape([-1, inFeatures]),
  };
}

/**
 * A bias, float32 `[size]` in both.
 *
 * @param size Outputs of its layer.
 * @param fanIn Inputs of one output, as {@linkcode ParameterLayout.fanIn} of the weight beside it.
 * @throws {RangeError} If one of them is not a positive whole number.
 */
export function bias(size: number, fanIn: number): ParameterLayout {
  requireSizes({ size, fanIn });
  return {
    torchShape: [size],
    fanIn,
    fromTorch: (tensor) => tensor,
    toTorch: (tensor) => tensor,
  };
}

function requireSizes(sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    requirePositiveWhole("lay out a parameter", name, size);
  }
}

/**
 * Makes a parameter's initial value, float32 in PyTorch's layout and shape; `index` counts a model's
 * from 0.
 */
export type Initializer = (layout: ParameterLayout, index: number) => Tensor;

/**
 * Uniform in ±1/√fan_in, weights and biases alike: what `torch.nn.Conv2d` and `torch.nn.Linear` do
 * (`kaiming_uniform_(a=√5)`).
 *
 * @param seed Integer 0..2³¹-1; equal seeds give equal values.
 * @param offset Added to a parameter's index, where a model has several sets of them.
 * @throws {RangeError} When it is used, if the seed is no such number.
 */
export function defaultInitializer(seed: number, offset = 0): Initializer {
  return ({ torchShape, fanIn }, index) => {
    const bound = 1 / Math.sqrt(fanIn);
    // The inner result goes at once: the largest parameters are there no more than twice.
    return tf.tidy(() =>
      tf.tidy(() =>
        randomUniform([...torchShape], parameterKey(seed, offset + index)).mul(2 * bound)
      )
        .sub(bound)
    );
  };
}

/**
 * Two seeds that are not whole numbers could be one key.
 *
 * @throws {RangeError} If the seed is no integer 0..2³¹-1.
 */
export function checkSeed(seed: number): void {
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31) return;
  throw new RangeError(
    `Cannot draw from seed ${seed}: it must be a whole number from 0 to ${2 ** 31 - 1}`,
  );
}

/**
 * Key of the random numbers of a model's parameter. Second words below zero belong to initialisation;
 * training steps count from 1.
 */
export function parameterKey(seed: number, index: number): Tensor1D {
  checkSeed(seed);
  return tf.tensor1d([seed, -1 - index], "int32");
}

/** A model's variables by name, with their layouts. */
export class Parameters {
  /** The variables, in PyTorch's order. */
  readonly variables: ReadonlyMap<string, Variable>;
  #layouts: ReadonlyMap<string, ParameterLayout>;
  #isDisposed = false;

  /**
   * Makes the variables. An engine must be running; the model's maker frees them.
   *
   * @param layouts PyTorch's name to layout, such as {@linkcode linearWeight}, in PyTorch's order.
   * @param initial Makes the initial values, as {@linkcode defaultInitializer} does.
   */
  constructor(
    layouts: ReadonlyMap<string, ParameterLayout>,
    initial: Initializer,
  ) {
    this.#layouts = layouts;
    this.variables = new Map([...layouts].map(([name, layout], index) => {
      const value = tf.tidy(() => layout.fromTorch(initial(layout, index)));
      const variable = tf.variable(value, true, `${crypto.randomUUID()}/${name}`);
      value.dispose();
      return [name, variable];
    }));
  }

  /** Shapes in a PyTorch checkpoint, by name. */
  get shapes(): ReadonlyMap<string, readonly number[]> {
    return new Map([...this.#layouts].map(([name, { torchShape }]) => [name, torchShape]));
  }

  /**
   * The variable of that name.
   *
   * @throws {Error} If there is none, or it has been freed.
   */
  get(name: string): Variable {
    this.requireUndisposed();
    const variable = this.variables.get(name);
    if (variable === undefined) throw new Error(`No parameter is named ${name}`);
    return variable;
  }

  /** See {@linkcode Classifier.loadStateDict}. `what` names the model in errors, `path` the file. */
  load(state: StateDict, what: string, path?: string): void {
    const assign = (name: string, tensor: StateTensor) => this.assign(this.get(name), name, tensor);
    loadWeights(state, () => ({ title: what, shapes: this.shapes, assign }), path);
  }

  /** See {@linkcode Classifier.stateDict}. */
  stateDict(): StateDict {
    return new Map([...this.variables.keys()].map((name) => [
      name,
      this.toState(this.get(name), name),
    ]));
  }

  /**
   * Sets a variable laid out like the parameter `name`: that parameter or one of Adam's moments.
   *
   * @param state In PyTorch's layout and shape; its values stay the caller's.
   */
  assign(variable: Variable, name: string, state: StateTensor): void {
    const { torchShape, fromTorch } = this.#layout(name);
    const values = toFloat32(state);
    for (const { start, end, shape, from, to } of pieces(torchShape, LOADED_PIECE)) {
      tf.tidy(() => {
        // A tensor keeps the array that it is made of.
        const piece = fromTorch(tf.tensor(values.slice(from, to), shape, "float32"));
        if (end - start === torchShape[0]) variable.assign(piece);
        else assignSlice(variable, piece, start);
      });
    }
  }

  /** The reverse of {@linkcode Parameters.assign}. */
  toState(variable: Variable, name: string): StateTensor {
    const { torchShape } = this.#layout(name);
    const data = new Float32Array(torchShape.reduce((count, size) => count * size, 1));
    let length = 0;
    for (const part of this.toStateParts(variable, name)) {
      data.set(part, length);
      length += part.length;
    }
    return { dtype: "float32", shape: [...torchShape], data };
  }

  /**
   * The values of {@linkcode Parameters.toState} in their order, cut into parts.
   *
   * @returns float32, each part an array of the caller's own.
   */
  *toStateParts(variable: Variable, name: string): Generator<Float32Array<ArrayBuffer>> {
    const { torchShape, toTorch } = this.#layout(name);
    for (const { start, end } of pieces(torchShape, SAVED_PIECE)) {
      // tf.tidy() would walk through an array of numbers, so it gets the tensor.
      const piece = tf.tidy(() => {
        const begin = variable.shape.map((_, axis) => (axis < variable.rank - 1 ? 0 : start));
        const size = variable.shape.map((
          all,
          axis,
        ) => (axis < variable.rank - 1 ? all : end - start));
        return toTorch(variable.slice(begin, size)).clone();
      });
      const values = piece.dataSync<"float32">() as Float32Array<ArrayBuffer>;
      piece.dispose();
      yield values;
    }
  }

  /**
   * Refuses to go on with variables that are no more.
   *
   * @throws {Error} If they have been freed.
   */
  requireUndisposed(): void {
    if (this.#isDisposed) throw new Error("This model has been disposed of: build another");
  }

  /** Frees the variables on the device. */
  dispose(): void {
    this.#isDisposed = true;
    disposeVariables(this.variables.values());
  }

  #layout(name: string): ParameterLayout {
    const layout = this.#layouts.get(name);
    if (layout === undefined) throw new Error(`No parameter is named ${name}`);
    return layout;
  }
}

/**
 * Frees variables that have not been freed. tfjs frees a variable's values at every call, also those that
 * a clone still has.
 */
export function disposeVariables(variables: Iterable<Variable>): void {
  for (const variable of variables) {
    if (!variable.isDisposed) variable.dispose();
  }
}

/** Elements of a parameter that are loaded at once, 32 MB of float32; a whole row more where need be. */
const LOADED_PIECE = 1 << 23;

/** Elements that are saved at once, 8 MB: what is saved is trained, and memory short. */
const SAVED_PIECE = 1 << 21;

/** Some outputs of a parameter, in PyTorch's layout: those from `start` to before `end`. */
interface Piece {
  start: number;
  end: number;
  shape: number[];
  /** Where its elements begin and end among all. */
  from: number;
  to: number;
}

/** Cuts a parameter along PyTorch's first axis, so that it need not be in memory twice. */
function* pieces([outputs, ...rest]: readonly number[], most: number): Generator<Piece> {
  const size = rest.reduce((count, length) => count * length, 1);
  const step = Math.max(1, Math.floor(most / size));
  for (let start = 0; start < outputs!; start += step) {
    const end = Math.min(start + step, outputs!);
    yield { start, end, shape: [end - start, ...rest], from: start * size, to: end * size };
  }
}
