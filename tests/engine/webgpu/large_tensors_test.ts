/** Tensors beyond what WebGPU binds at once, with a limit that small ones are beyond. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { applyAdam, biasAdd, bytesTensor, gatherBytes, relu } from "../../../engine/ops.ts";
import { StudyError } from "../../../io/errors.ts";
import { onAdapter, startOnAdapter } from "./adapter.ts";
import { kernels } from "./kernels.ts";

/** In bytes; WebGPU wants multiples of 256. */
const LIMIT = 12_800;

/** Whole numbers, of which sums and products are exact in any order. */
function numbers(shape: number[], stream = 1, least = -16): tf.Tensor {
  const values = Float32Array.from(
    { length: tf.util.sizeFromShape(shape) },
    (_, i) => (Math.imul(i + 31 * stream, 0x9e3779b1) >>> 27) + least,
  );
  return tf.tensor(values, shape);
}

/** What `work` yields while no program may be bound to more than the limit. */
function withLimit<T>(work: () => T): T {
  const backend = kernels() as { largestBinding: number };
  const { largestBinding } = backend;
  try {
    backend.largestBinding = LIMIT;
    return work();
  } finally {
    backend.largestBinding = largestBinding;
  }
}

/** The same work on whole tensors and with the limit; all results are equal. */
function check(name: string, work: () => tf.Tensor[]): void {
  Deno.test(`${name} is the same piece by piece`, () => {
    const results = () =>
      tf.tidy(() => ({ of: work().map((x) => [x.shape, [...x.dataSync()]]) })).of;
    const whole = results();
    const { numTensors } = tf.memory();
    const data = kernels().numDataIds();
    assertEquals(withLimit(results), whole);
    assertEquals(tf.memory().numTensors, numTensors);
    assertEquals(kernels().numDataIds(), data);
  });
}

await onAdapter("tensors beyond what WebGPU binds at once", async () => {
  await startOnAdapter();

  for (const [m, k, n] of [[5, 300, 40], [40, 5, 300], [60, 50, 64]] as const) {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        check(`a product of ${m}×${k} and ${k}×${n}, ${transposeA}, ${transposeB},`, () => [
          tf.matMul(
            numbers(transposeA ? [k, m] : [m, k]),
            numbers(transposeB ? [n, k] : [k, n], 2),
            transposeA,
            transposeB,
          ),
        ]);
      }
    }
  }

  check("a gradient of a linear layer", () => {
    const loss = (x: tf.Tensor, weight: tf.Tensor) =>
      tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D).sum();
    return tf.grads(loss)([numbers([5, 300]), numbers([300, 40], 2)]);
  });

  check("a batch of images", () => {
    const images = numbers([6, 28, 28, 3]) as tf.Tensor4D;
    const convolved = tf.conv2d(images, numbers([3, 3, 3, 2], 2) as tf.Tensor4D, 1, "same");
    return [tf.maxPool(relu(biasAdd(convolved, numbers([2], 3) as tf.Tensor1D)), 2, 2, "valid")];
  });

  for (const [what, rows] of [["8-bit values that fit", 16], ["more of them", 50]] as const) {
    check(what, () => {
      const values = Uint8Array.from({ length: rows * 783 }, (_, i) => 31 * i + i / 783);
      const bytes = bytesTensor(values, [rows, 783]);
      const indices = tf.tensor1d([rows - 1, 0, 7, 15], "int32");
      return [gatherBytes(bytes, indices), gatherBytes(bytes, indices, "int32")];
    });
  }

  check("a transposed tensor", () => [numbers([7, 9, 60, 2]).transpose([2, 0, 3, 1])]);

  check("an Adam step", () => {
    const variables = [1, 2, 3].map((stream) => tf.variable(numbers([50, 80], stream, 0)));
    const [parameter, m, v] = variables as [tf.Variable, tf.Variable, tf.Variable];
    const scalars = [0.01, 1e-8, 0.9, 0.999, 1e-4].map((value) => tf.scalar(value));
    const [stepSize, epsilon, beta1, beta2, weightDecay] = scalars as [
      ...[tf.Scalar, tf.Scalar, tf.Scalar, tf.Scalar, tf.Scalar],
    ];
    applyAdam({ parameter, m, v }, numbers([50, 80], 4), {
      ...{ stepSize, epsilon, beta1, beta2, weightDecay },
    });
    const results = variables.map((variable) => variable.clone());
    for (const variable of variables) variable.dispose();
    return results;
  });

  Deno.test("what cannot be cut is an error that says so", () => {
    const work = () => tf.tidy(() => numbers([5000]).square().dataSync());
    const { message } = assertThrows(() => withLimit(work), StudyError);
    assert(message.includes("[5000] has 20.0 kB"), message);
  });

  Deno.test("what has a single row, or rows that do not fit, is an error that says so", () => {
    const wide = () => numbers([1, 5000]) as tf.Tensor2D;
    const tall = () => numbers([5000, 1], 2) as tf.Tensor2D;
    const works: Record<string, () => tf.Tensor> = {
      "[1,5000] has 20.0 kB": () => relu(wide()),
      "[1,5000] has 20": () => wide().add(wide()),
      "2,5000] has 40": () => tf.matMul(numbers([2, 5000]) as tf.Tensor2D, tall()),
      "1,5000] has 20": () => tf.matMul(wide(), wide(), false, true),
    };
    const { numTensors } = tf.memory();
    for (const [part, work] of Object.entries(works)) {
      const compute = () => tf.tidy(() => work().dataSync());
      const { message } = assertThrows(() => withLimit(compute), StudyError);
      assert(message.includes(part), message);
      assert(message.includes("take a smaller batch"), message);
    }
    assertEquals(tf.memory().numTensors, numTensors);
  });
});
