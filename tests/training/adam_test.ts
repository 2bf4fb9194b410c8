/** Adam against torch.optim.Adam (tests/reference/adam.py). */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { Adam } from "../../training/adam.ts";
import { testEngine } from "../engine/engine.ts";

const engine = await testEngine();

type Name = "weight" | "bias";
const NAMES: readonly Name[] = ["weight", "bias"];

interface Golden {
  start: Record<Name, number[]>;
  target: Record<Name, number[]>;
  scale: Record<Name, number[]>;
  cases: {
    name: string;
    options: { lr: number; betas?: [number, number]; eps?: number; weight_decay?: number };
    /** By step. */
    after: Record<string, Record<Name, Record<"value" | "exp_avg" | "exp_avg_sq", number[]>>>;
  }[];
}

const golden: Golden = JSON.parse(
  Deno.readTextFileSync(`${import.meta.dirname}/../fixtures/adam.json`),
);

/** Each within `relative` of its expected value, or of the smallest normal float32. */
function assertClose(
  actual: ArrayLike<number>,
  expected: readonly number[],
  { relative, what }: { relative: number; what: string },
): void {
  assertEquals(actual.length, expected.length, what);
  for (const [index, value] of expected.entries()) {
    const difference = Math.abs(actual[index]! - value);
    const tolerance = relative * Math.max(Math.abs(value), 2 ** -126);
    assert(difference <= tolerance, `${what} [${index}] is ${actual[index]}, not ${value}`);
  }
}

for (const { name, options, after } of golden.cases) {
  for (const how of ["eager", "compiled"] as const) {
    Deno.test(`Adam ${how} equals torch.optim.Adam with ${name}`, () => {
      const variables = new Map(
        NAMES.map((name) => [name, tf.tidy(() => tf.variable(tf.tensor(golden.start[name])))]),
      );
      const adam = new Adam(variables, {
        learningRate: options.lr,
        ...(options.betas && { beta1: options.betas[0], beta2: options.betas[1] }),
        ...(options.eps !== undefined && { epsilon: options.eps }),
        ...(options.weight_decay !== undefined && { weightDecay: options.weight_decay }),
      });
      const update = (scalars: tf.Tensor1D) => {
        const { grads } = tf.variableGrads(() => {
          const losses = NAMES.map((name) =>
            variables.get(name)!.sub(tf.tensor(golden.target[name])).square()
              .mul(tf.tensor(golden.scale[name])).sum()
          );
          return tf.addN(losses) as tf.Scalar;
        }, [...variables.values()]);
        adam.apply(grads, scalars);
      };
      const compiled = engine.compile(update);
      for (let step = 1; step <= 10; step++) {
        tf.tidy(() => {
          const scalars = tf.tensor1d(adam.stepScalars(step));
          if (how === "compiled") compiled(scalars);
          else update(scalars);
        });
        const expected = after[step];
        if (expected === undefined) continue;
        for (const name of NAMES) {
          const { m, v } = adam.moments.get(name)!;
          const what = `${name} after step ${step}`;
          // Some ten roundings of 6e-8 a step.
          const relative = 2e-6;
          const value = variables.get(name)!.dataSync();
          assertClose(value, expected[name].value, { relative, what });
          assertClose(m.dataSync(), expected[name].exp_avg, { relative, what: `m of ${what}` });
          // TensorFlow's 1 - 0.999 in float32 is 1.3e-5 from 0.001; the step allows for that.
          assertClose(v.dataSync(), expected[name].exp_avg_sq, {
            relative: 2e-5,
            what: `v of ${what}`,
          });
        }
      }
      for (const owner of [compiled, adam, ...variables.values()]) owner.dispose();
    });
  }
}

Deno.test("Adam apply() names a parameter without a gradient", () => {
  const variable = tf.variable(tf.scalar(1));
  const adam = new Adam(new Map([["fc9.bias", variable]]), { learningRate: 0.1 });
  const scalars = tf.tensor1d(adam.stepScalars(1));
  assertThrows(() => adam.apply({}, scalars), Error, "fc9.bias");
  for (const owner of [scalars, adam, variable]) owner.dispose();
});

Deno.test("Adam dispose() frees the moments, and no more if called again", () => {
  const variable = tf.variable(tf.scalar(1));
  const before = tf.memory().numTensors;
  const adam = new Adam(new Map([["a", variable]]), { learningRate: 0.1 });
  assertEquals(tf.memory().numTensors, before + 2);
  const kept = adam.moments.get("a")!.m.clone();
  for (let time = 0; time < 2; time++) adam.dispose();
  assertEquals(kept.dataSync()[0], 0);
  kept.dispose();
  assertEquals(tf.memory().numTensors, before);
  variable.dispose();
});
