/**
 * Feature maps computed where images differ, and nowhere else.
 *
 * A digit is surrounded by the same black in every image, so what a network makes of these
 * surroundings is the same as well, up to where the digit's influence begins. Here each stage of a
 * network, its convolutions up to a max-pool, is computed in one window for each image, which holds
 * all that the digit can reach; around it are the maps of an image that is nothing but background.
 * Every value is the sum of the same products as in the whole map; libraries add them in an order that
 * can depend on a map's size, so last bits may differ. Of the last stage the whole map is put together.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { Box } from "../data/grey_picture.ts";
import type { Tensor4D } from "../engine/ops.ts";
import { type FeatureLayer, featureLayers, runFeatureLayers } from "./feature_layers.ts";
import type { Architecture } from "./frozen_feature_layout.ts";
import type { Parameters } from "./parameters.ts";

/** Rows or columns from `start` to before `end`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** The layers from one max-pool to the next. */
interface Stage {
  readonly layers: readonly FeatureLayer[];
  /** Height and width of the stage's input, and of what each layer makes of it. */
  readonly sides: readonly number[];
}

/** One axis of a stage, for every image of a batch. */
interface AxisPlan {
  /** Whether it is computed from end to end, with the layers' own padding. */
  readonly isWhole: boolean;
  /** What is computed of the last layer's output, by image; all are equally long. */
  readonly output: readonly Span[];
  /** By layer and image: what it takes, beyond the map's ends too. */
  readonly inputs: readonly (readonly Span[])[];
}

/** How a stage is computed. */
interface StagePlan {
  /** Height and width of what is gathered for the first layer. */
  readonly inputSize: readonly [number, number];
  readonly isWhole: readonly [boolean, boolean];
  /**
   * For every pixel of the input the row that it has among those of the stage before, then of the
   * background, then one of zeros: int32 `[n * height * width]`. `undefined` if it is that output.
   */
  readonly gather: Int32Array | undefined;
  /**
   * Before each convolution but the first, 1 within the map and 0 beyond; none where no layer computes
   * beyond the ends of a map.
   */
  readonly masks: readonly (readonly [rows: Mask, columns: Mask])[];
}

/** float32 `[n, height, 1, 1]` or `[n, 1, width, 1]`. */
interface Mask {
  readonly values: Float32Array;
  readonly shape: [number, number, number, number];
}

/** How the feature maps of a batch are computed in windows. */
export interface WindowPlan {
  /** Equal for plans that differ in nothing but values of {@linkcode planTensors}. */
  readonly key: string;
  readonly stages: readonly StagePlan[];
}

/** A network's convolutions, on square images of one size. */
export class WindowedMaps {
  #stages: readonly Stage[];
  #parameters: Parameters;

  /**
   * @param parameters The convolutions'.
   * @param imageSide Height and width of an image.
   */
  constructor(architecture: Architecture, parameters: Parameters, imageSide: number) {
    this.#stages = stagesOf(architecture, imageSide);
    this.#parameters = parameters;
  }

  /**
   * Plans a batch.
   *
   * @param boxes By image the part outside of which it is background, within the image and not empty.
   */
  plan(boxes: readonly Box[]): WindowPlan {
    const rows = this.#axis(boxes.map(({ top, height }) => ({ start: top, end: top + height })));
    const columns = this.#axis(
      boxes.map(({ left, width }) => ({ start: left, end: left + width })),
    );
    const stages = this.#stages.map((stage, index) =>
      planStage(
        stage,
        [rows[index]!, columns[index]!],
        index === 0 ? undefined : [rows[index - 1]!.output, columns[index - 1]!.output],
      )
    );
    const key = JSON.stringify(
      stages.map(({ gather, inputSize, isWhole, masks }) => [
        ...inputSize,
        ...isWhole,
        masks.length > 0,
        gather === undefined,
      ]),
    );
    return { key, stages };
  }

  /**
   * The maps that plans take from a background: the output of each stage but the last.
   *
   * @param background float32 `[1, side, side, c]`, an image that is nothing but background.
   */
  backgroundMaps(background: Tensor4D): Tensor4D[] {
    let x = background;
    return this.#stages.slice(0, -1).map(({ layers }) =>
      x = runFeatureLayers(layers, x, this.#parameters)
    );
  }

  /**
   * The last stage's whole output.
   *
   * @param images float32 `[n, side, side, c]`.
   * @param plan Theirs, or another of the same key.
   * @param backgrounds {@linkcode backgroundMaps}.
   * @param tensors The {@linkcode planTensors} of their plan.
   * @returns float32 `[n, h, w, c]`.
   */
  maps(
    images: Tensor4D,
    plan: WindowPlan,
    backgrounds: readonly Tensor4D[],
    tensors: readonly tf.Tensor[],
  ): Tensor4D {
    const arguments_ = tensors.values();
    const next = () => arguments_.next().value!;
    return tf.tidy(() => {
      let x = images;
      for (const [index, stage] of plan.stages.entries()) {
        if (stage.gather !== undefined) {
          x = gatherPixels(x, index === 0 ? [] : [backgrounds[index - 1]!], {
            indices: next() as tf.Tensor1D,
            size: stage.inputSize,
          });
        }
        x = runFeatureLayers(this.#stages[index]!.layers, x, this.#parameters, {
          isPadded: stage.isWhole,
          mask: stage.masks.length > 0 ? (y) => y.mul<Tensor4D>(next().mul(next())) : undefined,
        });
      }
      return x;
    });
  }

  /** Plans one axis, stage by stage. */
  #axis(contents: readonly Span[]): AxisPlan[] {
    let reached = contents;
    return this.#stages.map((stage, index) => {
      reached = reached.map((span) => stage.layers.reduce(reachedBy, span));
      const side = stage.sides.at(-1)!;
      const onMap = reached.map(({ start, end }) => ({
        start: Math.max(0, start),
        end: Math.min(side, end),
      }));
      // Of the last stage everything is wanted.
      const isLast = index === this.#stages.length - 1;
      // At the ends strides can pass over all that is reached.
      const size = isLast ? side : Math.max(1, ...onMap.map(length));
      const output = onMap.map(({ start }) => {
        const first = Math.min(start, side - size);
        return { start: first, end: first + size };
      });
      const inputs = inputsOf(stage, output);
      if (length(inputs[0]![0]!) < stage.sides[0]!) return { isWhole: false, output, inputs };
      const whole = (side: number) => contents.map(() => ({ start: 0, end: side }));
      return {
        isWhole: true,
        output: whole(side),
        inputs: stage.layers.map((_, layer) => whole(stage.sides[layer]!)),
      };
    });
  }
}

/** A plan's values, in the order in which {@linkcode WindowedMaps.maps} takes them. */
export function planTensors({ stages }: WindowPlan): tf.Tensor[] {
  return stages.flatMap(({ gather, masks }) => [
    ...(gather === undefined ? [] : [tf.tensor1d(gather, "int32")]),
    ...masks.flat().map(({ values, shape }) => tf.tensor4d(values, shape)),
  ]);
}

function stagesOf(architecture: Architecture, imageSide: number): Stage[] {
  const stages: Stage[] = [];
  let layers: FeatureLayer[] = [];
  let sides = [imageSide];
  for (const layer of featureLayers(architecture)) {
    layers.push(layer);
    sides.push(outputSide(sides.at(-1)!, layer));
    if (layer.name !== undefined) continue;
    stages.push({ layers, sides });
    [layers, sides] = [[], [sides.at(-1)!]];
  }
  if (layers.length > 0) throw new RangeError("Cannot plan windows: the last layer is no max-pool");
  return stages;
}

function planStage(
  stage: Stage,
  axes: readonly [AxisPlan, AxisPlan],
  before: readonly [readonly Span[], readonly Span[]] | undefined,
): StagePlan {
  const [rows, columns] = axes;
  const isWhole = [rows.isWhole, columns.isWhole] as const;
  const outside = axes.some(({ isWhole, inputs }) =>
    !isWhole && inputs.some((spans, layer) =>
      // What the first layer takes is gathered, and the last one is a max-pool.
      layer > 0 && stage.layers[layer]!.name !== undefined &&
      spans.some(({ start, end }) => start < 0 || end > stage.sides[layer]!)
    )
  );
  const isKept = isWhole.every(Boolean) &&
    (before ?? []).every((spans) => length(spans[0]!) === stage.sides[0]!);
  return {
    inputSize: [length(rows.inputs[0]![0]!), length(columns.inputs[0]![0]!)],
    isWhole,
    gather: isKept ? undefined : gatherIndices(stage.sides[0]!, axes, before),
    masks: !outside ? [] : stage.layers.flatMap(({ name }, layer) => {
      if (layer === 0 || name === undefined) return [];
      const side = stage.sides[layer]!;
      const count = rows.output.length;
      const rowMask = within(rows.inputs[layer]!, side);
      const columnMask = within(columns.inputs[layer]!, side);
      return [
        [
          { values: rowMask, shape: [count, rowMask.length / count, 1, 1] },
          { values: columnMask, shape: [count, 1, columnMask.length / count, 1] },
        ] satisfies [Mask, Mask],
      ];
    }),
  };
}

/**
 * Where each pixel of a stage's input comes from; see {@linkcode StagePlan}.
 *
 * @param windows What the stage before has computed; nothing stands for whole images.
 */
function gatherIndices(
  side: number,
  [rows, columns]: readonly [AxisPlan, AxisPlan],
  windows: readonly [readonly Span[], readonly Span[]] | undefined,
): Int32Array {
  const images = rows.output.length;
  const all = { start: 0, end: side };
  const windowOf = (axis: 0 | 1, image: number) => windows?.[axis][image] ?? all;
  const height = length(windowOf(0, 0));
  const width = length(windowOf(1, 0));
  const background = images * height * width;
  const zeros = background + (windows === undefined ? 0 : side * side);
  const indices = new Int32Array(
    images * length(rows.inputs[0]![0]!) * length(columns.inputs[0]![0]!),
  );
  let next = 0;
  for (let image = 0; image < images; image++) {
    const [top, left] = [windowOf(0, image), windowOf(1, image)];
    const [ys, xs] = [rows.inputs[0]![image]!, columns.inputs[0]![image]!];
    for (let y = ys.start; y < ys.end; y++) {
      for (let x = xs.start; x < xs.end; x++) {
        if (!contains(all, y) || !contains(all, x)) indices[next++] = zeros;
        else if (!contains(top, y) || !contains(left, x)) {
          indices[next++] = background + y * side + x;
        } else indices[next++] = (image * height + y - top.start) * width + x - left.start;
      }
    }
  }
  return indices;
}

function gatherPixels(
  x: Tensor4D,
  backgrounds: readonly Tensor4D[],
  { indices, size: [height, width] }: { indices: tf.Tensor1D; size: readonly [number, number] },
): Tensor4D {
  const [count, , , channels] = x.shape;
  const pixels = [x, ...backgrounds].map((map) => map.reshape<tf.Tensor2D>([-1, channels]));
  const rows = tf.concat([...pixels, tf.zeros<tf.Rank.R2>([1, channels])], 0);
  return tf.gather(rows, indices).reshape([count, height, width, channels]);
}

function outputSide(side: number, { kernelSize, stride, padding }: FeatureLayer): number {
  return Math.floor((side + 2 * padding - kernelSize) / stride) + 1;
}

/** What a layer's output owes to a part of its input, beyond the map's ends too. */
function reachedBy({ start, end }: Span, { kernelSize, stride, padding }: FeatureLayer): Span {
  return {
    start: Math.ceil((start + padding - kernelSize + 1) / stride),
    end: Math.floor((end - 1 + padding) / stride) + 1,
  };
}

/** What a layer takes for a part of its output. */
function takenFor({ start, end }: Span, { kernelSize, stride, padding }: FeatureLayer): Span {
  return { start: stride * start - padding, end: stride * (end - 1) - padding + kernelSize };
}

/** By layer and image, what the layers take for an output. */
function inputsOf({ layers }: Stage, output: readonly Span[]): Span[][] {
  const inputs: Span[][] = [];
  let spans = output;
  for (const layer of layers.toReversed()) {
    const taken = spans.map((span) => takenFor(span, layer));
    inputs.unshift(taken);
    spans = taken;
  }
  return inputs;
}

/** 1 for each place of the spans that is on a map, 0 for each beyond. */
function within(spans: readonly Span[], side: number): Float32Array {
  const map = { start: 0, end: side };
  return Float32Array.from(
    spans.flatMap(({ start, end }) =>
      Array.from({ length: end - start }, (_, i) => contains(map, start + i) ? 1 : 0)
    ),
  );
}

function length({ start, end }: Span): number {
  return end - start;
}

function contains({ start, end }: Span, place: number): boolean {
  return place >= start && place < end;
}
