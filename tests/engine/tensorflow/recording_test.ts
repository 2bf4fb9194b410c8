/**
 * Compiled functions against the same code run eagerly: every layer the models use, each way.
 */

import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import type * as tfjs from "@tensorflow/tfjs";
import { biasAdd, dropout, relu, sparseSoftmaxCrossEntropy } from "../../../engine/ops.ts";
import { tensorflowBackend, testEngine } from "../engine.ts";

const { binding, compile, tf } = await testEngine();

type Inputs = tfjs.Tensor[];
type Layer = (...inputs: Inputs) => tfjs.Tensor;

/** Largest difference between compiled and eager values. */
const TOLERANCE = 1e-5;

/** Smooth, distinct values in -1..1 that no two inputs share. */
function wave(shape: number[], phase: number): tfjs.Tensor {
  const count = tf.util.sizeFromShape(shape);
  const values = Float32Array.from({ length: count }, (_, i) => Math.sin(1.7 * i + phase));
  return tf.tensor(values, shape);
}

/** Float inputs of these shapes. */
function waves(...shapes: number[][]): () => Inputs {
  return () => shapes.map((shape, index) => wave(shape, index + 0.5));
}

function labels(): tfjs.Tensor {
  return tf.tensor1d([2, 0, 1], "int32");
}

const ints = (...values: number[]) => tf.tensor1d(values, "int32");
const nhwc = (x: tfjs.Tensor | undefined) => x as tfjs.Tensor4D;

const LAYERS: Record<string, [inputs: () => Inputs, layer: Layer]> = {
  "conv2d, same": [
    waves([2, 6, 6, 3], [3, 3, 3, 4]),
    (x, w) => tf.conv2d(nhwc(x), nhwc(w), 1, "same"),
  ],
  "conv2d, stride 2, padded": [
    waves([1, 7, 7, 2], [3, 3, 2, 4]),
    (x, w) => tf.conv2d(tf.pad(nhwc(x), [[0, 0], [1, 1], [1, 1], [0, 0]]), nhwc(w), 2, "valid"),
  ],
  "biasAdd": [waves([2, 3, 3, 4], [4]), (x, b) => biasAdd(x!, b as tfjs.Tensor1D)],
  "relu": [waves([5, 4]), (x) => relu(x!)],
  "maxPool": [waves([2, 6, 6, 3]), (x) => tf.maxPool(nhwc(x), 2, 2, "valid")],
  "maxPool, overlapping": [waves([1, 7, 7, 2]), (x) => tf.maxPool(nhwc(x), 3, 2, "valid")],
  "avgPool, global": [waves([2, 6, 6, 3]), (x) => tf.avgPool(nhwc(x), 6, 1, "valid")],
  "matMul": [waves([3, 5], [5, 4]), (a, b) => tf.matMul(a!, b!)],
  "matMul, transposed": [waves([5, 3], [4, 5]), (a, b) => tf.matMul(a!, b!, true, true)],
  "reshape": [waves([2, 3, 4]), (x) => x!.reshape([6, 4]).square()],
  "transpose": [waves([2, 3, 4]), (x) => tf.transpose(x!, [2, 0, 1]).square()],
  "concat": [waves([2, 3], [2, 1], [2, 2]), (a, b, c) => tf.concat([a!, b!, c!], 1).square()],
  "stack": [waves([2, 3], [2, 3]), (a, b) => tf.stack([a!, b!], 1).square()],
  "addN": [waves([2, 3], [2, 3], [2, 3]), (a, b, c) => tf.addN([a!, b!, c!]).square()],
  "gather": [waves([5, 3]), (x) => tf.gather(x!, ints(4, 0, 4)).square()],
  "gather, indices as argument": [
    () => [wave([5, 3], 1), ints(4, 0, 4)],
    (x, i) => tf.gather(x!, i!.toInt()).square(),
  ],
  "gather along axis 1": [
    () => [wave([2, 4], 1), ints(3, 3, 0)],
    (x, i) => tf.gather(x!, i!.toInt(), 1).square(),
  ],
  "slice and pad": [
    waves([4, 5]),
    (x) => tf.pad(tf.slice(x!, [1, 2], [2, 3]), [[1, 0], [0, 2]]).square(),
  ],
  "softmax": [waves([3, 5]), (x) => tf.softmax(x!).square()],
  "logSoftmax": [waves([3, 5]), (x) => tf.logSoftmax(x!).square()],
  "mean and sum": [waves([3, 5]), (x) => x!.square().mean(0).add(x!.square().sum())],
  "max over an axis": [waves([3, 5]), (x) => x!.max(1)],
  "batch norm, frozen": [
    waves([2, 4, 4, 3], [3], [3]),
    (x, scale, shift) => x!.mul(scale!).add(shift!),
  ],
  "exp, log, sqrt, division": [
    waves([3, 4], [3, 4]),
    (a, b) => a!.exp().add(1).log().div(b!.square().add(0.5).sqrt()),
  ],
  "sigmoid and tanh": [waves([3, 4]), (x) => x!.sigmoid().mul(x!.tanh())],
  "clip and where": [
    waves([2, 2], [2, 2]),
    (a, b) =>
      tf.where(tf.tensor2d([[1, 0], [0, 1]], [2, 2], "bool"), a!.clipByValue(-0.5, 0.5), b!),
  ],
  "resizeBilinear": [waves([1, 4, 4, 2]), (x) => tf.image.resizeBilinear(nhwc(x), [7, 9])],
  "resizeBilinear, half-pixel centres": [
    waves([1, 4, 4, 2]),
    (x) => tf.image.resizeBilinear(nhwc(x), [7, 9], false, true),
  ],
  "dropout": [
    () => [wave([4, 5], 1), ints(7, 11)],
    (x, key) => dropout(x!, 0.5, key as tfjs.Tensor1D),
  ],
  "sparseSoftmaxCrossEntropy": [
    () => [wave([3, 4], 1), labels()],
    (logits, y) => sparseSoftmaxCrossEntropy(logits as tfjs.Tensor2D, y as tfjs.Tensor1D),
  ],
  "cast and oneHot": [
    () => [wave([3, 4], 1), labels()],
    (x, y) => x!.mul(tf.oneHot(y!.cast("int32"), 4).cast("float32")),
  ],
};

/** The sum of the layer's result weighted unevenly, and so a gradient that is not constant. */
function gradients(layer: Layer, inputs: Inputs): Inputs {
  const floats = inputs.filter(({ dtype }) => dtype === "float32");
  return tf.grads((...given: Inputs) => {
    const queue = [...given];
    const all = inputs.map((input) => input.dtype === "float32" ? queue.shift()! : input);
    const result = layer(...all);
    return result.mul(wave(result.shape, 3)).sum();
  })(floats);
}

function assertClose(actual: Inputs, expected: Inputs): void {
  assertEquals(actual.map(({ shape }) => shape), expected.map(({ shape }) => shape));
  actual.forEach((tensor, index) => {
    const difference = tensor.sub(expected[index]!).abs().max().dataSync()[0]!;
    assert(difference <= TOLERANCE, `result ${index} differs by ${difference}`);
  });
}

for (const [name, [makeInputs, layer]] of Object.entries(LAYERS)) {
  Deno.test(`compile() equals eager: ${name}, forward and gradient`, () => {
    const before = binding.getNumOfTensors();
    tf.tidy(() => {
      const inputs = makeInputs();
      const forward = compile(layer);
      const backward = compile((...given: Inputs) => gradients(layer, given));
      assertClose([forward(...inputs)], [layer(...inputs)]);
      assertClose(backward(...inputs), gradients(layer, inputs));
      forward.dispose();
      backward.dispose();
    });
    assertEquals(binding.getNumOfTensors(), before);
  });
}

Deno.test("compile() runs the body once per signature", () => {
  tf.tidy(() => {
    let runs = 0;
    const double = compile((x: tfjs.Tensor) => {
      runs++;
      return x.mul(2);
    });
    assertEquals([double.recordings, runs], [0, 0]);
    for (const value of [1, 2, 3]) {
      assertEquals([...double(tf.tensor1d([value, 5])).dataSync()], [2 * value, 10]);
    }
    assertEquals([double.recordings, runs], [1, 1]);
    double(tf.tensor1d([1, 2, 3]));
    assertEquals([double.recordings, runs], [2, 2]);
    double(tf.tensor1d([1, 2], "int32"));
    assertEquals([double.recordings, runs], [3, 3]);
    double(tf.tensor1d([8, 9]));
    assertEquals([double.recordings, runs], [3, 3]);
    double.dispose();
  });
});

Deno.test("compile() with a signature records at once", () => {
  tf.tidy(() => {
    let runs = 0;
    const square = compile((x: tfjs.Tensor) => {
      runs++;
      return x.square();
    }, { signature: [{ shape: [2], dtype: "float32" }] });
    assertEquals([square.recordings, runs], [1, 1]);
    assertEquals([...square(tf.tensor1d([3, 4])).dataSync()], [9, 16]);
    assertEquals([square.recordings, runs], [1, 1]);
    square.dispose();
  });
});

Deno.test("compile() takes int32 and bool arguments and gives int32 and bool results", () => {
  tf.tidy(() => {
    const fn = compile((
      a: tfjs.Tensor,
      b: tfjs.Tensor,
    ) => [a.add(ints(1)), b.logicalNot(), a.equal(ints(2))]);
    const [sum, not, equal] = fn(ints(1, 2), tf.tensor1d([true, false], "bool"));
    assertEquals([sum!.dtype, not!.dtype, equal!.dtype], ["int32", "bool", "bool"]);
    assertEquals([...sum!.dataSync()], [2, 3]);
    assertEquals([...not!.dataSync()], [0, 1]);
    assertEquals([...equal!.dataSync()], [0, 1]);
    fn.dispose();
  });
});

Deno.test("compile() takes the mean of int32 and bool tensors as eager does", () => {
  tf.tidy(() => {
    const mean = compile((x: tfjs.Tensor) => x.mean());
    assertEquals(mean(ints(1, 2)).dataSync()[0], 1.5);
    assertEquals(mean(tf.tensor1d([true, false], "bool")).dataSync()[0], 0.5);
    mean.dispose();
  });
});

Deno.test("compile() returns several results in order: split, unstack, topk", () => {
  tf.tidy(() => {
    const fn = compile((x: tfjs.Tensor) => {
      const { values, indices } = tf.topk(x, 2);
      return [...tf.split(x, 2, 1), ...tf.unstack(x), values, indices];
    });
    const results = fn(tf.tensor2d([[1, 4, 3, 2], [8, 5, 6, 7]]));
    assertEquals(results.map((result) => result.arraySync()), [
      [[1, 4], [8, 5]],
      [[3, 2], [6, 7]],
      [1, 4, 3, 2],
      [8, 5, 6, 7],
      [[4, 3], [8, 7]],
      [[1, 2], [0, 3]],
    ]);
    fn.dispose();
  });
});

Deno.test("compile() may return an argument, a result twice, a constant, one in a list, or nothing", () => {
  tf.tidy(() => {
    const x = tf.tensor1d([1, 2]);
    const several = compile((x: tfjs.Tensor) => {
      const y = x.add(1);
      return [x, y, y, tf.scalar(5)];
    });
    assertEquals(several(x).map((result) => result.arraySync()), [[1, 2], [2, 3], [2, 3], 5]);
    const list = compile((x: tfjs.Tensor) => [x.neg()]);
    assertEquals(list(x).map((result) => result.arraySync()), [[-1, -2]]);
    const nothing = compile((_: tfjs.Tensor) => {});
    assertEquals(nothing(x), undefined);
    for (const fn of [several, list, nothing]) fn.dispose();
    assertEquals([...x.dataSync()], [1, 2]);
  });
});

Deno.test("compile() inlines a compiled function that is called while recording", () => {
  tf.tidy(() => {
    const inner = compile((x: tfjs.Tensor) => x.add(1));
    const outer = compile((x: tfjs.Tensor) => inner(x).mul(inner(x)));
    assertEquals(outer(tf.scalar(2)).dataSync()[0], 9);
    assertEquals([inner.recordings, outer.recordings], [0, 1]);
    outer.dispose();
  });
});

Deno.test("compile() refuses to inline a function of precision float32 into one of bfloat16", () => {
  const backend = tensorflowBackend();
  backend.precision = "bfloat16";
  const inner = compile((x: tfjs.Tensor) => x.square(), { precision: "float32" });
  const call = (x: tfjs.Tensor) => inner(x);
  const [rounded, exact] = [compile(call), compile(call, { precision: "float32" })];
  const x = tf.scalar(3);
  try {
    assertThrows(() => rounded(x), Error, 'compile the outer one with { precision: "float32" }');
    const square = exact(x);
    assertEquals(square.dataSync()[0], 9);
    square.dispose();
  } finally {
    backend.precision = "float32";
    for (const owner of [rounded, exact, inner, x]) owner.dispose();
  }
});

Deno.test("compile() keeps strings that are constants of the body", () => {
  tf.tidy(() => {
    const long = "a string of more than twenty-two bytes";
    const fn = compile(() => tf.tensor1d([long, ""]));
    assertEquals(Array.from<unknown>(fn().dataSync()), [long, ""]);
    fn.dispose();
  });
});

Deno.test("compile() records a constant once for all that use it, and none for another", () => {
  tf.tidy(() => {
    const nodes = () => tensorflowBackend().binding.getNumOfTensors();
    const added: number[] = [];
    const fn = compile(() =>
      [
        () => tf.tensor1d([0, 1]),
        () => tf.tensor1d([-0, 1]),
        () => tf.tensor2d([0, 1], [1, 2]),
        () => tf.tensor1d([0, 1], "int32"),
        () => tf.tensor1d([0, 1]),
        () => tf.tensor1d([-0, 1]),
      ].map((constant) => {
        const before = nodes();
        const negated = constant().neg();
        added.push(nodes() - before);
        return negated;
      })
    );
    assertEquals(fn().map((result) => [result.dtype, result.shape, [...result.dataSync()]]), [
      ["float32", [2], [-0, -1]],
      ["float32", [2], [0, -1]],
      ["float32", [1, 2], [-0, -1]],
      ["int32", [2], [0, -1]],
      ["float32", [2], [-0, -1]],
      ["float32", [2], [0, -1]],
    ]);
    assertEquals(added, [2, 2, 2, 2, 1, 1]);
    fn.dispose();
  });
});

Deno.test("a compiled function does not keep what is large and made of constants alone", () => {
  const [rows, columns, count] = [1024, 1024, 16];
  const rss = () => Deno.memoryUsage().rss;
  const megabytes = 4 * rows * columns / 1e6;
  tf.tidy(() => {
    const functions = Array.from(
      { length: count + 1 },
      (_, index) =>
        compile((x: tfjs.Tensor1D) => {
          const [ys, xs] = [tf.range(index, index + rows), tf.range(0, columns)];
          return x.gather(ys.reshape<tfjs.Tensor2D>([rows, 1]).add(xs).toInt() as tfjs.Tensor1D)
            .sum();
        }),
    );
    const x = tf.ones<tfjs.Rank.R1>([rows + columns + count]);
    const [first, ...others] = functions;
    assertEquals(first!(x).dataSync()[0], rows * columns);
    const before = rss();
    for (const fn of others) assertEquals(fn(x).dataSync()[0], rows * columns);
    assertLess((rss() - before) / 1e6, count * megabytes / 2);
    for (const fn of functions) fn.dispose();
  });
});

Deno.test("200 calls of a compiled function leave as many tensors as there were", () => {
  tf.tidy(() => {
    const x = tf.tensor1d([1, 2, 3]);
    const fn = compile((x: tfjs.Tensor) => [x.mul(2), x.sum()]);
    fn(x).forEach((result) => result.dispose());
    const before = { handles: binding.getNumOfTensors(), tensors: tf.memory().numTensors };
    for (let call = 0; call < 200; call++) fn(x).forEach((result) => result.dispose());
    assertEquals(
      { handles: binding.getNumOfTensors(), tensors: tf.memory().numTensors },
      before,
    );
    fn.dispose();
  });
});
