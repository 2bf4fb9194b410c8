/**
 * Kernels of a backend, those that we register above all, against TensorFlow's: values and gradients of
 * what the models are made of.
 */

import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { type EngineOptions, startEngine } from "../../engine/engine.ts";

/** Results of one case: all of its tensors, as plain arrays with their shapes. */
type Results = { shape: number[]; values: number[] }[];

/** Numbers in ±1 without a pattern that a kernel could profit from. */
function noise(shape: number[], stream = 1): tf.Tensor {
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => {
    let hash = Math.imul(i + 7919 * stream, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
  return tf.tensor(values, shape);
}

/** A function's value and its gradients by all arguments, from a gradient of the value that varies. */
function withGradients(
  fn: (...args: tf.Tensor[]) => tf.Tensor,
  ...args: tf.Tensor[]
): tf.Tensor[] {
  const value = fn(...args);
  const above = noise(value.shape, 9);
  return [value, ...tf.grads((...inputs) => fn(...inputs).mul(above).sum())(args)];
}

interface Convolution {
  image: [number, number, number, number];
  filter: [number, number, number, number];
  stride?: number | [number, number];
  pad: "same" | "valid";
}

/** SimpleCNN's, AlexNet's first, and what is odd about sizes, strides and padding. */
const CONVOLUTIONS: Convolution[] = [
  { image: [3, 28, 28, 1], filter: [5, 5, 1, 32], pad: "same" },
  { image: [3, 14, 14, 32], filter: [5, 5, 32, 64], pad: "same" },
  { image: [2, 9, 7, 3], filter: [3, 2, 3, 4], pad: "valid" },
  { image: [2, 9, 7, 3], filter: [3, 2, 3, 4], pad: "same" },
  { image: [1, 6, 6, 5], filter: [1, 1, 5, 2], pad: "same" },
  { image: [2, 4, 4, 2], filter: [4, 4, 2, 3], pad: "valid" },
  { image: [2, 11, 10, 3], filter: [3, 3, 3, 4], stride: 2, pad: "same" },
  { image: [2, 12, 10, 2], filter: [5, 3, 2, 3], stride: [3, 2], pad: "valid" },
];

const matrix = (rows: number, columns: number, stream?: number) => noise([rows, columns], stream);

/** By name, what is computed on both. */
const CASES: Record<string, () => tf.Tensor[]> = {
  ...Object.fromEntries(CONVOLUTIONS.map(({ image, filter, stride = 1, pad }) => [
    `conv2d of ${image} with ${filter}, stride ${stride}, ${pad}`,
    () =>
      withGradients(
        (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad),
        noise(image),
        noise(filter, 2),
      ),
  ])),
  ...Object.fromEntries(
    [[7, 5, 3], [2, 40, 9], [30, 4, 2]].flatMap(([m, k, n]) =>
      [[false, false], [false, true], [true, false], [true, true]].map(([ta, tb]) => [
        `matMul of ${m}×${k} and ${k}×${n}, transposed ${ta}, ${tb}`,
        () =>
          withGradients(
            (a, b) => tf.matMul(a, b, ta, tb),
            ta ? matrix(k!, m!) : matrix(m!, k!),
            tb ? matrix(n!, k!, 2) : matrix(k!, n!, 2),
          ),
      ])
    ),
  ),
  "matMul of batches": () =>
    [false, true].flatMap((transposed) =>
      withGradients(
        (a, b) => tf.matMul(a, b, transposed, transposed),
        noise(transposed ? [2, 4, 3] : [2, 3, 4]),
        noise(transposed ? [2, 5, 4] : [2, 4, 5], 2),
      )
    ),
  "matMul of one batch of matrices": () =>
    withGradients((a, b) => tf.matMul(a, b, false, true), noise([1, 3, 4]), noise([1, 5, 4], 2)),
  // Beyond the size from which on no packed copy is kept.
  "matMul of a large matrix": () => [
    tf.matMul(noise([2, 4100]), noise([4100, 4096], 2)).slice([0, 0], [2, 50]),
  ],
  ...Object.fromEntries(
    ([[2, 2, "valid"], [3, 2, "valid"], [3, 2, "same"], [2, 1, "same"]] as const).map((
      [size, stride, pad],
    ) => [
      `maxPool ${size}, stride ${stride}, ${pad}`,
      () =>
        withGradients(
          (x) => tf.maxPool(x as tf.Tensor4D, size, stride, pad),
          // Rounded, so that there are equal ones.
          noise([2, 7, 6, 3]).mul(2).round(),
        ).concat(
          withGradients(
            (x) => tf.maxPool(x as tf.Tensor4D, size, stride, pad),
            noise([2, 7, 6, 3]),
          ),
        ),
    ]),
  ),
  "a gradient of tied maxima": () => {
    const x = tf.tensor4d([1, 1, 1, 1, 0, 2, 2, 0, 3], [1, 3, 3, 1]);
    return withGradients((x) => tf.maxPool(x as tf.Tensor4D, 2, 1, "valid"), x);
  },
  "what a loss and its layers are made of": () =>
    withGradients(
      (x, bias) => tf.softmax(x.add(bias).relu()).log().mean(1),
      matrix(4, 6),
      noise([6], 2),
    ),
  "averages, resizing, gathering and the rest that a detector takes": () => {
    const x = noise([2, 6, 8, 3]) as tf.Tensor4D;
    const boxes = tf.tensor2d([[0.1, 0.2, 0.7, 0.9], [-0.3, 0.1, 0.4, 1.2]]);
    const { values, indices } = tf.topk(noise([2, 50], 3), 7);
    return [
      tf.avgPool(x, 2, 2, "valid"),
      tf.image.resizeNearestNeighbor(x, [12, 16]),
      tf.image.resizeBilinear(x, [9, 5]),
      tf.image.cropAndResize(x, boxes, tf.tensor1d([0, 1], "int32"), [4, 4], "bilinear", 0),
      tf.mirrorPad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "symmetric"),
      values,
      indices,
      tf.gather(noise([2, 50, 4]), indices, 1, 1),
      x.tile([1, 1, 1, 2]).sum([0, 3]),
      x.argMax(3),
    ];
  },
};

/** Runs all of them on the engine that has been started. */
function runAll(): Map<string, Results> {
  return new Map(
    Object.entries(CASES).map(([name, run]) => [
      name,
      tf.tidy(() => ({
        results: run().map((tensor) => ({
          shape: tensor.shape,
          values: Array.from(tensor.dataSync()),
        })),
      })).results,
    ]),
  );
}

/**
 * Tests that a backend computes what TensorFlow computes.
 *
 * @param options Which backend, and where.
 * @param tolerance Largest difference of a value, relative to the largest of its result, or absolute
 * where that is below 1.
 */
export async function testKernels(options: EngineOptions, tolerance: number): Promise<void> {
  const expected = await startEngine({ backend: "tensorflow" }).then((engine) => {
    const results = runAll();
    engine.dispose();
    return results;
  });
  using _engine = await startEngine(options);
  const actual = runAll();
  for (const [name, results] of expected) {
    Deno.test(`${options.backend} equals TensorFlow in ${name}`, () => {
      for (const [index, { shape, values }] of results.entries()) {
        const ours = actual.get(name)![index]!;
        assertEquals(ours.shape, shape);
        assert(values.some((value) => value !== 0), `result ${index} is 0 throughout`);
        const scale = Math.max(1, ...values.map(Math.abs));
        for (const [i, value] of values.entries()) {
          const difference = Math.abs(ours.values[i]! - value);
          assert(
            difference <= tolerance * scale,
            `result ${index} [${i}] differs by ${difference}`,
          );
        }
      }
    });
  }
}
