/** Large matrices lie in blocks, which nothing outside of the engine sees. */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { runBackend } from "../../../engine/backend.ts";
import { compile } from "../../../engine/compile.ts";
import { findLibrary } from "../../../engine/library/find_library.ts";
import { applyAdam, assignSlice } from "../../../engine/ops.ts";
import { TensorFlowBackend } from "../../../engine/tensorflow/backend.ts";
import { attribute } from "../../../engine/tensorflow/attributes.ts";
import { bfloat16Problem } from "../../../engine/tensorflow/bfloat16_support.ts";
import { DataType } from "../../../engine/tensorflow/c_enums.ts";
import {
  BLOCK_LIMITS,
  matrixBlocks,
  overlap,
  regionsOf,
} from "../../../engine/tensorflow/matrix_blocks.ts";
import { tensorflowOps } from "../../../engine/tensorflow/ops.ts";
import { threadCount } from "../../../engine/tensorflow/threads.ts";
import { silentReporter } from "../../../io/reporter.ts";

const CPU = { name: "", type: "CPU" };
const { FLOAT, INT32 } = DataType;

Deno.test("matrixBlocks() covers a matrix once, with blocks of a bounded size", () => {
  const layers = [[9216, 4096], [25088, 4096], [4096, 4096], [4099, 4099]];
  const shapes = [...layers, [1 << 24, 1], [3, 1 << 23]];
  for (const threads of [1, 2, 7, 64]) {
    const limits = { threads, device: CPU, blockLimits: BLOCK_LIMITS };
    for (const [rows, columns] of shapes as [number, number][]) {
      const blocks = matrixBlocks(limits, [rows, columns], FLOAT)!;
      for (const [stretches, length] of [[blocks.rows, rows], [blocks.columns, columns]] as const) {
        let end = 0;
        for (const { start, size } of stretches) {
          assertEquals(start, end);
          assert(size > 0);
          end += size;
        }
        assertEquals(end, length);
      }
      const shares = Math.max(threads, 2);
      for (const { rows, columns } of regionsOf(blocks)) {
        assert(columns.size <= BLOCK_LIMITS.columns * shares);
        // Stretches differ by a row and a column at most.
        const most = BLOCK_LIMITS.elements * shares + rows.size + columns.size;
        assert(rows.size * columns.size <= most, `${rows.size} × ${columns.size}`);
      }
    }
  }
});

Deno.test("matrixBlocks() leaves whole what is small, no matrix, not float32 or on a GPU", () => {
  const on = (type: string) => ({
    threads: 2,
    device: { name: "", type },
    blockLimits: BLOCK_LIMITS,
  });
  assertEquals(matrixBlocks(on("CPU"), [4096, 4095], FLOAT), undefined);
  assertEquals(matrixBlocks(on("CPU"), [1 << 24], FLOAT), undefined);
  assertEquals(matrixBlocks(on("CPU"), [4096, 4096, 1], FLOAT), undefined);
  assertEquals(matrixBlocks(on("CPU"), [4096, 4096], INT32), undefined);
  assertEquals(matrixBlocks(on("GPU"), [4096, 4096], FLOAT), undefined);
  assert(matrixBlocks(on("CPU"), [4096, 4096], FLOAT) !== undefined);
});

Deno.test("overlap() by hand", () => {
  const wanted = { start: 3, size: 4 };
  assertEquals(overlap({ start: 0, size: 3 }, wanted), undefined);
  assertEquals(overlap({ start: 0, size: 4 }, wanted), { start: 3, size: 1 });
  assertEquals(overlap({ start: 4, size: 2 }, wanted), { start: 4, size: 2 });
  assertEquals(overlap({ start: 6, size: 9 }, wanted), { start: 6, size: 1 });
  assertEquals(overlap({ start: 7, size: 1 }, wanted), undefined);
});

const { path } = await findLibrary({ reporter: silentReporter });
const shares = Math.max(threadCount(undefined), 2);

/** Whatever the number of threads, a matrix of 7 × 8 lies in four blocks of 3 or 4 rows and 4 columns. */
const SMALL = { matrix: 40, columns: 6 / shares, elements: 24 / shares };

const backend = new TensorFlowBackend(path, { cpuOnly: true, blockLimits: SMALL });
await runBackend({
  name: "tensorflow",
  device: "CPU",
  version: "",
  description: "",
  precision: "float32",
  threads: shares,
  kernels: backend,
  ops: tensorflowOps(backend),
  recorder: backend,
});

/** Runs a test in a tidy, and checks that nothing is left but was there. */
function test(name: string, fn: () => void, ignore = false) {
  Deno.test({
    name,
    ignore,
    fn() {
      const count = () => [backend.eager.getNumOfTensors(), tf.memory().numTensors];
      const before = count();
      tf.tidy(fn);
      assertEquals(count(), before);
    },
  });
}

/** Values of a seed, float32 `[rows, columns]`. */
function noise(rows: number, columns: number, seed: number): tf.Tensor2D {
  return tf.randomNormal([rows, columns], 0, 1, "float32", seed);
}

/** A variable that starts with the value of a tensor. */
function variableOf(value: tf.Tensor): tf.Variable {
  return tf.variable(value, true, crypto.randomUUID());
}

const list = (tensor: tf.Tensor) => [...tensor.dataSync()];

/** Equal up to rounding: 1e-5, of values above 1 of the value. */
function assertClose(ours: tf.Tensor, theirs: tf.Tensor) {
  assertEquals(ours.shape, theirs.shape);
  const expected = list(theirs);
  list(ours).forEach((value, i) => {
    assertAlmostEquals(value, expected[i]!, 1e-5 * Math.max(1, Math.abs(expected[i]!)));
  });
}

/** How many variables in TensorFlow a variable is. */
function blockCount({ dataId }: tf.Tensor): number | undefined {
  return backend.tensorMap.get(dataId).resource?.ids.length;
}

for (const weightDecay of [undefined, 0.1]) {
  test(`a step on blocks is the step on the whole, weight decay ${weightDecay}`, () => {
    const x = noise(5, 7, 1);
    const make = () => {
      const matrices = [noise(7, 8, 2), noise(8, 13, 3)].map((value) => {
        const [m, v] = [1, 2].map(() => variableOf(tf.zeros(value.shape)));
        return { parameter: variableOf(value), m: m!, v: v! };
      });
      const step = (x: tf.Tensor): tf.Tensor => {
        const [first, second] = matrices.map(({ parameter }) => parameter);
        const { value, grads } = tf.variableGrads(
          () => tf.matMul(tf.relu(tf.matMul(x, first!)), second!).square().mean() as tf.Scalar,
          [first!, second!],
        );
        const scalars = {
          stepSize: tf.scalar(0.01),
          epsilon: tf.scalar(1e-8),
          beta1: tf.scalar(0.9),
          beta2: tf.scalar(0.999),
          ...(weightDecay !== undefined && { weightDecay: tf.scalar(weightDecay) }),
        };
        for (const matrix of matrices) applyAdam(matrix, grads[matrix.parameter.name]!, scalars);
        return value;
      };
      return { step, variables: matrices.flatMap(({ parameter, m, v }) => [parameter, m, v]) };
    };
    const [ours, theirs] = [make(), make()];
    using compiled = compile(ours.step);
    for (let step = 0; step < 3; step++) {
      assertClose(compiled(x) as tf.Tensor, theirs.step(x));
      ours.variables.forEach((variable, i) => assertClose(variable, theirs.variables[i]!));
    }
    assertEquals(ours.variables.map((one) => blockCount(one)), [4, 4, 4, 6, 6, 6]);
    assertEquals(theirs.variables.map((one) => blockCount(one)), Array(6).fill(1));
    for (const one of [...ours.variables, ...theirs.variables]) one.dispose();
  });
}

test("gradient descent on blocks in bfloat16 leaves float32", () => {
  const matrix = variableOf(noise(7, 8, 2));
  const before = list(matrix);
  backend.precision = "bfloat16";
  using compiled = compile((x: tf.Tensor) => {
    const { value, grads } = tf.variableGrads(
      () => tf.matMul(x as tf.Tensor2D, matrix as tf.Tensor2D).square().mean() as tf.Scalar,
      [matrix],
    );
    matrix.assign(matrix.sub(grads[matrix.name]!.mul(1e-3)));
    return value;
  });
  try {
    compiled(noise(5, 7, 1));
  } finally {
    backend.precision = "float32";
  }
  assertEquals(blockCount(matrix), 4);
  list(matrix).forEach((value, i) => {
    assertNotEquals(value, before[i]);
    assertAlmostEquals(value, before[i]!, 5e-3);
  });
  const bits = new Uint32Array(Float32Array.from(list(matrix)).buffer);
  assert(bits.every((word) => (word & 0xffff) !== 0), "a weight is a bfloat16 number");
  matrix.dispose();
}, bfloat16Problem("CPU") !== undefined);

test("products with blocks, and ops that take the whole, are those of the matrix", () => {
  const value = noise(7, 8, 4);
  const matrix = variableOf(value);
  const args = [noise(7, 3, 5), noise(3, 8, 6), noise(3, 7, 7), noise(2, 7, 8)];
  const body = (w: tf.Tensor2D, [tall, wide, left, images]: tf.Tensor[]) => [
    tf.matMul(left!, w),
    tf.matMul(wide!, w, false, true),
    tf.matMul(tall!, w, true),
    tf.matMul(tf.matMul(tall!, w, true), w, false, true),
    tf.matMul(w, wide!, false, true),
    tf.matMul(images!.expandDims(0), w.expandDims(0)),
    tf.matMul(images!.expandDims(0), w as tf.Tensor as tf.Tensor3D),
    w.slice([2, 3], [4, 2]),
    w.mul(2).sum(0),
    // A product of the matrix' sizes lies in blocks itself, as a gradient does.
    tf.matMul(images!, tf.matMul(left!, wide!, true)),
    tf.matMul(left!, wide!, true).add(w),
  ];
  using compiled = compile((...args: tf.Tensor[]) =>
    body(matrix as tf.Tensor as tf.Tensor2D, args)
  );
  const results = compiled(...args) as tf.Tensor[];
  assertEquals(blockCount(matrix), 4);
  body(value, args).forEach((expected, i) => assertClose(results[i]!, expected));
  matrix.dispose();
});

test("a matrix in blocks is assigned, read and shared as any variable", () => {
  const value = noise(7, 8, 9);
  const matrix = variableOf(value);
  using doubled = compile(() => {
    const before = matrix.mul(1);
    matrix.assign(matrix.mul(2));
    const between = matrix.add(0);
    matrix.assign(matrix.add(1));
    return [before, between];
  });
  const [before, between] = doubled();
  assertEquals(blockCount(matrix), 4);
  assertEquals(list(before!), list(value));
  assertEquals(list(between!), list(value.mul(2)));
  assertEquals(list(matrix), list(value.mul(2).add(1)));

  const shared = matrix.clone();
  doubled();
  assertEquals(list(shared), list(value.mul(2).add(1)));
  assertEquals(list(matrix), list(shared.mul(2).add(1)));
  // An op that runs at once changes the whole.
  assignSlice(matrix, tf.fill([7, 2], 5), 3);
  const changed = list(matrix);
  assertEquals(blockCount(matrix), 1);
  assertEquals(list(matrix.slice([0, 3], [7, 2])), Array(14).fill(5));
  assertEquals(
    list(matrix.slice([0, 5], [7, 3])),
    list(shared.mul(2).add(1).slice([0, 5], [7, 3])),
  );
  assertEquals(list(doubled()[0]!), changed);
  assertEquals(blockCount(matrix), 4);
  matrix.dispose();
});

test("a copy of a matrix in blocks keeps its value over a change in place", () => {
  const value = noise(7, 8, 13);
  const [parameter, m, v] = [value, tf.zerosLike(value), tf.zerosLike(value)].map(variableOf);
  using step = compile((gradient: tf.Tensor) => {
    const old = parameter!.clone();
    applyAdam({ parameter: parameter!, m: m!, v: v! }, gradient, {
      stepSize: tf.scalar(0.01),
      epsilon: tf.scalar(1e-8),
      beta1: tf.scalar(0.9),
      beta2: tf.scalar(0.999),
    });
    return [old, parameter!.sub(old)];
  });
  const [old, moved] = step(noise(7, 8, 14)) as tf.Tensor[];
  assertEquals(blockCount(parameter!), 4);
  assertEquals(list(old!), list(value));
  assertEquals(list(moved!), list(parameter!.sub(value)));
  assertEquals(list(moved!).includes(0), false);
  tf.dispose([parameter!, m!, v!]);
});

test("a part of a matrix in blocks is read without the whole", () => {
  const value = noise(7, 8, 10);
  // One has its values on the device, the other where they were made.
  for (const start of [value.mul(1), tf.tensor2d(list(value), [7, 8])]) {
    const matrix = variableOf(start);
    start.dispose();
    using touch = compile((x: tf.Tensor) =>
      tf.matMul(x as tf.Tensor2D, matrix as tf.Tensor as tf.Tensor2D)
    );
    touch(tf.ones([1, 7]));
    for (const begin of [[0, 0], [0, 3], [2, 1], [3, 4], [6, 7]] as [number, number][]) {
      for (const end of [[7, 8], [4, 5], [3, 4]] as [number, number][]) {
        const size = begin.map((from, axis) => Math.max(end[axis]! - from, 0)) as [number, number];
        const part = matrix.slice(begin, size);
        assertEquals([part.shape, list(part)], [size, list(value.slice(begin, size))]);
        const isEmpty = size.includes(0);
        if (!isEmpty) assertEquals(backend.tensorMap.get(matrix.dataId).id, -1);
        else touch(tf.ones([1, 7]));
      }
    }
    assertEquals(list(matrix), list(value));
    // Now that the whole has been read, parts are taken of that.
    assertEquals(list(matrix.slice([1, 1], [2, 2])), list(value.slice([1, 1], [2, 2])));
    matrix.dispose();
  }
});

test("an update that cannot go block by block is refused, by name", () => {
  const [matrix, other] = [noise(7, 8, 11), noise(2, 3, 12)].map(variableOf);
  const refused = (opName: string, body: () => void) => {
    const compiled = compile(() => {
      body();
      return tf.scalar(0);
    });
    assertThrows(() => compiled(), Error, `${opName} on a matrix of shape [7,8]`);
    assertEquals(backend.recording, false);
  };
  refused("ResourceStridedSliceAssign", () => assignSlice(matrix!, tf.fill([7, 2], 5), 3));
  refused("ResourceApplyGradientDescent", () =>
    backend.update(
      "ResourceApplyGradientDescent",
      [attribute.type("T", FLOAT)],
      [other!, matrix!],
      [tf.scalar(1)],
    ));
  for (const variable of [matrix!, other!]) variable.dispose();
});
