/** Random numbers of the host against TensorFlow's own. */

import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { randomNormal, randomUniform } from "../../../engine/ops.ts";
import { fillNormal, fillUniform } from "../../../engine/portable/philox.ts";
import { testEngine } from "../engine.ts";

await testEngine();

/** Across the end of a block, and no multiple of four. */
const COUNT = 10_003;

const KEYS = [[0, 0], [1, -1], [7, 3], [2 ** 31 - 1, -(2 ** 31)]] as const;

/** Numbers with a key, ours and TensorFlow's. */
function draw(
  key: readonly [number, number],
  [ours, theirs]: readonly [typeof fillUniform, typeof randomUniform],
): [Float32Array, Float32Array] {
  const values = new Float32Array(COUNT);
  ours(values, key);
  const expected = tf.tidy(() =>
    theirs([COUNT], tf.tensor1d([...key], "int32")).dataSync<"float32">()
  );
  return [values, expected];
}

Deno.test("fillUniform() draws TensorFlow's numbers, bit for bit", () => {
  for (const key of KEYS) {
    const [values, expected] = draw(key, [fillUniform, randomUniform]);
    assertEquals(values, expected);
  }
});

Deno.test("fillNormal() draws TensorFlow's numbers but for the last bits", () => {
  for (const key of KEYS) {
    const [values, expected] = draw(key, [fillNormal, randomNormal]);
    for (const [i, value] of expected.entries()) {
      assert(Math.abs(values[i]! - value) <= 1e-6, `[${i}] is ${values[i]}, not ${value}`);
    }
  }
});
