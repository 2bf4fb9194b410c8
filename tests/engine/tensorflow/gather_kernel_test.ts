/** `tf.gather` along axes that are counted from the first or from the last. */

import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { testEngine } from "../engine.ts";

const engine = await testEngine();

Deno.test("tf.gather() along a negative axis counts from the last", () => {
  tf.tidy(() => {
    const gathered = tf.gather(tf.tensor2d([[1, 2], [3, 4]]), [1, 0], -1);
    assertEquals(gathered.arraySync(), [[2, 1], [4, 3]]);
  });
});

/** Indices, dimensions of batches, axis, and the same axis counted from the last. */
const CASES: [number[] | number[][], number, number, number][] = [
  [[1, 0, 1], 0, 0, -3],
  [[1, 0, 1], 0, 1, -2],
  [[1, 0, 1], 0, 2, -1],
  [[[1, 0], [0, 0]], 1, 1, -2],
  [[[1, 0], [0, 0]], 1, 2, -1],
];

for (const [indices, batchDims, axis, fromLast] of CASES) {
  Deno.test(`tf.gather() along ${fromLast} is that along ${axis}, batchDims ${batchDims}, compiled or not`, () => {
    const gather = (axis: number) => (x: tf.Tensor) => {
      const take = (x: tf.Tensor) =>
        tf.gather(x, tf.tensor(indices, undefined, "int32") as tf.Tensor1D, axis, batchDims);
      return [take(x), tf.grad((x) => take(x).square().sum())(x)];
    };
    using compiled = engine.compile(gather(fromLast));
    tf.tidy(() => {
      const x = tf.range(0, 24).reshape([2, 3, 4]);
      const expected = gather(axis)(x).map((result) => result.arraySync());
      for (const run of [gather(fromLast), compiled]) {
        assertEquals(run(x).map((result) => result.arraySync()), expected);
      }
    });
  });
}
